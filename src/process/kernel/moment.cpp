#include "process/kernel/moment.hpp"

#include <cerrno>

namespace retry_exec {

namespace {

constexpr int wakes = SIGSTKFLT;  // nobody sends it: signal(7)

}  // namespace

Moment::Moment(std::chrono::milliseconds limit) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = wakes;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) return;
  runs_ = true;
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(wakes, &action, &action_);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, wakes);
  ::sigprocmask(SIG_UNBLOCK, &set, &mask_);
  const auto nanoseconds = std::chrono::nanoseconds(limit).count();
  constexpr long second = 1'000'000'000;
  const timespec every{static_cast<std::time_t>(nanoseconds / second),
                       static_cast<long>(nanoseconds % second)};
  const itimerspec times{every, every};  // again, should the first come before the call
  ::timer_settime(timer_, 0, &times, nullptr);
}

Moment::~Moment() {
  if (!runs_) return;
  const int error = errno;  // of the call that it was for
  ::timer_delete(timer_);
  ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  ::sigaction(wakes, &action_, nullptr);
  errno = error;
}

}  // namespace retry_exec
