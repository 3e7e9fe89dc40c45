#include "job.hpp"

#include "terminal.hpp"

#include <sys/wait.h>

#include <csignal>
#include <utility>

namespace retry_exec {

void Job::look_for_stop(pid_t command) {
  siginfo_t info{};
  if (command <= 0 || ::waitid(P_PID, static_cast<id_t>(command), &info, WSTOPPED | WNOHANG) != 0 ||
      info.si_pid != command) {
    return;
  }
  const int signal = info.si_status;
  const bool reads_terminal = signal == SIGTTIN || signal == SIGTTOU;
  sigset_t pending;
  ::sigpending(&pending);
  const bool continued = ::sigismember(&pending, SIGCONT) == 1;
  if ((signal != SIGTSTP && !reads_terminal) || continued) return;
  if (own_group_ && reads_terminal && lend_terminal(command)) {
    has_terminal_ = true;
    ::kill(-command, SIGCONT);
    return;
  }
  take_terminal_back(command);
  ::raise(own_group_ && signal == SIGTSTP ? SIGSTOP : signal);  // TSTP is watched there
  ::sigpending(&pending);
  // Nobody is left who could put us in front: our group is orphaned, and the kernel stops none
  // such. Its members are hung up on when they are stopped (setpgid(2)); so is the command.
  if (own_group_ && ::sigismember(&pending, SIGCONT) != 1) {
    ::kill(-command, SIGHUP);
    ::kill(-command, SIGCONT);
  }
}

bool Job::take_terminal_back(pid_t command) {
  const bool lent = std::exchange(has_terminal_, false);
  if (lent) retry_exec::take_terminal_back(command);
  return lent;
}

}  // namespace retry_exec
