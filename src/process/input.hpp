// Our standard input, as each attempt of the command gets it.
#pragma once

#include "process/kernel/unread.hpp"
#include "process/output/sink.hpp"
#include "process/output/spill_buffer.hpp"
#include "values/unique_fd.hpp"

#include <retry_exec/process.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

class Input {
 public:
  // `outputs` are what goes to our stdout and stderr.
  Input(boost::asio::io_context& context, std::array<const Sink*, 2> outputs);

  // What the next attempt's command shall have as its descriptor 0: 0 itself, or `owned`.
  struct Prepared {
    int fd = 0;
    UniqueFd owned;
    std::string failure;  // why there is nothing that it could be given
  };
  Prepared prepare(StandardInput kind);

  // Replay only: between the start of the command and its end, feeds what earlier attempts read,
  // then what they did not. `failed` is told, once, why the command can get no more, when it has
  // read what there was: the end that it would find then is none. It has to be ended, and its end
  // stays hidden until stop_feeding().
  void start_feeding(std::function<void(std::string why)> failed);
  void stop_feeding();

  // Has the attempt whose command was given our own pipe or socket, or a file that cannot be
  // rewound, certainly read from it?
  bool was_taken() const;

  // Replay: what was read of a pipe or a socket and given to nobody, as far as that is known. A
  // file's position stands where the command left it.
  std::uint64_t read_ahead() const { return read_ahead_; }

 private:
  Prepared prepare_replay();
  static bool is_unreadable();
  std::string pipe_to_command(Prepared& prepared);
  static std::optional<Unread> settled();
  bool rewind();
  void end_of_input();
  void close_pipe();
  void settle_position();
  bool rests_where_left() const;
  std::uint64_t written() const;
  bool has_moved() const;
  bool was_read() const;
  void feed();
  void record(std::string_view bytes);
  void await_command();
  bool watch_source();
  void await_source();
  void fail(std::string why);
  void fail_once_read(bool was_empty);

  boost::asio::io_context& context_;
  off_t start_ = -1;           // where a seekable stdin stood when we were started
  bool has_position_ = false;  // it is a file, which can be read again
  // Outputs that were opened as one with it (`<>file >&0`): to rewind it would be to write over
  // what was printed.
  std::vector<const Sink*> outputs_;
  off_t found_ = 0;  // where it stood when the attempt began, less what they had written
  // Written to by a descriptor that is not one of our outputs (`3<>file <&3`), or not open for
  // reading: to rewind it would be to write over that.
  bool stays_ = false;
  std::optional<std::chrono::nanoseconds> found_written_;  // where it stays: when, before that
  StandardInput kind_ = StandardInput::inherit;  // what the attempt was given
  bool used_ = false;
  std::optional<Unread> unread_;  // as the attempt found it; nothing: it cannot miss any

  // Replay. The recording is bounded in memory and spills to an unlinked file.
  SpillBuffer recording_;
  std::string unrecorded_;  // read, not recorded, not yet given
  bool source_ended_ = false;
  int source_error_ = 0;      // errno of the read that failed: what lies behind cannot be known
  std::uint64_t offset_ = 0;  // how much of the recording the command has been given
  std::optional<boost::asio::posix::stream_descriptor> command_;  // writing end of its stdin
  std::optional<boost::asio::posix::stream_descriptor> watcher_;  // epoll of ours on descriptor 0
  UniqueFd left_;  // reading end of its stdin, once nothing more is written: what lies in it?
  std::optional<std::uint64_t> unread_by_command_;  // of what it was given
  std::uint64_t read_ahead_ = 0;
  boost::asio::steady_timer look_again_;
  std::function<void(std::string)> failed_;
  std::shared_ptr<char> feeding_;  // gone once the attempt is over
};

}  // namespace retry_exec
