#include <retry_exec/policy.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <utility>

namespace retry_exec {

namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Clamped before the conversion: a double beyond 64 bits of nanoseconds has no Duration.
Duration duration_of(double seconds, Duration at_most) {
  const double most = std::chrono::duration<double>(at_most).count();
  if (!(seconds < most)) return at_most;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::max(0.0, seconds)));
}

Duration sum(Duration a, Duration b) {
  return b > Duration::max() - a ? Duration::max() : a + b;
}

// The n-th wait as growth alone has it, in seconds; may be infinite.
double grown(const Policy& policy, unsigned n) {
  const double delay = seconds(policy.delay);
  if (delay == 0) return 0;  // also where the factor's power is infinite
  switch (policy.backoff) {
    case Growth::constant:
      return delay;
    case Growth::linear:
      return delay * n;
    case Growth::exponential:
      return delay * std::pow(policy.factor, n - 1);
    case Growth::decorrelated:
      return delay * std::pow(3, n - 1);  // its upper edge
  }
  return delay;
}

}  // namespace

Random seeded_random(std::uint64_t seed) {
  auto engine = std::make_shared<std::mt19937_64>(seed);
  // 53 bits, the precision of a double: the same on every machine, which
  // std::uniform_real_distribution does not promise.
  return [engine] { return static_cast<double>((*engine)() >> 11) * 0x1.0p-53; };
}

Backoff::Backoff(Policy policy, Random random) : policy_(policy), random_(std::move(random)) {}

Duration Backoff::longest(unsigned n) const {
  const Duration wait = duration_of(grown(policy_, n), policy_.max_delay);
  switch (policy_.jitter.kind) {
    case Jitter::Kind::percent:
      return duration_of(seconds(wait) * (1 + policy_.jitter.percent / 100), policy_.max_delay);
    case Jitter::Kind::added:
      return sum(wait, policy_.jitter.added);
    default:
      return wait;
  }
}

Duration Backoff::next(std::optional<Duration> floor) {
  ++waits_;
  double wait = seconds(duration_of(grown(policy_, waits_), policy_.max_delay));
  if (policy_.backoff == Growth::decorrelated) {
    const double least = seconds(policy_.delay);
    const double most = std::max(least, 3 * (waits_ == 1 ? least : seconds(previous_)));
    wait = std::min(least + (most - least) * random_(), seconds(policy_.max_delay));
  }
  switch (policy_.jitter.kind) {
    case Jitter::Kind::none:
      break;
    case Jitter::Kind::equal:
      wait = wait / 2 + wait / 2 * random_();
      break;
    case Jitter::Kind::full:
      wait *= random_();
      break;
    case Jitter::Kind::percent:
      wait *= 1 + policy_.jitter.percent / 100 * (2 * random_() - 1);
      wait = std::min(wait, seconds(policy_.max_delay));
      break;
    case Jitter::Kind::added:
      wait += seconds(policy_.jitter.added) * random_();
      break;
  }
  previous_ = duration_of(wait, sum(policy_.max_delay, policy_.jitter.added));
  if (!floor || *floor <= previous_) return previous_;
  return *floor + duration_of(seconds(*floor) / 10 * random_(), Duration::max() - *floor);
}

}  // namespace retry_exec
