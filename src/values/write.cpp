#include "values/end_request.hpp"
#include "values/unique_fd.hpp"

#include <retry_exec/write.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>

namespace retry_exec {

namespace {

constexpr int slice = 50;  // milliseconds between two looks at what else may end a wait

// Why a reader is no longer waited for; 0: it is.
int end_of_patience(TimePoint give_up) {
  if (pending_end_request()) return EINTR;
  return Clock::now() >= give_up ? ETIMEDOUT : 0;
}

// 0 once `fd` takes a write (or has no reader any more).
int wait_for_room(int fd, TimePoint give_up) {
  pollfd request{fd, POLLOUT, 0};
  while (::poll(&request, 1, slice) == 0) {
    if (const int error = end_of_patience(give_up)) return error;
  }
  return 0;
}

}  // namespace

int open_non_blocking(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int write_all(int fd, std::string_view text, TimePoint give_up) {
  return write_rest(fd, text, give_up);
}

int write_rest(int fd, std::string_view& rest, TimePoint give_up) {
  struct stat status {};
  const bool known = ::fstat(fd, &status) == 0;
  const bool socket = known && S_ISSOCK(status.st_mode);
  const bool slow = known && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode));
  const UniqueFd own(slow ? open_non_blocking(fd) : -1);
  while (!rest.empty()) {
    if (slow || socket) {
      if (const int error = wait_for_room(fd, give_up)) return error;
    }
    // pipe(7): without a description of our own, room for PIPE_BUF bytes is all that is promised.
    const std::size_t size =
        slow && !own ? std::min<std::size_t>(rest.size(), PIPE_BUF) : rest.size();
    const ssize_t written = socket ? ::send(fd, rest.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                   : ::write(own ? own.get() : fd, rest.data(), size);
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // A terminal with room for a byte refuses a line end, which takes two.
      ::poll(nullptr, 0, slice);
      if (const int error = end_of_patience(give_up)) return error;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace retry_exec
