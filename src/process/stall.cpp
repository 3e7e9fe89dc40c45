#include "stall.hpp"

#include <algorithm>
#include <utility>

namespace retry_exec {

using namespace std::chrono_literals;

Duration StallDetector::interval() const {
  return std::max<Duration>(limit_ / 10, 250ms);
}

void StallDetector::restart(TimePoint now) {
  began_ = false;
  looked_at_ = now;
}

Duration StallDetector::observe(TimePoint now, const Activity& activity) {
  constexpr Duration tick = 10ms;
  // After a longer pause than that it is us who stood still: a stopped job, a suspended machine.
  const bool watched = began_ && now - looked_at_ < 4 * interval();
  const Duration worked = activity.processor_time - processor_time_;
  const bool moved = !watched || activity.processes != last_.processes ||
                     activity.bytes != last_.bytes || worked > tick + (now - moved_at_) / 100;
  if (moved) {
    moved_at_ = now;
    processor_time_ = activity.processor_time;
  } else if (activity.waits_for_processor) {
    moved_at_ += now - looked_at_;
  }
  began_ = true;
  looked_at_ = now;
  last_ = activity;
  return now - moved_at_;
}

}  // namespace retry_exec
