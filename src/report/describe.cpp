#include <retry_exec/report.hpp>

namespace retry_exec {

namespace {

std::string limit(const std::optional<Duration>& duration, std::string_view of) {
  return duration ? ", " + exact_duration(*duration) + ' ' + std::string(of) : std::string();
}

}  // namespace

std::string describe(const Policy& policy) {
  std::string text = policy.attempts == 0 ? "unlimited attempts"
                     : policy.attempts == 1
                         ? "1 attempt"
                         : "up to " + std::to_string(policy.attempts) + " attempts";
  if (policy.attempts != 1) {
    text += ", " + std::string(to_string(policy.backoff)) + " waits from " +
            exact_duration(policy.delay);
    if (policy.backoff == Growth::linear || policy.backoff == Growth::exponential) {
      text += " by " + format_number(policy.factor);
    }
    text += policy.max_delay == unlimited ? " without an upper limit"
                                          : " up to " + exact_duration(policy.max_delay);
    text += ", jitter " + to_string(policy.jitter);
  }
  const bool limited = policy.timeout || policy.idle_timeout || policy.deadline;
  if (limited && policy.kill_after != Policy{}.kill_after) {
    text += ", KILL " + exact_duration(policy.kill_after) + " after the first signal";
  }
  return text + limit(policy.timeout, "an attempt") + limit(policy.idle_timeout, "without output") +
         limit(policy.stall_timeout, "without movement") + limit(policy.deadline, "in all");
}

}  // namespace retry_exec
