// The command as a job at our terminal: stopped and continued as a shell's own would be.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/types.h>

#include <functional>
#include <utility>

namespace retry_exec {

// A command may leave the group that it was given (setpgid(2), setsid(2)), or lead one where it was
// to share ours, as timeout(1) does.
bool leads_group(pid_t command);

// To the group that it leads, or to it alone.
void signal_command(pid_t command, int signal);

class Job {
 public:
  // `output_waits`: has it printed what we have not passed on yet?
  Job(boost::asio::io_context& context, bool own_group, std::function<bool()> output_waits)
      : own_group_(own_group), output_waits_(std::move(output_waits)), timer_(context) {}

  // A command that the terminal stopped (Ctrl-Z, or it read it from the background) or that stopped
  // itself, as editors do, stops us, once we have passed on what it printed, so that a process that
  // watches us sees a stopped job and can put it in the foreground.
  void look_for_stop(pid_t command);
  // TSTP was sent to us. The command gets it, and the rest of its group once that is stopped by it:
  // where it is not, because it has another use for TSTP, the children that it waits for shall go
  // on, too.
  void ask_to_stop(pid_t command);
  // A stop that comes later is not the answer to that.
  void note_continued() { asked_to_stop_ = false; }
  // The command has ended. Returns whether the terminal had been lent to it.
  bool take_terminal_back(pid_t command);

 private:
  void stop_behind(pid_t command, int signal);

  const bool own_group_;
  const std::function<bool()> output_waits_;
  boost::asio::steady_timer timer_;
  int looks_ = 0;
  bool asked_to_stop_ = false;
  bool has_terminal_ = false;  // its group is the foreground group, in place of ours
};

}  // namespace retry_exec
