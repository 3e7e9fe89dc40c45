// Carrying one stream of the command from its pipe to where it goes, and keeping its end.
#pragma once

#include "capture.hpp"
#include "held_output.hpp"
#include "sink.hpp"
#include "values/unique_fd.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace retry_exec {

class Pump {
 public:
  struct Ends {
    Sink* sink = nullptr;        // pass on; or
    HeldOutput* held = nullptr;  // keep aside; or neither
  };
  struct Callbacks {
    std::function<void(std::string_view)> bytes;  // each piece as it arrives (may be empty)
    std::function<void()> activity;               // something arrived, or went on its way
    std::function<void()> ended;                  // end of file, or the reader of the sink has gone
  };

  // `source` is the reading end of a pipe, or the master of a pseudo-terminal, and ours alone.
  Pump(boost::asio::io_context& context, UniqueFd source, Ends ends, std::size_t capture_limit,
       Callbacks callbacks);
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;
  ~Pump();

  void start();

  // The command itself has ended: what is in the pipe now is still its own. From now on it is known
  // when something came last, that is at the earliest now.
  void note_exit();
  TimePoint last_arrival() const { return last_arrival_; }
  // What is in the pipe now shall still be carried, whatever comes later. At note_exit() it was so.
  void note_owed();
  bool carried_all_owed() const { return carried_ >= owed_; }
  // Is there anything in the source, be it the end, that has not been read yet?
  bool has_news();
  // Looks for the end of the stream without waiting to be told: after the command's exit it is
  // usually there.
  void look_for_end();
  // Stops reading; `ended` is called.
  void close();

  bool ended() const { return ended_; }
  // Do we have bytes that nobody reads? The source is then not read, and its writer blocks on us.
  bool held_up() const;
  bool reader_gone() const { return reader_gone_; }
  // errno of the read that could not take output from the command, or 0.
  int source_error() const { return source_error_; }
  // errno of the write that could not pass output on, or 0.
  int sink_error() const { return sink_error_; }
  // At the end, once.
  CapturedStream captured() { return capture_.take(); }

 private:
  void await_source();
  void await_sink();
  short poll_source();
  ssize_t read_piece();
  void read_some();
  void note_arrival();
  void keep_line_whole(std::size_t got);
  bool finish_line();
  std::size_t unwritten() const { return joined_.size() + pending_.size() + torn_.size(); }
  bool write_some(std::string_view& bytes);
  void write_pending();
  void note_carried(std::size_t size);
  void end();
  bool start_moving();
  void move_some();
  void stop_moving();
  void recall(int pipe, std::size_t left);

  boost::asio::posix::stream_descriptor source_;
  Ends ends_;
  Capture capture_;
  Callbacks callbacks_;
  // Read, not yet written, in this order. A line whose middle our own reads would become the border
  // of two writes is put together: into a pipe, short lines go whole.
  std::string joined_;
  std::string_view pending_;  // points into the capture's ring
  std::string torn_;          // the start of a line whose rest is waiting in the source
  std::uint64_t carried_ = 0;
  std::uint64_t owed_ = 0;
  bool after_exit_ = false;
  TimePoint last_arrival_{};
  unsigned full_reads_ = 0;
  std::size_t last_room_ = 0;  // the most that the last read could have taken
  bool ended_ = false;
  bool reader_gone_ = false;
  int source_error_ = 0;
  int sink_error_ = 0;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // the sink may call after our end

  // While much flows from pipe to pipe, bytes are moved by the kernel, and a copy of their
  // references waits in `recent_` so that the end of the stream is not lost.
  struct Recent;
  std::unique_ptr<Recent> recent_;
};

}  // namespace retry_exec
