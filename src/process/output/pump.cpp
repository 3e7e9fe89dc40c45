#include "pump.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace retry_exec {

namespace {

using boost::asio::posix::stream_descriptor;

constexpr int large_pipe = 1 << 20;  // the most that an unprivileged process may ask for: pipe(7)

// After so many reads that filled the buffer a stream counts as a flood.
constexpr unsigned flood = 8;

std::size_t bytes_waiting(int pipe) {
  int waiting = 0;
  return ::ioctl(pipe, FIONREAD, &waiting) == 0 ? static_cast<std::size_t>(waiting) : 0;
}

}  // namespace

// References to the last bytes that were moved, in two pipes: from `newer` they go on to `older`,
// and from there nowhere. Together they always hold more than one pipe's capacity.
struct Pump::Recent {
  struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
    std::size_t size = 0;

    bool open() {
      int ends[2];
      if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
      read_end.reset(ends[0]);
      write_end.reset(ends[1]);
      return ::fcntl(ends[1], F_SETPIPE_SZ, large_pipe) >= large_pipe;
    }
    bool has_room() const { return size + Capture::chunk <= std::size_t{large_pipe}; }
  };

  Pipe newer;
  Pipe older;
  UniqueFd nowhere;       // /dev/null
  std::size_t ahead = 0;  // bytes at the end of `newer` that were not yet moved on to the sink
  std::uint64_t dropped = 0;

  static bool shift(int from, std::size_t& from_size, int to) {
    const ssize_t moved =
        ::splice(from, nullptr, to, nullptr, Capture::chunk, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved > 0) from_size -= static_cast<std::size_t>(moved);
    return moved > 0;
  }

  bool make_room() {
    while (!newer.has_room()) {
      if (!older.has_room()) {
        const std::size_t before = older.size;
        if (!shift(older.read_end.get(), older.size, nowhere.get())) return false;
        dropped += before - older.size;
      }
      const std::size_t before = newer.size;
      if (!shift(newer.read_end.get(), newer.size, older.write_end.get())) return false;
      older.size += before - newer.size;
    }
    return true;
  }
};

Pump::Pump(boost::asio::io_context& context, UniqueFd source, Ends ends, std::size_t capture_limit,
           Callbacks callbacks)
    : source_(context, source.release()),
      ends_(ends),
      capture_(capture_limit),
      callbacks_(std::move(callbacks)) {}

Pump::~Pump() = default;

void Pump::start() {
  await_source();
}

void Pump::await_source() {
  source_.async_wait(stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error || ended_) return;  // closed by us
    if (recent_) {
      move_some();
    } else {
      read_some();
    }
  });
}

void Pump::await_sink() {
  ends_.sink->when_writable([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || ended_) return;
    if (recent_) {
      move_some();
    } else {
      write_pending();
    }
  });
}

// Reads a piece into the capture and returns what read(2) did. The first comes by way of the stack:
// most streams of most commands are empty, and have no use for a ring.
ssize_t Pump::read_piece() {
  const int source = source_.native_handle();
  if (capture_.total() != 0) {
    const std::span<char> room = capture_.prepare();
    last_room_ = room.size();
    const ssize_t got = ::read(source, room.data(), room.size());
    if (got > 0) pending_ = capture_.commit(static_cast<std::size_t>(got));
    return got;
  }
  std::array<char, 4096> first;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  last_room_ = first.size();
  const ssize_t got = ::read(source, first.data(), first.size());
  if (got > 0) pending_ = capture_.append({first.data(), static_cast<std::size_t>(got)});
  return got;
}

void Pump::read_some() {
  const ssize_t got = read_piece();
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return await_source();
  if (got < 0 && errno != EIO) source_error_ = errno;  // EIO: a pseudo-terminal's end of file
  if (got <= 0) return end();
  const auto size = static_cast<std::size_t>(got);
  note_arrival();
  if (callbacks_.bytes) callbacks_.bytes(pending_);
  if (ends_.held != nullptr) {
    if (!ends_.held->state) ends_.held->state = std::make_unique<HeldOutput::State>();
    ends_.held->state->buffer.append(pending_);
    if (ends_.held->state->buffer.failed()) return end();
  }
  full_reads_ = size == Capture::chunk ? full_reads_ + 1 : 0;
  if (full_reads_ == 1) ::fcntl(source_.native_handle(), F_SETPIPE_SZ, large_pipe);
  if (ends_.sink == nullptr) {
    note_carried(size);
    pending_ = {};
    return await_source();
  }
  keep_line_whole(size);
  write_pending();
}

void Pump::note_arrival() {
  if (callbacks_.activity) callbacks_.activity();
  if (after_exit_) last_arrival_ = Clock::now();
}

// A read that took less than there was may have ended within a line that was written whole; where
// it took all that was there, the writer stopped there itself.
void Pump::keep_line_whole(std::size_t got) {
  if (!ends_.sink->is_pipe()) return;
  if (!torn_.empty()) {
    const std::size_t room = PIPE_BUF - torn_.size();
    const std::size_t end = pending_.substr(0, room).find('\n');
    const std::size_t rest = end != std::string_view::npos ? end + 1 : pending_.size();
    joined_ = std::exchange(torn_, {});
    if (rest <= room) {
      joined_ += pending_.substr(0, rest);
      pending_.remove_prefix(rest);
    }
  }
  if (got < last_room_ || bytes_waiting(source_.native_handle()) == 0) return;
  if (pending_.empty()) {
    if (!joined_.ends_with('\n')) torn_ = std::exchange(joined_, {});
    return;
  }
  const std::size_t start = pending_.rfind('\n') + 1;  // npos + 1 is 0
  if (pending_.size() - start >= PIPE_BUF) return;
  torn_ = pending_.substr(start);
  pending_.remove_suffix(torn_.size());
}

