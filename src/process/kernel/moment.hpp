// A system call that must not block for long, on a descriptor that cannot be made non-blocking.
#pragma once

#include <chrono>
#include <csignal>
#include <ctime>

namespace retry_exec {

// While it lives, a call that blocks ends after `limit` with what it has done, or with EINTR.
// O_NONBLOCK is not used: it belongs to the open file description, which others share. Signals do
// not end such a call, for all that we act on are blocked (signalfd(2)); this one is not meanwhile.
class Moment {
 public:
  explicit Moment(std::chrono::milliseconds limit);
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;
  ~Moment();

 private:
  bool runs_ = false;
  timer_t timer_{};
  struct sigaction action_ {};
  sigset_t mask_{};
};

}  // namespace retry_exec
