#include "countdown.hpp"

#include <retry_exec/quantity.hpp>
#include <retry_exec/write.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace retry_exec {

using namespace std::chrono_literals;

boost::asio::awaitable<std::optional<int>> count_down(Supervisor& supervisor, Duration duration) {
  if (duration < 2s) co_return co_await supervisor.wait(duration);
  const TimePoint end = Clock::now() + duration;
  std::optional<int> signal;
  for (Duration left = duration; left > Duration::zero() && !signal; left = end - Clock::now()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(left);
    // A terminal that takes nothing holds up neither the wait nor a signal.
    write_all(STDERR_FILENO, "\r\x1b[Kretry-exec: next attempt in " + format_duration(seconds),
              Clock::now());
    signal = co_await supervisor.wait(left - (seconds - 1s));
  }
  write_all(STDERR_FILENO, "\r\x1b[K", Clock::now());
  co_return signal;
}

}  // namespace retry_exec