// Before bytes are moved that nobody looks at. What a small write left in a pipe is never spread
// over two of its buffers (pipe_write() of Linux), and buffers are moved whole.
bool Pump::finish_line() {
  if (torn_.empty()) return false;
  while (torn_.size() < PIPE_BUF && !torn_.ends_with('\n')) {
    const std::span<char> room = capture_.prepare();
    if (::read(source_.native_handle(), room.data(), 1) != 1) break;
    torn_ += capture_.commit(1);
  }
  joined_ = std::exchange(torn_, {});
  return true;
}

// Whether all of it was written; if not, what follows has been seen to.
bool Pump::write_some(std::string_view& bytes) {
  while (!bytes.empty()) {
    const std::size_t before = bytes.size();
    const Sink::Result result = ends_.sink->write_some(bytes);
    if (before != bytes.size()) note_carried(before - bytes.size());
    switch (result) {
      case Sink::Result::wrote:
        break;
      case Sink::Result::would_block:
        await_sink();
        return false;
      case Sink::Result::reader_gone:
        reader_gone_ = true;
        end();
        return false;
      case Sink::Result::failed:
        sink_error_ = ends_.sink->error();
        end();
        return false;
    }
  }
  return true;
}

void Pump::write_pending() {
  do {
    std::string_view joined = joined_;
    const bool wrote = write_some(joined);
    joined_.erase(0, joined_.size() - joined.size());
    if (!wrote || !write_some(pending_)) return;
  } while (full_reads_ >= flood && finish_line());
  if (full_reads_ >= flood && start_moving()) return move_some();
  await_source();
}

bool Pump::start_moving() {
  full_reads_ = 0;
  if (callbacks_.bytes || !ends_.sink->is_pipe()) return false;
  auto recent = std::make_unique<Recent>();
  recent->nowhere.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!recent->nowhere || !recent->newer.open() || !recent->older.open()) return false;
  recent_ = std::move(recent);
  return true;
}

void Pump::move_some() {
  Recent& recent = *recent_;
  const int source = source_.native_handle();
  // Bounded, so that signals and timers are served while bytes never stop coming.
  for (int round = 0; round < 64; ++round) {
    if (recent.ahead == 0) {
      if (!recent.make_room()) return stop_moving();
      const ssize_t copied =
          ::tee(source, recent.newer.write_end.get(), large_pipe, SPLICE_F_NONBLOCK);
      // Nothing there; or many small pieces, of which `newer` can refer to no more: they are few
      // bytes, so reading them is cheap, and the promised end of the stream is kept.
      if (copied < 0 && errno == EAGAIN && bytes_waiting(source) == 0) return await_source();
      if (copied <= 0) return stop_moving();
      note_arrival();
      recent.ahead = static_cast<std::size_t>(copied);
      recent.newer.size += recent.ahead;
    }
    const auto moved = ends_.sink->move_from(source, recent.ahead);
    if (!moved) return stop_moving();
    if (moved->result == Sink::Result::reader_gone) {
      reader_gone_ = true;
      return end();
    }
    if (moved->result == Sink::Result::would_block) return await_sink();
    recent.ahead -= moved->size;
    note_carried(moved->size);
  }
  await_source();
}

// Back to plain reading: what the references still hold becomes the end of the capture. Bytes that
// were copied but not moved on are left out, for they will be read again.
void Pump::stop_moving() {
  const std::unique_ptr<Recent> recent = std::move(recent_);
  if (recent->dropped != 0) capture_.skip(recent->dropped);
  recall(recent->older.read_end.get(), recent->older.size);
  recall(recent->newer.read_end.get(), recent->newer.size - recent->ahead);
  if (!ended_) read_some();
}

void Pump::recall(int pipe, std::size_t left) {
  while (left != 0) {
    const std::span<char> room = capture_.prepare();
    const ssize_t got = ::read(pipe, room.data(), std::min(room.size(), left));
    if (got <= 0) return;
    capture_.commit(static_cast<std::size_t>(got));
    left -= static_cast<std::size_t>(got);
  }
}

// A command that we blocked until now had no time to print: its silence begins here.
void Pump::note_carried(std::size_t size) {
  carried_ += size;
  if (callbacks_.activity) callbacks_.activity();
}

bool Pump::held_up() const {
  return !ended_ && (unwritten() != 0 || (recent_ && recent_->ahead != 0));
}

void Pump::note_exit() {
  after_exit_ = true;
  last_arrival_ = Clock::now();
  note_owed();
}

void Pump::note_owed() {
  if (!ended_) owed_ = carried_ + unwritten() + bytes_waiting(source_.native_handle());
}

short Pump::poll_source() {
  pollfd request{source_.native_handle(), POLLIN, 0};
  return ::poll(&request, 1, 0) == 1 ? request.revents : 0;
}

bool Pump::has_news() {
  return poll_source() != 0;
}

void Pump::look_for_end() {
  if (ended_ || recent_ || unwritten() != 0 || owed_ != carried_) return;
  // POLLHUP alone: nothing to read, and nobody who could still write.
  if (poll_source() == POLLHUP) end();
}

void Pump::close() {
  if (!ended_) end();
}

void Pump::end() {
  if (ended_) return;
  ended_ = true;
  if (recent_) stop_moving();
  boost::system::error_code ignored;
  source_.close(ignored);
  callbacks_.ended();
}

}  // namespace retry_exec
