#include <retry_exec/report.hpp>

#include <array>
#include <cstdio>

namespace retry_exec {

namespace {

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", value);
  return text.data();
}

std::string limit(const std::optional<Duration>& duration, std::string_view of) {
  return duration ? ", " + format_duration(*duration) + ' ' + std::string(of) : std::string();
}

}  // namespace

std::string describe(const Policy& policy) {
  std::string text = policy.attempts == 0 ? "attempts without end"
                     : policy.attempts == 1
                         ? "1 attempt"
                         : "up to " + std::to_string(policy.attempts) + " attempts";
  if (policy.attempts != 1) {
    text += ", " + std::string(to_string(policy.backoff)) + " waits from " +
            format_duration(policy.delay);
    if (policy.backoff == Growth::linear || policy.backoff == Growth::exponential) {
      text += " by " + number(policy.factor);
    }
    text += " up to " + format_duration(policy.max_delay) + ", jitter " + to_string(policy.jitter);
  }
  return text + limit(policy.timeout, "an attempt") + limit(policy.idle_timeout, "without output") +
         limit(policy.stall_timeout, "without movement") + limit(policy.deadline, "in all");
}

}  // namespace retry_exec
