#include "job.hpp"

#include "descendants.hpp"
#include "signals.hpp"
#include "terminal.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <utility>

namespace retry_exec {

bool leads_group(pid_t command) {
  return ::getpgid(command) == command;
}

void signal_command(pid_t command, int signal) {
  if (!leads_group(command) || ::kill(-command, signal) != 0) ::kill(command, signal);
}

void Job::look_for_stop(pid_t command) {
  const auto id = static_cast<id_t>(command);
  siginfo_t info{};
  if (command <= 0 || ::waitid(P_PID, id, &info, WSTOPPED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid != command) {
    return;
  }
  constexpr int most_looks = 40;  // the reader of our output may have stopped, too
  if (output_waits_() && ++looks_ <= most_looks) {
    timer_.expires_after(std::chrono::milliseconds(5));
    timer_.async_wait([this, command](const boost::system::error_code& error) {
      if (!error) look_for_stop(command);
    });
    return;
  }
  looks_ = 0;
  ::waitid(P_PID, id, &info, WSTOPPED | WNOHANG);
  if (info.si_pid == command) stop_behind(command, info.si_status);
}

void Job::stop_behind(pid_t command, int signal) {
  const bool reads_terminal = signal == SIGTTIN || signal == SIGTTOU;
  sigset_t pending;
  ::sigpending(&pending);
  const bool continued = ::sigismember(&pending, SIGCONT) == 1;
  const bool asked = std::exchange(asked_to_stop_, false);
  if (asked && signal == SIGSTOP) signal = SIGTSTP;  // an editor's way, once it has tidied up
  // Whoever sends STOP may later continue the command alone, and leave us standing still. But in
  // the foreground somebody waits for the job to stop, and puts all of it in front again.
  const bool stops_group =
      signal == SIGSTOP && (has_terminal_ || in_foreground()) && !in_orphaned_group();
  if ((signal != SIGTSTP && !reads_terminal && !stops_group) || continued) return;
  if (reads_terminal && leads_group(command) && lend_terminal(command)) {
    has_terminal_ = true;
    signal_command(command, SIGCONT);
    return;
  }
  take_terminal_back(command);
  if (asked && signal == SIGTSTP && leads_group(command) && !in_orphaned_group())
    signal_command(command, SIGTSTP);
  if (stop_by(signal) || (signal != SIGTSTP && !own_group_)) return;
  // Nobody is left who could continue us, or put us in front. Its group is not orphaned as ours
  // is, but it shall fare as if it were: TSTP stops none such, and whoever stands still in one is
  // hung up on (setpgid(2)).
  if (reads_terminal) signal_command(command, SIGHUP);
  signal_command(command, SIGCONT);
}

void Job::ask_to_stop(pid_t command) {
  asked_to_stop_ = true;
  ::kill(command, SIGTSTP);
}

bool Job::take_terminal_back(pid_t command) {
  timer_.cancel();
  const bool lent = std::exchange(has_terminal_, false);
  if (lent) retry_exec::take_terminal_back(command);
  return lent;
}

}  // namespace retry_exec
