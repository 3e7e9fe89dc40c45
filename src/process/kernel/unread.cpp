#include "unread.hpp"

#include "values/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace retry_exec {

namespace {

std::string beginning_of(int pipe) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {};
  const UniqueFd source(ends[0]);
  const UniqueFd target(ends[1]);
  std::array<char, 512> buffer{};
  if (::tee(pipe, target.get(), buffer.size(), SPLICE_F_NONBLOCK) <= 0) return {};
  const ssize_t got = ::read(source.get(), buffer.data(), buffer.size());
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

bool has_messages(int socket) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

std::string message_of(int socket) {
  std::array<char, 512> buffer{};
  const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT);
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

}  // namespace

std::optional<Unread> unread(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  const bool pipe = S_ISFIFO(status.st_mode);
  int waiting = 0;
  if ((!pipe && !S_ISSOCK(status.st_mode)) || ::ioctl(fd, FIONREAD, &waiting) != 0) {
    return std::nullopt;
  }
  Unread now;
  now.size = static_cast<std::size_t>(waiting);
  if (waiting == 0) {
    pollfd request{fd, POLLIN | POLLRDHUP, 0};
    now.at_end = ::poll(&request, 1, 0) == 1 && (request.revents & (POLLHUP | POLLRDHUP)) != 0;
  } else if (pipe) {
    now.beginning = beginning_of(fd);
  } else if (has_messages(fd)) {
    now.is_message = true;
    now.beginning = message_of(fd);
  }
  return now;
}

bool taken_between(const Unread& before, const Unread& after) {
  if (after.size < before.size || (after.at_end && !before.at_end)) return true;
  if (before.is_message && before.size != after.size) return true;  // it is another one
  return !std::string_view(after.beginning)
              .starts_with(std::string_view(before.beginning).substr(0, after.beginning.size()));
}

}  // namespace retry_exec
