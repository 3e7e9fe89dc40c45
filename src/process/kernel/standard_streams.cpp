#include "standard_streams.hpp"

#include <retry_exec/process.hpp>

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace retry_exec {

namespace {

// Do both write where the other stopped (`>file 2>&1`), or each from a position of its own?
bool write_behind_each_other() {
  return (::fcntl(STDOUT_FILENO, F_GETFL) & ::fcntl(STDERR_FILENO, F_GETFL) & O_APPEND) != 0 ||
         share_a_position(STDOUT_FILENO, STDERR_FILENO);
}

// Which terminal it is, whatever name it was opened by: /dev/tty has a number of its own.
dev_t terminal_of(int fd, const struct stat& status) {
  unsigned number = 0;
  return ::ioctl(fd, TIOCGDEV, &number) == 0 ? number : status.st_rdev;
}

}  // namespace

bool is_closed(int fd) {
  // What an exec leaves open is not marked so; what stands in for it is.
  return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

bool share_a_position(int a, int b) {
  const long differ = ::syscall(SYS_kcmp, ::getpid(), ::getpid(), KCMP_FILE, a, b);
  if (differ >= 0) return differ == 0;
  struct stat one {};
  struct stat other {};
  if (::fstat(a, &one) != 0 || ::fstat(b, &other) != 0 || one.st_dev != other.st_dev ||
      one.st_ino != other.st_ino) {
    return false;
  }
  // A sandbox refuses kcmp(2): move one, and see whether the other has moved.
  const off_t position = ::lseek(a, 0, SEEK_CUR);
  if (position < 0 || ::lseek(b, 0, SEEK_CUR) != position) return false;
  const off_t moved = ::lseek(a, position + 1, SEEK_SET);
  const bool shared = moved >= 0 && ::lseek(b, 0, SEEK_CUR) == moved;
  ::lseek(a, position, SEEK_SET);
  return shared;
}

bool streams_are_one() {
  struct stat output {};
  struct stat error {};
  if (::fstat(STDOUT_FILENO, &output) != 0 || ::fstat(STDERR_FILENO, &error) != 0) return false;
  if (S_ISCHR(output.st_mode) && S_ISCHR(error.st_mode)) {
    // /dev/null shows no order.
    return ::isatty(STDOUT_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0 &&
           terminal_of(STDOUT_FILENO, output) == terminal_of(STDERR_FILENO, error);
  }
  if (output.st_dev != error.st_dev || output.st_ino != error.st_ino) return false;
  if (S_ISREG(output.st_mode)) return write_behind_each_other();
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
