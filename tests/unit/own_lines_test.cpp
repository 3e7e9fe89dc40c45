// A retry-exec inside a command that another one runs.
#include "catch_shim.hpp"

#include <retry_exec/report.hpp>
#include <retry_exec/rules.hpp>

#include <array>
#include <csignal>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> command = {"tool", "::warning::a"};
constexpr std::string_view cause = "Error: frob lost its hat";

Verdict verdict_on(const std::string& err, const std::string& out = "") {
  const Classifier classifier({load_rule_set("generic").value()});
  CapturedOutput output;
  output.standard_error.tail = err;
  output.standard_output.tail = out;
  return classifier.classify({command, Exited{1}, output});
}

LogOptions options_of(LogFormat format) {
  LogOptions options;
  options.program = "retry-exec";
  options.format = format;
  options.verbosity = Verbosity::verbose;
  options.command = command;
  options.now = [] { return std::chrono::system_clock::now(); };
  options.coloured = true;
  return options;
}

std::string log_of(const std::vector<Event>& events, LogFormat format) {
  const Redactor redactor;
  std::string text;
  const EventSink log =
      log_events(options_of(format), redactor, [&text](std::string_view lines) { text += lines; });
  for (const Event& event : events) log(event);
  return text;
}

AttemptFinished failed(Outcome outcome) {
  Verdict verdict;
  verdict.class_name = "transient";
  verdict.matched = true;
  verdict.rule = "network/timeout";
  verdict.because = "connection reset by peer";
  verdict.line = "i/o timeout";
  verdict.unevaluated = {"a/b", "a/c", "a/d", "a/e", "a/f"};
  return {1, 5, std::move(outcome), 800ms, verdict, {"SIGTERM was sent to end it"}};
}

// All that can follow a first attempt.
std::vector<Event> events_of_a_run(StopReason reason) {
  return {AttemptStarted{1, 5},
          failed(Signalled{SIGTERM}),
          WaitStarted{2s, true},
          BeforeRetryFinished{2, Exited{1}, 1s},
          AttemptStarted{2, 5},
          failed(Exited{1}),
          RunFinished{reason, 128 + SIGTERM, 2, 3s, "i/o timeout"}};
}

RunRecord recorded(const std::vector<Event>& events) {
  RunRecorder recorder({"tool", "-v"}, WallTime(), [] { return TimePoint(); });
  for (const Event& event : events) recorder.take(event);
  return recorder.record();
}

// What a run writes when it ends, where it is asked to.
std::vector<std::string> reports_on(const RunRecord& record) {
  const Redactor redactor;
  return {report(record, ReportFormat::text, redactor),
          report(record, ReportFormat::json, redactor), run_summary(record, redactor)};
}

constexpr std::array formats = {LogFormat::text, LogFormat::github, LogFormat::json};

}  // namespace

TEST_CASE("how an inner run went is no evidence, what its command said is", "[rules]") {
  for (const LogFormat format : formats) {
    for (int reason = 0; reason <= static_cast<int>(StopReason::interrupted); ++reason) {
      const std::string log = log_of(events_of_a_run(static_cast<StopReason>(reason)), format);
      INFO(log);
      const Verdict verdict = verdict_on(std::string(cause) + "\n" + log);
      CHECK(verdict.class_name == "unmatched");
      CHECK(verdict.line == cause);
      CHECK(verdict_on(log).line.empty());
      // Nor does it hide what the command said to its stdout.
      CHECK(verdict_on(log, std::string(cause)).line == cause);
    }
  }
}

TEST_CASE("the report and the summary of an inner run are no evidence", "[rules]") {
  for (int reason = 0; reason <= static_cast<int>(StopReason::interrupted); ++reason) {
    RunRecord record = recorded(events_of_a_run(static_cast<StopReason>(reason)));
    record.attempts.front().verdict->details = {{"host", "i/o timeout"}};
    record.omitted = 7;
    for (const std::string& text : reports_on(record)) {
      INFO(text);
      CHECK(verdict_on(text).line.empty());
      for (const std::string& output :
           {std::string(cause) + "\n" + text, text + std::string(cause)}) {
        CHECK(verdict_on(output).line == cause);
        CHECK(verdict_on(output).class_name == "unmatched");
      }
    }
  }
}

