#include "signals.hpp"

#include <retry_exec/process.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace retry_exec {

namespace {

// The synchronous faults (SEGV, BUS, FPE, ILL, ABRT, TRAP, SYS) are never among them: blocked, they
// would be lost or loop.
constexpr std::array passed_on = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};

bool is_ignored(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

}  // namespace

bool asks_to_end(int signal) {
  return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM;
}

SignalSource::SignalSource(boost::asio::io_context& context, bool stop_signals)
    : descriptor_(context) {
  sigemptyset(&watched_);
  // Blocked *and ignored* signals still reach a signalfd, so ignored ones are left out here.
  for (const int signal : passed_on) {
    if (!is_ignored(signal)) sigaddset(&watched_, signal);
  }
  if (stop_signals && !is_ignored(SIGTSTP)) sigaddset(&watched_, SIGTSTP);
  sigaddset(&watched_, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &watched_, &original_mask_);
  descriptor_.assign(::signalfd(-1, &watched_, SFD_CLOEXEC | SFD_NONBLOCK));
}

void SignalSource::start(std::function<void(Received)> handler) {
  handler_ = std::move(handler);
  await();
}

void SignalSource::await() {
  descriptor_.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this](const boost::system::error_code& error) {
        if (error) return;
        signalfd_siginfo info{};
        while (::read(descriptor_.native_handle(), &info, sizeof info) ==
               static_cast<ssize_t>(sizeof info)) {
          handler_({static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL});
        }
        await();
      });
}

void protect_standard_streams() {
  // Otherwise our first pipe would become the command's stdin, stdout or stderr.
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
    }
  }
  // An inherited "ignore" of SIGCHLD makes the kernel reap our child before we learn its status.
  ::signal(SIGCHLD, SIG_DFL);
  // An empty handler, not SIG_IGN: exec turns a handler back into the default, while SIG_IGN would
  // reach the command and change what it does. An inherited SIG_IGN is passed on as it is.
  if (!is_ignored(SIGPIPE)) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGPIPE, &action, nullptr);
  }
}

int die_by(int signal) {
  // No core of ours: it would only hide that of the command.
  ::prctl(PR_SET_DUMPABLE, 0);
  ::signal(signal, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  return exit_code::signal_base + signal;  // process 1 of a container outlives its own signals
}

}  // namespace retry_exec
