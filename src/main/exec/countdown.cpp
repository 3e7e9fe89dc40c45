#include "main/exec/countdown.hpp"

#include "main/voice.hpp"

#include <retry_exec/quantity.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace retry_exec {

namespace {

// A terminal that takes nothing holds up neither the wait nor a signal; one that other jobs have is
// theirs.
void write_over(std::string_view text) {
  if (::tcgetpgrp(STDERR_FILENO) != ::getpgrp()) return;
  print_status("\r\x1b[K" + std::string(text), Clock::now());
}

}  // namespace

using namespace std::chrono_literals;

boost::asio::awaitable<std::optional<int>> count_down(Supervisor& supervisor, Duration duration) {
  if (duration < 2s) co_return co_await supervisor.wait(duration);
  const TimePoint end = later(Clock::now(), duration);
  std::optional<int> signal;
  for (Duration left = duration; left > Duration::zero() && !signal; left = end - Clock::now()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(left);
    write_over("retry-exec: next attempt in " + format_duration(seconds));
    signal = co_await supervisor.wait(left - (seconds - 1s));
  }
  write_over("");
  co_return signal;
}

}  // namespace retry_exec