TEST_CASE("the report of an inner run of very many attempts is no evidence either", "[rules]") {
  std::vector<Event> events;
  for (unsigned number = 1; number <= 200; ++number) {
    events.insert(events.end(),
                  {AttemptStarted{number, 0}, failed(Exited{1}), WaitStarted{1s, false}});
  }
  events.emplace_back(RunFinished{StopReason::exhausted, 1, 200, 9s, ""});
  for (const std::string& text : reports_on(recorded(events))) {
    INFO(text);
    CHECK(verdict_on(text).line.empty());
  }
}

TEST_CASE("what only looks like a report or a summary is evidence", "[rules]") {
  for (const std::string before :
       {"command: frob -v", "command: frob -v\nstarted: yesterday",
        "started: 2026-11-30T20:53:07.083Z", "result: none", "| attempt | took |", "```mermaid",
        "**frob**", "**retry-exec** is a program",
        "command: frob -v\nstarted: 2026-11-30T20:53:07.083Z",
        "command: frob -v\nstarted: 2026-11-30T20:53:07.083Z\nattempt 1: none"}) {
    INFO(before);
    CHECK(verdict_on(before + "\ndial tcp: i/o timeout\n").rule == "network/timeout");
  }
}

TEST_CASE("a limit that an inner run tells in its report alone is evidence", "[rules]") {
  const std::string report =
      "command: frob -v\nstarted: 2026-11-30T20:53:07.083Z\nresult: gave up after 1 attempt in "
      "0.2s: timed out after 0.2s\n  attempt 1: timed out after 0.2s\nin all: 1\n";
  CHECK(verdict_on(report).rule == "network/timeout");
}

TEST_CASE("that an inner run ended its command at a limit is evidence", "[rules]") {
  for (const LogFormat format : formats) {
    for (const TimeLimit limit : {TimeLimit::attempt, TimeLimit::idle, TimeLimit::stalled}) {
      AttemptFinished ended = failed(TimedOut{limit, 1s});
      ended.verdict->line.clear();
      ended.verdict->because.clear();
      const std::string log =
          log_of({AttemptStarted{1, 1}, ended,
                  RunFinished{StopReason::exhausted, exit_code::timed_out, 1, 1s, ""}},
                 format);
      INFO(log);
      const bool timed_out = limit == TimeLimit::attempt;
      CHECK(verdict_on(log).class_name == (timed_out ? "transient" : "suspect"));
    }
    // The hook is not the command.
    const std::string hook =
        log_of({BeforeRetryFinished{2, TimedOut{TimeLimit::attempt, 1s}, 1s}}, format);
    CHECK(verdict_on(hook).line.empty());
  }
}

TEST_CASE("a quiet inner run that ended at a limit is known by its exit code", "[rules]") {
  const auto verdict = [](const char* rules, int code, const std::string& err) {
    CapturedOutput output;
    output.standard_error.tail = err;
    return Classifier({load_rule_set(rules).value()}).classify({command, Exited{code}, output});
  };
  for (const char* rules : {"generic", "ghcr", "curl"}) {
    INFO(rules);
    CHECK(verdict(rules, exit_code::timed_out, "").class_name == "suspect");
    CHECK(verdict(rules, exit_code::timed_out, "").retry);
    CHECK(verdict(rules, 123, "").class_name == "unmatched");
    // What its command said is the cause.
    CHECK(verdict(rules, exit_code::timed_out, "no space left on device").class_name ==
          "permanent");
    CHECK(verdict(rules, exit_code::timed_out, "Connection reset by peer").class_name ==
          "transient");
  }
}

