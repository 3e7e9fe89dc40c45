#include "stall_watch.hpp"

#include "activity.hpp"

#include <utility>

namespace retry_exec {

StallWatch::StallWatch(boost::asio::io_context& context, Duration limit, Hooks hooks)
    : detector_(limit), hooks_(std::move(hooks)), timer_(context) {
  await();
}

void StallWatch::await() {
  timer_.expires_after(detector_.interval());
  timer_.async_wait([this, here = std::weak_ptr(here_)](const boost::system::error_code& error) {
    if (!error && !here.expired()) look();
  });
}

void StallWatch::look() {
  const Result<Activity> activity = activity_of(hooks_.processes());
  const TimePoint now = Clock::now();
  if (!activity) {
    if (!std::exchange(said_unknown_, true)) hooks_.unknown(activity.error().what);
    detector_.restart(now);
  } else if (hooks_.held_up()) {
    detector_.restart(now);
  } else if (const Duration still = detector_.observe(now, *activity); still >= detector_.limit()) {
    return hooks_.stalled(still);
  }
  await();
}

}  // namespace retry_exec
