#include "input.hpp"

#include "process/kernel/moment.hpp"
#include "process/kernel/open_files.hpp"
#include "process/kernel/standard_streams.hpp"

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace retry_exec {

using boost::asio::posix::stream_descriptor;

namespace {

constexpr std::size_t piece = std::size_t{64} << 10;

// Does not wait for bytes that somebody else, who reads from there too, took before us.
ssize_t read_now(std::span<char> buffer) {
  iovec all{buffer.data(), buffer.size()};
  const ssize_t got = ::preadv2(STDIN_FILENO, &all, 1, -1, RWF_NOWAIT);
  if (got >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL && errno != EPERM)) {
    return got;
  }
  const Moment moment(std::chrono::milliseconds(20));
  return ::read(STDIN_FILENO, buffer.data(), buffer.size());
}

std::string could_not(const char* what, int error) {
  return std::string("could not ") + what + ": " +
         std::strerror(error);  // NOLINT(concurrency-mt-unsafe)
}

// Can what the command inherits write where our stdin reads next?
bool is_written_elsewhere() {
  const FileId input = FileId::of(STDIN_FILENO);
  const auto files = open_files(::getpid());
  return files && std::any_of(files->begin(), files->end(), [&](const OpenFile& file) {
           return file.fd > STDERR_FILENO && file.is_written && file.id == input &&
                  (::fcntl(file.fd, F_GETFD) & FD_CLOEXEC) == 0 &&
                  share_a_position(STDIN_FILENO, file.fd);
         });
}

// What lies in a pipe that we have an end of.
std::optional<std::uint64_t> bytes_in(int pipe) {
  int bytes = 0;
  if (::ioctl(pipe, FIONREAD, &bytes) != 0 || bytes < 0) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

// When a file that can be read was written to. Nothing where that was just now: what is written
// next may get the same time, for the clock of file systems goes in steps.
std::optional<std::chrono::nanoseconds> last_written() {
  constexpr std::chrono::milliseconds step(50);
  struct stat file {};
  if ((::fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY || ::fstat(STDIN_FILENO, &file) != 0)
    return std::nullopt;
  const auto time =
      std::chrono::seconds(file.st_mtim.tv_sec) + std::chrono::nanoseconds(file.st_mtim.tv_nsec);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return time + step < now ? std::optional<std::chrono::nanoseconds>(time) : std::nullopt;
}

}  // namespace

Input::Input(boost::asio::io_context& context, std::array<const Sink*, 2> outputs)
    : context_(context), start_(::lseek(STDIN_FILENO, 0, SEEK_CUR)), look_again_(context) {
  // Devices such as /dev/null can be sought in, and nothing comes of it.
  struct stat status {};
  has_position_ = start_ >= 0 && ::fstat(STDIN_FILENO, &status) == 0 &&
                  (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (has_position_ && share_a_position(STDIN_FILENO, fd)) {
      outputs_.push_back(outputs[static_cast<std::size_t>(fd - STDOUT_FILENO)]);
    }
  }
  const int mode = ::fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE;
  stays_ = mode == O_WRONLY || (mode == O_RDWR && has_position_ && is_written_elsewhere());
}

std::uint64_t Input::written() const {
  std::uint64_t sum = 0;
  for (const Sink* output : outputs_) sum += output->written();
  return sum;
}

// By more than was written. Where all is written at the end, that cannot be told.
bool Input::has_moved() const {
  if ((::fcntl(STDIN_FILENO, F_GETFL) & O_APPEND) != 0) return false;
  return ::lseek(STDIN_FILENO, 0, SEEK_CUR) != found_ + static_cast<off_t>(written());
}

// Where it stays: whether its position moved while certainly nobody wrote to the file.
bool Input::was_read() const {
  return found_written_ && last_written() == found_written_ &&
         ::lseek(STDIN_FILENO, 0, SEEK_CUR) != found_;
}

bool Input::was_taken() const {
  if (kind_ != StandardInput::inherit) return false;
  if (!outputs_.empty()) return has_moved();
  if (stays_) return was_read();
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

bool Input::rewind() {
  if (!outputs_.empty()) {
    found_ = ::lseek(STDIN_FILENO, 0, SEEK_CUR) - static_cast<off_t>(written());
    return true;
  }
  if (stays_) {
    found_ = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    found_written_ = last_written();
    return true;
  }
  return !used_ || start_ < 0 || ::lseek(STDIN_FILENO, start_, SEEK_SET) >= 0;
}

Input::Prepared Input::prepare(StandardInput kind) {
  Prepared prepared;
  unread_.reset();
  kind_ = kind;
  switch (kind) {
    case StandardInput::inherit:
      if (start_ < 0) unread_ = settled();
      // The first attempt finds it where the caller left it; a later one where the first did.
      if (!rewind()) prepared.failure = could_not("rewind stdin", errno);
      break;
    case StandardInput::null:
      prepared.owned.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      prepared.fd = prepared.owned.get();
      if (!prepared.owned) prepared.failure = could_not("open /dev/null", errno);
      break;
    case StandardInput::replay:
      prepared = prepare_replay();
      break;
  }
  used_ = true;
  return prepared;
}

// Can no read take anything from it, as far as that can be told without taking it? nohup(1), for
// one, gives a command a stdin that is open for writing only.
bool Input::is_unreadable() {
  struct stat status {};
  const int mode = ::fcntl(STDIN_FILENO, F_GETFL);
  return (mode & O_ACCMODE) == O_WRONLY ||
         (::fstat(STDIN_FILENO, &status) == 0 && S_ISDIR(status.st_mode));
}

Input::Prepared Input::prepare_replay() {
  Prepared prepared;
  if (is_unreadable()) return prepared;  // the command finds it as it is, and what it says of that
  if (recording_.failed()) {
    prepared.failure = "could not provide standard input: " + recording_.failure();
  } else {
    prepared.failure = pipe_to_command(prepared);
  }
  return prepared;
}

// Returns why there is none, if so.
std::string Input::pipe_to_command(Prepared& prepared) {
  int ends[2];
  if (!watch_source() || ::pipe2(ends, O_CLOEXEC) != 0) {
    return could_not("provide standard input", errno);
  }
  // Reading goes on behind what was recorded, wherever the attempt before left the file.
  if (used_ && rests_where_left()) {
    ::lseek(STDIN_FILENO, start_ + static_cast<off_t>(recording_.size()), SEEK_SET);
  }
  prepared.owned.reset(ends[0]);
  prepared.fd = ends[0];
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  command_.emplace(context_, ends[1]);
  offset_ = 0;
  left_.reset();
  unread_by_command_.reset();
  read_ahead_ = 0;
  return {};
}

void Input::start_feeding(std::function<void(std::string)> failed) {
  if (!command_) return;
  failed_ = std::move(failed);
  feeding_ = std::make_shared<char>();
  await_command();
}

void Input::stop_feeding() {
  if (feeding_) settle_position();
  feeding_.reset();
  command_.reset();
  left_.reset();
  look_again_.cancel();
  if (watcher_) watcher_->cancel();
}

bool Input::rests_where_left() const {
  return has_position_ && outputs_.empty() && !stays_;
}

// The command closed its stdin.
void Input::close_pipe() {
  unread_by_command_ = bytes_in(command_->native_handle());
  command_.reset();
}

// With a reading end of ours, what the command leaves in the pipe can be told once it has ended.
void Input::end_of_input() {
  const std::string pipe = "/proc/self/fd/" + std::to_string(command_->native_handle());
  left_.reset(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  command_.reset();
}

// What we took and the command did not: a file gives it again, to whoever reads on; a pipe does
// not.
void Input::settle_position() {
  if (command_) unread_by_command_ = bytes_in(command_->native_handle());
  if (left_) unread_by_command_ = bytes_in(left_.get());
  if (!unread_by_command_ || recording_.failed()) return;
  const std::uint64_t read = offset_ - std::min(offset_, *unread_by_command_);
  if (!rests_where_left()) {
    read_ahead_ = recording_.size() - read;
  } else {
    ::lseek(STDIN_FILENO, start_ + static_cast<off_t>(read), SEEK_SET);
  }
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
    if (source_error_ != 0) return fail_once_read(false);
    if (source_ended_) return end_of_input();
    return await_source();
  }
  const SpillBuffer::Piece kept =
      recorded ? recording_.read(offset_, piece) : SpillBuffer::Piece{unrecorded_};
  if (kept.error != 0) return fail(could_not("read back what was recorded of stdin", kept.error));
  const std::string& bytes = kept.bytes;
  const ssize_t written = ::write(command_->native_handle(), bytes.data(), bytes.size());
  if (written < 0 && errno != EAGAIN && errno != EINTR) return close_pipe();  // it closed it
  const auto size = static_cast<std::size_t>(std::max<ssize_t>(written, 0));
  if (recorded) {
    offset_ += size;
  } else {
    unrecorded_.erase(0, size);
  }
  await_command();
}

void Input::fail(std::string why) {
  if (const auto failed = std::exchange(failed_, {})) failed(std::move(why));
}

// We read ahead: a command that does not come to where the read failed, or ends there, has not
// failed either.
void Input::fail_once_read(bool was_empty) {
  const int pipe = command_->native_handle();
  pollfd request{pipe, 0, 0};
  if (::poll(&request, 1, 0) == 1) return close_pipe();  // nobody reads it any more
  const bool is_empty = bytes_in(pipe).value_or(0) == 0;
  if (is_empty && was_empty) return fail(could_not("read stdin", source_error_));
  look_again_.expires_after(std::chrono::milliseconds(50));
  look_again_.async_wait([this, is_empty, alive = std::weak_ptr(feeding_)](const auto& error) {
    if (!error && !alive.expired()) fail_once_read(is_empty);
  });
}

// Where the recording has no more room, this attempt still gets every byte; no later one can, and
// prepare() says so.
void Input::record(std::string_view bytes) {
  recording_.append(bytes);
  if (recording_.failed()) unrecorded_ += bytes;
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
    // The stack may be smaller than this (ulimit -s).
    const auto buffer = std::make_unique_for_overwrite<char[]>(piece);
    const ssize_t got =
        watcher_ ? read_now({buffer.get(), piece}) : ::read(STDIN_FILENO, buffer.get(), piece);
    if (got > 0) record({buffer.get(), static_cast<std::size_t>(got)});
    if (got == 0) source_ended_ = true;
    if (got < 0 && errno != EAGAIN && errno != EINTR) source_error_ = errno;
    feed();
  };
  if (!watcher_) return boost::asio::post(context_, take);
  watcher_->async_wait(stream_descriptor::wait_read,
                       [take](const boost::system::error_code& error) {
                         if (!error) take();
                       });
}

}  // namespace retry_exec
