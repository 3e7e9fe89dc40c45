#include <retry_exec/report.hpp>

#include <utility>

namespace retry_exec {

namespace {

constexpr std::size_t most_attempts = 1000;

}  // namespace

RunRecorder::RunRecorder(std::vector<std::string> command, WallTime started,
                         std::function<TimePoint()> now)
    : now_(std::move(now)), start_(now_()) {
  record_.command = std::move(command);
  record_.started = started;
}

void RunRecorder::take(const Event& event) {
  std::vector<AttemptRecord>& attempts = record_.attempts;
  if (std::holds_alternative<AttemptStarted>(event)) {
    attempt_started_ = now_() - start_;
  } else if (const auto* finished = std::get_if<AttemptFinished>(&event)) {
    if (attempts.size() == most_attempts) {
      attempts.erase(attempts.begin() + most_attempts / 2);
      ++record_.omitted;
    }
    attempts.push_back({.number = finished->attempt,
                        .started = attempt_started_,
                        .elapsed = finished->elapsed,
                        .outcome = finished->outcome,
                        .verdict = finished->verdict,
                        .remarks = finished->remarks});
    record_.running += finished->elapsed;
  } else if (const auto* wait = std::get_if<WaitStarted>(&event)) {
    if (!attempts.empty()) attempts.back().wait = *wait;
    record_.waiting += wait->duration;
  } else if (const auto* ran = std::get_if<BeforeRetryFinished>(&event)) {
    if (!attempts.empty()) attempts.back().before_retry = *ran;
  } else {
    record_.end = std::get<RunFinished>(event);
  }
}

}  // namespace retry_exec
