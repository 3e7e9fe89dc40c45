#include "input.hpp"

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace retry_exec {

using boost::asio::posix::stream_descriptor;

namespace {
constexpr std::size_t piece = std::size_t{64} << 10;
}

Input::Input(boost::asio::io_context& context)
    : context_(context), start_(::lseek(STDIN_FILENO, 0, SEEK_CUR)) {}

bool Input::was_taken() const {
  const std::optional<Unread> now = unread_ ? unread(STDIN_FILENO) : std::nullopt;
  return now && taken_between(*unread_, *now);
}

// Our parent often writes to our pipe, or closes it, right after that. Later, an end that
// came without a byte could not be told from one behind bytes that the command has read.
std::optional<Unread> Input::settled() {
  constexpr int milliseconds = 2;
  std::optional<Unread> now = unread(STDIN_FILENO);
  pollfd request{STDIN_FILENO, POLLIN, 0};
  if (now && now->size == 0 && !now->at_end && ::poll(&request, 1, milliseconds) == 1) {
    now = unread(STDIN_FILENO);
  }
  return now;
}

Input::Prepared Input::prepare(StandardInput kind) {
  Prepared prepared;
  unread_.reset();
  switch (kind) {
    case StandardInput::inherit:
      if (start_ < 0) unread_ = settled();
      // The first attempt finds it where the caller left it; a later one where the first did.
      if (used_ && start_ >= 0) ::lseek(STDIN_FILENO, start_, SEEK_SET);
      break;
    case StandardInput::null:
      prepared.owned.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      prepared.fd = prepared.owned.get();
      if (!prepared.owned) prepared.error = errno;
      break;
    case StandardInput::replay:
      prepared = prepare_replay();
      break;
  }
  used_ = true;
  return prepared;
}

Input::Prepared Input::prepare_replay() {
  Prepared prepared;
  int ends[2];
  if (recording_.error() != 0) {
    prepared.error = recording_.error();
  } else if (!watch_source() || ::pipe2(ends, O_CLOEXEC) != 0) {
    prepared.error = errno;
  } else {
    prepared.owned.reset(ends[0]);
    prepared.fd = ends[0];
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    command_.emplace(context_, ends[1]);
    offset_ = 0;
  }
  return prepared;
}

void Input::start_feeding() {
  if (!command_) return;
  feeding_ = std::make_shared<char>();
  await_command();
}

void Input::stop_feeding() {
  feeding_.reset();
  command_.reset();
  if (watcher_) watcher_->cancel();
}

// Room in the command's pipe comes first: nothing is taken from our stdin before it can be given.
void Input::await_command() {
  command_->async_wait(stream_descriptor::wait_write,
                       [this](const boost::system::error_code& error) {
                         if (!error) feed();
                       });
}

void Input::feed() {
  const bool recorded = offset_ < recording_.size();
  if (!recorded && unrecorded_.empty()) {
    if (source_ended_) return command_.reset();
    return await_source();
  }
  const std::string bytes = recorded ? recording_.read(offset_, piece) : unrecorded_;
  const ssize_t written = ::write(command_->native_handle(), bytes.data(), bytes.size());
  if (written < 0 && errno != EAGAIN && errno != EINTR) return command_.reset();  // it closed it
  const auto size = static_cast<std::size_t>(std::max<ssize_t>(written, 0));
  if (recorded) {
    offset_ += size;
  } else {
    unrecorded_.erase(0, size);
  }
  await_command();
}

// Where the recording has no room (a full disk), this attempt still gets every byte; no later one
// can, and prepare() says so.
void Input::record(std::string_view bytes) {
  if (recording_.error() != 0) {
    unrecorded_ += bytes;
  } else {
    recording_.append(bytes);
  }
}

// False with errno where no watcher can be had. A file needs none, it is always ready; nor does a
// closed descriptor.
bool Input::watch_source() {
  if (watcher_) return true;
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return false;
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0) {
    watcher_.emplace(context_, epoll.release());
  }
  return watcher_ || errno == EPERM || errno == EBADF;
}

void Input::await_source() {
  const auto take = [this, alive = std::weak_ptr(feeding_)] {
    if (alive.expired()) return;
    std::array<char, piece> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got > 0) record({buffer.data(), static_cast<std::size_t>(got)});
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) source_ended_ = true;
    feed();
  };
  if (!watcher_) return boost::asio::post(context_, take);
  watcher_->async_wait(stream_descriptor::wait_read,
                       [take](const boost::system::error_code& error) {
                         if (!error) take();
                       });
}

}  // namespace retry_exec