TEST_CASE("of an inner run's limits only that of its last attempt is evidence", "[rules]") {
  const TimedOut limit{TimeLimit::attempt, 5s};
  for (const LogFormat format : formats) {
    const AttemptFinished first{1, 3, limit, 5s, {}, {"SIGTERM was sent to end it"}};
    const std::vector<Event> another = {AttemptStarted{1, 3}, first, WaitStarted{2s, false},
                                        AttemptStarted{2, 3}};
    std::vector<Event> failed_otherwise = another;
    failed_otherwise.insert(failed_otherwise.end(),
                            {AttemptFinished{2, 3, Exited{1}, 1s, {}, {}},
                             RunFinished{StopReason::unmatched, 1, 2, 8s, ""}});
    std::vector<Event> succeeded = another;
    succeeded.insert(succeeded.end(), {AttemptFinished{2, 3, Exited{0}, 1s, {}, {}},
                                       RunFinished{StopReason::success, 0, 2, 8s, ""}});
    for (const std::vector<Event>& events : {failed_otherwise, succeeded}) {
      const std::string log = log_of(events, format);
      INFO(log);
      CHECK(verdict_on(log + std::string(cause)).line == cause);
      CHECK(verdict_on(log + std::string(cause)).class_name == "unmatched");
      CHECK(verdict_on(log).line.empty());
    }
    std::vector<Event> failed_likewise = another;
    failed_likewise.insert(failed_likewise.end(),
                           {AttemptFinished{2, 2, limit, 5s, {}, {}},
                            RunFinished{StopReason::exhausted, exit_code::timed_out, 2, 12s, ""}});
    CHECK(verdict_on(log_of(failed_likewise, format)).class_name == "transient");
  }
}

TEST_CASE("the end of an inner run at a limit stays evidence behind another inner run", "[rules]") {
  for (const LogFormat format : formats) {
    for (const StopReason reason : {StopReason::exhausted, StopReason::input_spent}) {
      const std::string first =
          log_of({AttemptStarted{1, 1},
                  AttemptFinished{1, 1, TimedOut{TimeLimit::attempt, 5s}, 5s, {}, {}},
                  RunFinished{reason, exit_code::timed_out, 1, 5s, "it has read standard input"}},
                 format);
      const std::string second =
          log_of({AttemptStarted{1, 2}, AttemptFinished{1, 2, Exited{1}, 1s, {}, {}},
                  WaitStarted{2s, false}, AttemptStarted{2, 2},
                  AttemptFinished{2, 2, Exited{0}, 1s, {}, {}},
                  RunFinished{StopReason::success, 0, 2, 8s, ""}},
                 format);
      INFO(first + second);
      CHECK(verdict_on(first + second).line == verdict_on(first).line);
    }
  }
}

TEST_CASE("what an inner run says of rules, input and step files is no evidence", "[rules]") {
  const Redactor redactor;
  const std::string said =
      "rules: generic\ninside another retry-exec, which may run all these attempts again\n"
      "evidence, from stderr:\n    i/o timeout\n\nas rules see it, masked:\n    i/o timeout\n"
      "\nrules tried, in order:\n    network/timeout (transient): matches\n"
      "verdict: transient (network/timeout), retried\n    line     i/o timeout\n"
      "the attempt has read standard input, which the next one will miss: -I replays it\n"
      "--stall-timeout has no effect here: i/o timeout\n"
      "removed 4 bytes that the failed attempt wrote to $GITHUB_ENV\n"
      "put back what the last attempt wrote to $GITHUB_ENV\n"
      "cannot remove what the failed attempt wrote to $GITHUB_ENV: i/o timeout\n"
      "output was cut off at the deadline\n";
  for (const LogFormat format : formats) {
    const std::string lines = note_lines(said, options_of(format), redactor);
    INFO(lines);
    CHECK(verdict_on(std::string(cause) + "\n" + lines).line == cause);
  }
}

TEST_CASE("that an inner run could not begin is evidence", "[rules]") {
  const Redactor redactor;
  for (const LogFormat format : formats) {
    const std::string usage = note_lines("unknown option --atempts", options_of(format), redactor);
    CHECK(verdict_on(usage).rule == "local/usage");
    const AttemptFinished missing{1, 1, NotStarted{2, "frob: not found in PATH"}, 0ms, {}, {}};
    const std::string log =
        log_of({missing, RunFinished{StopReason::not_started, 127, 1, 0ms, ""}}, format);
    INFO(log);
    CHECK(verdict_on(log).line.find("not found in PATH") != std::string::npos);
  }
  CHECK(verdict_on("retry-exec: stopped: i/o timeout\n").rule == "network/timeout");
}

TEST_CASE("that an inner run failed of its own is evidence", "[rules]") {
  for (const LogFormat format : formats) {
    const std::string log = log_of(
        {AttemptStarted{1, 5}, RunFinished{StopReason::internal, exit_code::own_failure, 1, 1s,
                                           "cannot write to stdout: No space left on device"}},
        format);
    INFO(log);
    CHECK(verdict_on(log).rule == "local/disk-full");
  }
}
