// What the programs write into the summary of a step, of runs in which all names and lines are
// somebody else's.
#pragma once

#include <retry_exec/publish_views.hpp>

#include <string>
#include <vector>

namespace fuzz {

struct Summaries {
  std::string of_run;
  std::string of_publish;
};

// Eight texts, for: class, rule, line, reason, program, argument or digest, outcome, remark.
inline Summaries summaries_of(const std::vector<std::string>& texts) {
  using namespace retry_exec;
  using namespace std::chrono_literals;
  static const Redactor redact;
  Verdict verdict;
  verdict.matched = true;
  verdict.class_name = texts[0];
  verdict.rule = texts[1];
  verdict.line = texts[2];
  verdict.because = texts[3];
  const WallTime noon{1777896000000ms};
  TimePoint now{};
  RunRecorder recorder({texts[4], texts[5], texts[2]}, noon, [&] { return now += 300ms; });
  recorder.take(AttemptStarted{1, 3});
  recorder.take(AttemptFinished{1, 3, NotStarted{2, texts[6]}, 800ms, verdict, {texts[7]}});
  recorder.take(WaitStarted{3s, true});
  recorder.take(AttemptStarted{2, 3});
  recorder.take(AttemptFinished{2, 3, Exited{1}, 700ms, verdict, {}});
  recorder.take(RunFinished{StopReason::exhausted, 1, 2, 4500ms, texts[3]});
  const RunRecord run = recorder.record();

  publish::views::PublishRecord record;
  record.plan = texts[4];
  record.started = noon;
  publish::Step step;
  step.target = texts[0];
  step.about = texts[1];
  step.command = run.command;
  record.commands.push_back({std::make_shared<const publish::Step>(step), 1s, run});
  publish::TargetResult target;
  target.name = texts[0];
  target.digest = texts[5];
  target.phases = {{.phase = publish::plan::Phase::copy, .elapsed = 2s, .succeeded = false}};
  target.lags = {{.what = texts[6], .waited = 2s, .probes = 1}};
  target.failure =
      publish::TargetFailure{.what = texts[2], .command = run.command, .verdict = verdict};
  record.result.targets = {target, target};
  return {run_summary(run, redact), publish::views::publish_summary(record, redact)};
}

}  // namespace fuzz
