#include "publish/run/budget.hpp"

namespace retry_exec::publish {

void Budget::refill(TimePoint now) {
  if (filled_ == TimePoint{}) filled_ = now;
  const std::chrono::duration<double> passed = now - filled_;
  tokens_ = std::min(capacity, tokens_ + passed.count() * tokens_a_second);
  filled_ = now;
}

TimePoint Budget::take(TimePoint now) {
  refill(now);
  tokens_ -= 1;
  if (tokens_ >= 0) return now;
  const std::chrono::duration<double> until(-tokens_ / tokens_a_second);
  return now + std::chrono::duration_cast<Duration>(until);
}

void Budget::refund(TimePoint now) {
  refill(now);
  tokens_ = std::min(capacity, tokens_ + 1);
}

TimePoint RegistryStates::paused_until(std::span<const std::string> hosts) {
  TimePoint until{};
  for (const std::string& host : hosts) until = std::max(until, of(host).paused_until);
  return until;
}

}  // namespace retry_exec::publish
