#include "standard_streams.hpp"

#include <retry_exec/process.hpp>

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace retry_exec {

namespace {

// Do both write where the other stopped (`>file 2>&1`), or each from a position of its own?
bool share_a_position() {
  if ((::fcntl(STDOUT_FILENO, F_GETFL) & ::fcntl(STDERR_FILENO, F_GETFL) & O_APPEND) != 0) {
    return true;
  }
  const long differ =
      ::syscall(SYS_kcmp, ::getpid(), ::getpid(), KCMP_FILE, STDOUT_FILENO, STDERR_FILENO);
  if (differ >= 0) return differ == 0;
  return ::lseek(STDOUT_FILENO, 0, SEEK_CUR) == ::lseek(STDERR_FILENO, 0, SEEK_CUR);
}

}  // namespace

bool is_closed(int fd) {
  // What an exec leaves open is not marked so; what stands in for it is.
  return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

bool streams_are_one() {
  struct stat output {};
  struct stat error {};
  if (::fstat(STDOUT_FILENO, &output) != 0 || ::fstat(STDERR_FILENO, &error) != 0) return false;
  if (S_ISCHR(output.st_mode) && S_ISCHR(error.st_mode)) {
    // /dev/null shows no order.
    return output.st_rdev == error.st_rdev && ::isatty(STDOUT_FILENO) != 0;
  }
  if (output.st_dev != error.st_dev || output.st_ino != error.st_ino) return false;
  if (S_ISREG(output.st_mode)) return share_a_position();
  return S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode);
}

void protect_standard_streams() {
  // Otherwise our first pipe would become the command's stdin, stdout or stderr. O_PATH: it can
  // neither be read nor written, as is right for a closed descriptor. The command does not get it.
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) ::open("/", O_PATH | O_CLOEXEC);
  }
  // An empty handler, not SIG_IGN: exec turns a handler back into the default, while SIG_IGN would
  // reach the command and change what it does. An inherited SIG_IGN is passed on as it is.
  for (const int signal : {SIGPIPE, SIGXFSZ}) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    ::sigaction(signal, &action, &before);
    if (before.sa_handler == SIG_IGN) ::sigaction(signal, &before, nullptr);
  }
}

}  // namespace retry_exec
