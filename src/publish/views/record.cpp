#include "report/wording.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/publish_views.hpp>

#include <algorithm>
#include <utility>

namespace retry_exec::publish::views {

PublishRecorder::PublishRecorder(WallTime started, std::function<TimePoint()> now)
    : now_(std::move(now)), wall_started_(started), started_(now_()) {}

void PublishRecorder::take(const PublishEvent& event) {
  const auto* of_command = std::get_if<CommandEvent>(&event);
  if (of_command == nullptr) return;
  const unsigned number = of_command->step->number;
  auto found = running_.find(number);
  if (found == running_.end()) {
    const Duration start = now_() - started_;
    const WallTime wall = wall_started_ + std::chrono::duration_cast<WallTime::duration>(start);
    // The words of the command are in its step.
    Running running{of_command->step, start, RunRecorder({}, wall, now_)};
    found = running_.emplace(number, std::move(running)).first;
  }
  found->second.recorder.take(of_command->event);
  if (!std::holds_alternative<RunFinished>(of_command->event)) return;
  finished_.push_back({found->second.step, found->second.start, found->second.recorder.record()});
  running_.erase(found);
}

std::vector<CommandRecord> PublishRecorder::finish() {
  std::sort(finished_.begin(), finished_.end(),
            [](const CommandRecord& one, const CommandRecord& other) {
              return one.step->number < other.step->number;
            });
  return std::move(finished_);
}

void PublishStatus::take(const PublishEvent& event, TimePoint now) {
  if (const auto* finished = std::get_if<TargetFinished>(&event)) {
    ++done_;
    if (finished->result->failure) ++failed_;
    return;
  }
  const auto* of_command = std::get_if<CommandEvent>(&event);
  if (of_command == nullptr) return;
  const Step& step = *of_command->step;
  if (std::holds_alternative<RunFinished>(of_command->event)) {
    lines_.erase(step.number);
    return;
  }
  Line& line = lines_[step.number];
  if (line.subject.empty()) {
    line.since = now;
    line.subject = step.target + ": " + std::string(to_string(step.phase)) + ": ";
    line.about = with_short_digests(step.about);
  }
  if (const auto* started = std::get_if<AttemptStarted>(&of_command->event)) {
    line.attempt = started->attempt;
    line.waits_until = {};
  } else if (const auto* wait = std::get_if<WaitStarted>(&of_command->event)) {
    line.waits_until = now + wait->duration;
  }
}

std::vector<std::string> PublishStatus::rows(TimePoint now) const {
  std::vector<std::string> rows;
  rows.push_back(std::to_string(done_) + " of " + text::counted(targets_, "target") + " done" +
                 (failed_ == 0 ? "" : ", " + std::to_string(failed_) + " failed"));
  for (const auto& [number, line] : lines_) {
    const auto whole_seconds = [](Duration duration) {
      return format_duration(std::chrono::duration_cast<std::chrono::seconds>(duration));
    };
    // What changes comes first: a narrow terminal cuts the end.
    std::string row = "  " + line.subject + whole_seconds(now - line.since);
    if (line.waits_until > now) {
      row += ", attempt " + std::to_string(line.attempt + 1) + " in " +
             whole_seconds(line.waits_until - now + std::chrono::milliseconds(999));
    } else if (line.attempt > 1) {
      row += ", attempt " + std::to_string(line.attempt);
    }
    rows.push_back(row + ": " + line.about);
  }
  return rows;
}

}  // namespace retry_exec::publish::views
