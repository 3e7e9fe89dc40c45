#include "sink.hpp"

#include "process/kernel/moment.hpp"

#include <retry_exec/write.hpp>

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace retry_exec {

namespace {

// How much of `bytes` goes into a pipe in one write. A line that is longer than PIPE_BUF cannot be
// kept whole, and goes as far as it goes.
std::size_t atomic_part(std::string_view bytes) {
  if (bytes.size() <= PIPE_BUF) return bytes.size();
  const std::size_t last = bytes.rfind('\n', PIPE_BUF - 1);
  if (last != std::string_view::npos) return last + 1;
  return std::min(bytes.find('\n', PIPE_BUF), bytes.size() - 1) + 1;
}

}  // namespace

Sink::Sink(boost::asio::io_context& context, int fd) : context_(context), fd_(fd) {}

void Sink::find_kind() {
  struct stat status {};
  const mode_t mode = ::fstat(fd_, &status) == 0 ? status.st_mode : 0;
  kind_ = Kind::always_ready;  // files and /dev/null: epoll(7) refuses them, they never block
  if (S_ISFIFO(mode)) kind_ = Kind::pipe;
  if (S_ISSOCK(mode)) kind_ = Kind::socket;
  if (S_ISCHR(mode) && ::isatty(fd_) != 0) kind_ = Kind::terminal;
  if (kind_ == Kind::pipe || kind_ == Kind::terminal) own_.reset(open_non_blocking(fd_));
}

bool Sink::is_pipe() {
  if (kind_ == Kind::unknown) find_kind();
  return kind_ == Kind::pipe;
}

bool Sink::writable_now() const {
  pollfd request{fd_, POLLOUT, 0};
  return ::poll(&request, 1, 0) == 1;
}

Sink::Result Sink::write_some(std::string_view& bytes) {
  std::size_t size = is_pipe() ? atomic_part(bytes) : bytes.size();
  if ((kind_ == Kind::pipe || kind_ == Kind::terminal) && !own_) {
    if (!writable_now()) return Result::would_block;
    // pipe(7): POLLOUT promises room for PIPE_BUF bytes and no more.
    size = std::min<std::size_t>(size, PIPE_BUF);
  }
  std::optional<Moment> moment;  // of a terminal it promises less
  if (kind_ == Kind::terminal && !own_) moment.emplace(std::chrono::milliseconds(20));
  const ssize_t written = kind_ == Kind::socket
                              ? ::send(fd_, bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                              : ::write(own_ ? own_.get() : fd_, bytes.data(), size);
  if (written >= 0) {
    bytes.remove_prefix(static_cast<std::size_t>(written));
    written_ += static_cast<std::uint64_t>(written);
    return Result::wrote;
  }
  return failure();
}

// What the errno of a write means.
Sink::Result Sink::failure() {
  if (errno == EAGAIN || errno == EINTR) return Result::would_block;
  if (errno == EPIPE || errno == ECONNRESET) return Result::reader_gone;
  error_ = errno;
  return Result::failed;
}

std::optional<Sink::Moved> Sink::move_from(int source, std::size_t size) {
  if (!is_pipe()) return std::nullopt;
  // SPLICE_F_NONBLOCK speaks of this one call, unlike O_NONBLOCK.
  const ssize_t moved =
      ::splice(source, nullptr, fd_, nullptr, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (moved >= 0) return Moved{Result::wrote, static_cast<std::size_t>(moved)};
  if (errno == EAGAIN || errno == EINTR) return Moved{Result::would_block, 0};
  if (errno == EPIPE) return Moved{Result::reader_gone, 0};
  return std::nullopt;  // EINVAL: opened with O_APPEND, or a kernel that will not
}

void Sink::when_writable(std::function<void()> ready) {
  if (kind_ == Kind::terminal && writable_now()) {
    // It has room for a byte, and refuses a line end, which takes two: only time helps.
    if (!timer_) timer_.emplace(context_);
    timer_->expires_after(std::chrono::milliseconds(20));
    return timer_->async_wait([ready = std::move(ready)](const boost::system::error_code& error) {
      if (!error) ready();
    });
  }
  if (!watcher_) {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{};
    event.events = EPOLLOUT;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd_, &event) != 0) {
      return boost::asio::post(context_, std::move(ready));
    }
    watcher_.emplace(context_, epoll.release());
  }
  watcher_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [ready = std::move(ready)](const boost::system::error_code& error) {
                         if (error != boost::asio::error::operation_aborted) ready();
                       });
}

}  // namespace retry_exec
