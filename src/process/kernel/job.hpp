// The command as a job at our terminal: stopped and continued as a shell's own would be.
#pragma once

#include <sys/types.h>

namespace retry_exec {

class Job {
 public:
  explicit Job(bool own_group) : own_group_(own_group) {}

  // A command that the terminal stopped (it read it from the background, or stopped itself as
  // editors do) stops us, so that a process that watches us sees a stopped job and can put it in
  // the foreground.
  void look_for_stop(pid_t command);
  // The command has ended. Returns whether the terminal had been lent to it.
  bool take_terminal_back(pid_t command);

 private:
  const bool own_group_;
  bool has_terminal_ = false;  // its group is the foreground group, in place of ours
};

}  // namespace retry_exec
