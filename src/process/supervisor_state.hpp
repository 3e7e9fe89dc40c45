// What a Supervisor owns once per process, as its running attempts see it.
#pragma once

#include "input.hpp"
#include "process/kernel/signals.hpp"
#include "process/output/sink.hpp"

#include <retry_exec/process.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/types.h>
#include <termios.h>

#include <optional>
#include <vector>

namespace retry_exec {

class RunningAttempt;

struct Supervisor::State {
  explicit State(boost::asio::io_context& one_thread);

  void on_signal(SignalSource::Received received);
  // Did a process of an attempt mean its group, which is ours, and not us (`kill 0`)?
  bool is_for_attempt(SignalSource::Received received) const;
  void on_end_request(SignalSource::Received received);
  void on_stop(SignalSource::Received received);
  bool parent_has_ended() const;
  void on_parent_end();
  // After a failed attempt, once it is clear that another follows: as bare, the last one's stay.
  void put_terminal_modes_back();
  // What is there now was not started by the attempt that is about to begin.
  void spare_what_is_there();

  boost::asio::io_context& context;
  bool foreground;               // commands share our process group
  std::optional<termios> modes;  // of our terminal, when the attempt began in its foreground
  bool modes_may_be_off = false;
  SignalSource signals;
  Sink standard_output;
  Sink standard_error;
  Input input;
  std::vector<pid_t> spared;  // children that were there before what runs now: not ours to end
  std::vector<RunningAttempt*> running;
  std::vector<boost::asio::steady_timer*> waits;
  std::optional<pid_t> parent;  // whose end is ours; getppid() at our start
  bool told_of_parent = false;
  std::optional<int> interrupted_by;
  TimePoint interrupted_at{};
};

}  // namespace retry_exec
