#include "publish/run/target_run.hpp"

#include "publish/oci/index.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec::publish {

namespace asio = boost::asio;

TargetRun::TargetRun(Shared& shared, const plan::Target& target, std::size_t number)
    : shared_(shared), plan_(shared.plan), target_(target), number_(number) {
  result_.name = target.name;
  for (const oci::Reference& tag : target.tags) result_.tags.push_back({.tag = tag});
}

asio::awaitable<TargetResult> TargetRun::run() {
  for (const PhaseBody& next : bodies) {
    if ((this->*next.wanted)()) co_await phase(next.phase, next.body);
    if (next.phase != plan::Phase::copy) continue;
    // Those behind it in a queue that it never came to may pass.
    for (const oci::Reference& tag : target_.tags) shared_.copies.leave(tag.name(), number_);
  }
  count_content();
  tell(TargetFinished{&result_});
  co_return std::move(result_);
}

void TargetRun::count_content() {
  result_.platforms = platforms();
  for (const oci::Descriptor& entry : listed()) {
    if (oci::is_attestation(entry)) ++result_.attestations;
  }
}

TargetRun::Task TargetRun::phase(plan::Phase phase, Task (TargetRun::*body)()) {
  if (failed() || result_.left_out) co_return;
  Slots& entrance = shared_.entrances.of(phase);
  co_await entrance.take();
  entrance_.emplace(entrance);
  const TimePoint started = shared_.seams.now();
  phase_ = phase;
  phase_deadline_ = std::min(later(started, phase_deadline(plan_, phase)), shared_.deadline);
  note_.clear();
  tell(PhaseStarted{target_.name, phase});
  co_await (this->*body)();
  entrance_.reset();
  PhaseResult result{.phase = phase,
                     .start = started - shared_.started,
                     .elapsed = shared_.seams.now() - started,
                     .succeeded = !failed(),
                     .note = note_};
  result_.phases.push_back(result);
  tell(PhaseFinished{target_.name, std::move(result)});
}

TimePoint TargetRun::deadline_after_wait(TimePoint deadline, TimePoint asked) const {
  return std::min(later(deadline, shared_.seams.now() - asked), shared_.deadline);
}

Duration TargetRun::patience_for(Duration longest) const {
  return std::clamp((shared_.deadline - shared_.seams.now()) / 2, Duration(0), longest);
}

Request TargetRun::request(std::string about, Arguments argv, std::vector<std::string> hosts) {
  Request request;
  request.target = target_.name;
  request.phase = phase_;
  request.about = std::move(about);
  request.argv = std::move(argv);
  request.hosts = std::move(hosts);
  request.policy = step_policy(plan_, phase_);
  request.deadline = phase_deadline_;
  request.abandoned = &stopped_;
  request.entrance = &entrance_;
  return request;
}

Request TargetRun::probe(const oci::Reference& reference, bool waits) {
  Request probe = request(to_string(reference), probe_command(plan_, reference), {reference.host});
  probe.policy = probe_policy(plan_, phase_);
  probe.probe = true;
  probe.waits = waits;
  probe.absent_is_final = !waits;
  return probe;
}

std::optional<Missing> TargetRun::missing(const Verdict& verdict, const oci::Reference& source,
                                          const oci::Reference& destination) const {
  const std::string digest(detail_of(verdict, missing_detail));
  if (!oci::is_digest(digest)) return std::nullopt;
  const bool at_source = detail_of(verdict, registry_detail) == "source";
  const oci::Reference reference = by_digest(at_source ? source : destination, digest);
  return Missing{.about = to_string(reference),
                 .argv = known_manifests_.contains(digest) ? probe_command(plan_, reference)
                                                           : blob_command(plan_, reference),
                 .host = reference.host,
                 .policy = probe_policy(plan_, phase_)};
}

asio::awaitable<Answer> TargetRun::run(Request request) {
  ++result_.commands;
  Answer answer = co_await shared_.run(std::move(request));
  result_.attempts += answer.run.attempts;
  co_return answer;
}

void TargetRun::fail(const Answer& answer, std::string what) {
  if (failed()) return;
  stopped_ = true;
  const bool run_is_over =
      answer.run.reason == StopReason::deadline && answer.deadline == shared_.deadline;
  shared_.deadline_ended_it = shared_.deadline_ended_it || run_is_over;
  result_.failure = TargetFailure{.phase = phase_,
                                  .reason = answer.run.reason,
                                  .what = std::move(what) + ": " + last_word(answer, run_is_over),
                                  .command = answer.command,
                                  .manifest = {},
                                  .needs_scratch = false,
                                  .verdict = answer.run.verdict};
  const bool pushes =
      !root_file_.empty() && !answer.command.empty() && answer.command.back() == root_file_;
  if (pushes) {
    result_.failure->manifest = root_.bytes;
    return;
  }
  const std::string& scratch = shared_.scratch.path();
  result_.failure->needs_scratch =
      !scratch.empty() &&
      std::any_of(answer.command.begin(), answer.command.end(),
                  [&](const std::string& word) { return word.find(scratch) != std::string::npos; });
}

void TargetRun::fail(StopReason reason, std::string what) {
  if (failed()) return;
  stopped_ = true;
  result_.failure = TargetFailure{.phase = phase_,
                                  .reason = reason,
                                  .what = std::move(what),
                                  .command = {},
                                  .manifest = {},
                                  .needs_scratch = false,
                                  .verdict = {}};
}

void TargetRun::note(const std::string& text) {
  text::append_to(note_, text, "; ");
}

void TargetRun::note_lag(const oci::Reference& reference, const Answer& answer) {
  if (answer.run.attempts < 2) return;
  Lag lag{.phase = phase_,
          .what = to_string(reference),
          .waited = answer.run.elapsed,
          .probes = answer.run.attempts};
  result_.lags.push_back(lag);
  tell(LagEnded{target_.name, std::move(lag)});
}

namespace {

std::string why_ended(const Answer& answer, bool run_is_over) {
  const std::string spent =
      text::counted(answer.begun, "attempt") + " in " + format_duration(answer.run.elapsed);
  switch (answer.run.reason) {
    case StopReason::deadline:
      return (run_is_over ? "the deadline of the run has passed after "
                          : "the deadline of the phase has passed after ") +
             spent;
    case StopReason::exhausted:
      return "gave up after " + spent;
    case StopReason::budget:
      return "the registry's retry budget is empty after " + spent;
    case StopReason::interrupted:
      return "interrupted";
    default:
      return {};
  }
}

}  // namespace

std::string last_word(const Answer& answer, bool run_is_over) {
  if (answer.was_too_late()) {
    return std::string("no command for it was begun before the deadline of the ") +
           (run_is_over ? "run" : "phase");
  }
  std::string text = why_ended(answer, run_is_over);
  std::string said = answer.run.verdict ? answer.run.verdict->line : std::string();
  if (said.empty() && answer.run.reason != StopReason::interrupted) {
    said = to_string(answer.run.deciding.outcome);
  }
  if (!text.empty() && !said.empty()) text += "; last: ";
  return text + said;
}

}  // namespace retry_exec::publish
