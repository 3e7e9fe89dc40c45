#include "signals.hpp"

#include "values/end_request.hpp"

#include <retry_exec/process.hpp>

#include <boost/system/system_error.hpp>

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace retry_exec {

namespace {

constexpr std::array watched_signals = {SIGHUP,  SIGINT,    SIGQUIT, SIGTERM,   SIGUSR1, SIGUSR2,
                                        SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU,   SIGIO,   SIGPWR,
                                        SIGCONT, SIGWINCH,  SIGCHLD, SIGSTKFLT, SIGTSTP, SIGPIPE,
                                        SIGXFSZ, SIGABRT,   SIGSYS,  SIGTRAP};

// A write of ours that fails is told by its errno.
bool is_of_our_own_write(const signalfd_siginfo& info) {
  return (info.ssi_signo == SIGPIPE || info.ssi_signo == SIGXFSZ) &&
         info.ssi_pid == static_cast<std::uint32_t>(::getpid());
}

// What the kernel sends when a key is pressed or the window changes goes to the whole foreground
// group; its other signals (an alarm, a limit of processor time) are for us alone. So is a hangup,
// if we lead the session.
bool is_from_terminal(const signalfd_siginfo& info) {
  constexpr std::array keys = {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGWINCH};
  if (info.ssi_signo == SIGHUP && ::getsid(0) == ::getpid()) return false;
  return info.ssi_code == SI_KERNEL &&
         std::find(keys.begin(), keys.end(), static_cast<int>(info.ssi_signo)) != keys.end();
}

}  // namespace

SignalSource::SignalSource(boost::asio::io_context& context) : descriptor_(context) {
  sigemptyset(&watched_);
  for (const int signal : watched_signals) sigaddset(&watched_, signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&watched_, signal);
  ignored_children_ = ::signal(SIGCHLD, SIG_DFL) == SIG_IGN;
  ::pthread_sigmask(SIG_BLOCK, &watched_, &original_mask_);
  const int descriptor = ::signalfd(-1, &watched_, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) {
    throw boost::system::system_error(errno, boost::system::system_category(), "signalfd");
  }
  descriptor_.assign(descriptor);
}

void SignalSource::start(std::function<void(Received)> handler) {
  handler_ = std::move(handler);
  await();
}

void SignalSource::await() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error) return;
                           deliver();
                           await();
                         });
}

// CHLD comes last: what it tells may have been caused by the others.
void SignalSource::deliver() {
  read_all();
  while (std::exchange(child_event_, false)) handler_({SIGCHLD});
}

void SignalSource::deliver_before_reaping(pid_t child) {
  siginfo_t info{};
  const int how = WEXITED | WNOHANG | WNOWAIT;
  if (::waitid(P_PID, static_cast<id_t>(child), &info, how) == 0 && info.si_pid == child)
    read_all();
}

void SignalSource::read_all() {
  signalfd_siginfo info{};
  while (::read(descriptor_.native_handle(), &info, sizeof info) ==
         static_cast<ssize_t>(sizeof info)) {
    const auto signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGCHLD) {
      child_event_ = true;
    } else if (!is_ignored(signal) && !is_of_our_own_write(info)) {
      // An ignored one is blocked as well, and so reaches a signalfd.
      const pid_t sender = info.ssi_code == SI_USER ? static_cast<pid_t>(info.ssi_pid) : 0;
      handler_({signal, is_from_terminal(info), sender});
    }
  }
}

bool stop_by(int signal) {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  struct sigaction before {};
  ::sigaction(signal, &by_default, &before);
  sigset_t only;
  sigset_t mask;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &only, &mask);  // here we stand still
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  ::sigaction(signal, &before, nullptr);
  // Each stop signal takes back an earlier CONT: this one came since.
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGCONT) == 1;
}

int die_by(int signal) {
  // No core of ours: it would only hide that of the command.
  ::prctl(PR_SET_DUMPABLE, 0);
  ::signal(signal, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  return exit_code::signal_base + signal;  // process 1 of a container outlives its own signals
}

}  // namespace retry_exec
