#include <retry_exec/publish_run.hpp>

#include <algorithm>

namespace retry_exec::publish {

Duration TargetResult::elapsed() const {
  if (phases.empty()) return Duration::zero();
  return phases.back().start + phases.back().elapsed - phases.front().start;
}

bool TargetResult::left_alone() const {
  return !failure && !tags.empty() &&
         std::all_of(tags.begin(), tags.end(), [](const TagResult& tag) { return tag.newer; });
}

bool TargetResult::is_published() const {
  const bool failed_before = failure && failure->phase != plan::Phase::after;
  return !failed_before && !left_out && !left_alone();
}

bool PublishResult::succeeded() const {
  return std::none_of(targets.begin(), targets.end(),
                      [](const TargetResult& target) { return target.failure.has_value(); });
}

int PublishResult::exit_code() const {
  if (interrupted_by) return exit_code::signal_base + *interrupted_by;
  if (succeeded()) return exit_code::success;
  return deadline_passed ? exit_code::timed_out : 1;
}

}  // namespace retry_exec::publish
