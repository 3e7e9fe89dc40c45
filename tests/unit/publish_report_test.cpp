// What is said of a publishing run.
#include "catch_shim.hpp"
#include "json_schema.hpp"
#include "source_paths.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/publish_views.hpp>

#include <boost/json/parse.hpp>

#include <string>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace retry_exec::publish::views;
using namespace std::chrono_literals;

namespace json = boost::json;

namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

Verdict verdict_of(const char* class_name) {
  Verdict verdict;
  verdict.class_name = class_name;
  verdict.matched = true;
  verdict.rule = std::string("ghcr/") + class_name;
  verdict.line = "Error response from registry: \x1b[31m" + digest + ": not found";
  return verdict;
}

TargetResult good() {
  TargetResult target;
  target.name = "good";
  target.index = target.digest = digest;
  target.tags = {{.tag = {"ghcr.io", "o/r", "1", ""}, .copied = true, .verified = true},
                 {.tag = {"ghcr.io", "o/r", "2", ""}, .had_it = true, .verified = true}};
  target.phases = {{.phase = Phase::preflight, .elapsed = 7s, .succeeded = true, .note = "x"},
                   {.phase = Phase::copy, .start = 7s, .elapsed = 1s, .succeeded = true}};
  target.lags = {{.what = "ghcr.io/o/r@" + digest, .waited = 7s, .probes = 12}};
  target.attempts = 15;
  target.platforms = {oci::parse_platform("linux/amd64").value(),
                      oci::parse_platform("linux/arm64").value()};
  target.attestations = 2;
  target.after = {{.command = {"cosign", "sign", "ghcr.io/o/r@" + digest},
                   .about = "ghcr.io/o/r@" + digest,
                   .was_done = true,
                   .done = true}};
  return target;
}

TargetResult bad() {
  TargetResult target;
  target.name = "bad";
  target.phases = {{.phase = Phase::preflight, .elapsed = 600s, .succeeded = false}};
  target.failure =
      publish::TargetFailure{.phase = Phase::preflight,
                             .reason = StopReason::deadline,
                             .what = "source ghcr.io/o/r@" + digest + " could not be read",
                             .command = {"oras", "manifest", "fetch"},
                             .verdict = verdict_of("absent")};
  return target;
}

std::shared_ptr<const Step> step(const char* target, bool waits = false) {
  return std::make_shared<const Step>(Step{.number = 1,
                                           .target = target,
                                           .phase = Phase::preflight,
                                           .about = "ghcr.io/o/r@" + digest,
                                           .waits = waits,
                                           .command = {"oras", "manifest", "fetch"}});
}

AttemptFinished failed(const char* class_name) {
  return {.attempt = 1,
          .max_attempts = 5,
          .outcome = Exited{1},
          .elapsed = 100ms,
          .verdict = verdict_of(class_name),
          .remarks = {}};
}

PublishRecord record(bool waits = false) {
  TimePoint now = TimePoint{} + 1h;
  PublishRecorder recorder(WallTime{}, [&] { return now; });
  const auto of = step("good", waits);
  recorder.take(CommandEvent{of, AttemptStarted{1, 5}});
  now += 100ms;
  recorder.take(CommandEvent{of, failed("absent")});
  recorder.take(CommandEvent{of, WaitStarted{1s, false}});
  now += 1s;
  recorder.take(CommandEvent{of, AttemptStarted{2, 5}});
  recorder.take(CommandEvent{of, AttemptFinished{.attempt = 2, .outcome = Exited{0}}});
  recorder.take(CommandEvent{of, RunFinished{.attempts = 2, .elapsed = 1100ms}});
  PublishRecord record{.plan = "plan.yaml", .started = WallTime{}, .commands = recorder.finish()};
  record.result.targets = {good(), bad()};
  record.result.elapsed = 600s;
  record.exit_code = record.result.exit_code();
  return record;
}

struct Log {
  explicit Log(LogFormat format = LogFormat::text, Verbosity verbosity = Verbosity::normal)
      : log({.format = format, .verbosity = verbosity, .program = "retry-publish", .now = {}},
            redactor, [this](std::string_view lines) { text += lines; }) {}

  Redactor redactor;
  std::string text;
  PublishLog log;
};

}  // namespace

TEST_CASE("A publish report in JSON is as its schema says", "[publish]") {
  const json::value schema = json::parse(test::read_file(PUBLISH_REPORT_SCHEMA));
  const Redactor redactor;
  const json::value said = json::parse(publish_report(record(), ReportFormat::json, redactor));
  CHECK(test::schema_violations(schema, said) == std::vector<std::string>{});
  CHECK(said.at("exit_code") == 1);
  CHECK(said.at("targets").at(0).at("commands").at(0).at("attempts").as_array().size() == 2);
  CHECK(said.at("targets").at(1).at("failure").at("reason") == "deadline");
}

TEST_CASE("A publish report for people names every target, tag and lag", "[publish]") {
  const Redactor redactor;
  const std::string text = publish_report(record(), ReportFormat::text, redactor);
  for (const char* part : {"good: sha256:aaaa", "ghcr.io/o/r:1: copied", "ghcr.io/o/r:2: had it",
                           "lagged 7s (12 probes)", "bad: failed",
                           "not published:", "by hand: oras manifest fetch", "exit code 1"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("A publish summary has a table, the failures and a chart", "[publish]") {
  const Redactor redactor;
  const std::string text = publish_summary(record(true), redactor);
  CHECK(text.find("attempt 1") == std::string::npos);
  for (const char* part :
       {"published 1 of 2 targets", "| good | published |", "| bad | failed: preflight |",
        "by hand: oras manifest fetch", "```mermaid", "section good",
        "r@sha256∶aaaaaaaa… waited 1.1s (2 probes) :"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("The log tells once that a digest lags, and once that it came", "[publish]") {
  Log log;
  const std::string reference = "ghcr.io/o/r@" + digest;
  for (const char* target : {"one", "two"}) {
    const auto waiting = step(target, true);
    for (int probe = 0; probe < 40; ++probe) {
      log.log.take(CommandEvent{waiting, AttemptStarted{1, 0}});
      log.log.take(CommandEvent{waiting, failed("absent")});
      log.log.take(CommandEvent{waiting, WaitStarted{1s, false}});
    }
  }
  CHECK(log.text == "retry-publish: one: preflight: " + reference + " is not there yet: waiting\n");
  log.text.clear();
  for (const char* target : {"one", "two"}) {
    log.log.take(LagEnded{target, {.what = reference, .waited = 7s, .probes = 12}});
  }
  CHECK(log.text ==
        "retry-publish: one: preflight: " + reference + " became readable after 7s (12 probes)\n");
}

TEST_CASE("Of what is there without what it needs is said what that is", "[publish][report]") {
  Log log;
  AttemptFinished finished = failed("absent");
  const std::string needed = "sha256:" + std::string(64, 'c');
  finished.verdict->details = {{"missing", needed}};
  log.log.take(CommandEvent{step("one", true), std::move(finished)});
  CHECK(log.text == "retry-publish: one: preflight: ghcr.io/o/r@" + digest + " needs " + needed +
                        ", which is not there yet: waiting\n");
}

TEST_CASE("The log tells failures that are retried, by target and phase", "[publish]") {
  Log log;
  const auto of = step("one");
  log.log.take(CommandEvent{of, AttemptStarted{1, 5}});
  log.log.take(CommandEvent{of, failed("transient")});
  log.log.take(CommandEvent{of, WaitStarted{1s, false}});
  CHECK(
      log.text.starts_with("retry-publish: one: preflight: attempt 1/5 failed in 0.1s: exit 1, "
                           "transient (ghcr/transient)"));
  CHECK(log.text.find('\x1b') == std::string::npos);
  CHECK(log.text.ends_with("retry-publish: one: preflight: waiting 1s\n"));
}

TEST_CASE("The log of a target is its digest, or why it failed", "[publish]") {
  Log log(LogFormat::github);
  const TargetResult one = good();
  const TargetResult two = bad();
  log.log.take(TargetFinished{&one});
  log.log.take(TargetFinished{&two});
  CHECK(log.text.find(
            "retry-publish: good: published to 1 of 2 tags, the others had it already: " + digest +
            " (linux/amd64, linux/arm64; 2 attestations; 8s)\n") != std::string::npos);
  CHECK(log.text.find("::error title=retry-publish%3A bad%3A preflight::source") !=
        std::string::npos);
}

TEST_CASE("The JSON log is one object a line", "[publish]") {
  Log log(LogFormat::json);
  const TargetResult one = good();
  log.log.take(PhaseStarted{"good", Phase::copy});
  log.log.take(PhaseFinished{"good", one.phases[0]});
  log.log.take(LagEnded{"good", one.lags[0]});
  log.log.take(RegistryPaused{"ghcr.io", 20s});
  log.log.take(CommandEvent{step("good"), AttemptStarted{1, 5}});
  log.log.take(TargetFinished{&one});
  std::size_t lines = 0;
  std::string_view rest = log.text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    REQUIRE(end != std::string_view::npos);
    CHECK(json::parse(rest.substr(0, end)).as_object().contains("event"));
    rest.remove_prefix(end + 1);
    ++lines;
  }
  CHECK(lines == 6);
}

TEST_CASE("The status tells what runs and what waits", "[publish]") {
  PublishStatus status(3);
  const TimePoint now = TimePoint{} + 1h;
  status.take(CommandEvent{step("one", true), AttemptStarted{1, 0}}, now);
  CHECK(status.rows(now + 3s)[1] ==
        "  one: preflight: 3s: ghcr.io/o/r@" + digest.substr(0, 15) + "…");
  status.take(CommandEvent{step("one", true), WaitStarted{10s, false}}, now);
  CHECK(
      status.rows(now + 3s)[1].starts_with("  one: preflight: 3s, attempt 2 in 7s: ghcr.io/o/r@"));
  const TargetResult failure = bad();
  status.take(TargetFinished{&failure}, now);
  CHECK(status.rows(now)[0] == "1 of 3 targets done, 1 failed");
  status.take(CommandEvent{step("one", true), RunFinished{}}, now);
  CHECK(status.rows(now).size() == 1);
}

TEST_CASE("A failure in the middle tells which tags moved, and how to push the index by hand",
          "[publish][report]") {
  publish::PublishResult result;
  publish::TargetResult target;
  target.name = "one";
  target.tags = {
      {.tag = publish::oci::parse_reference("f.io/r:1").value(), .copied = true, .verified = true},
      {.tag = publish::oci::parse_reference("g.io/r:1").value()}};
  target.failure =
      publish::TargetFailure{.phase = publish::plan::Phase::copy,
                             .what = "tag g.io/r:1 could not be moved: denied",
                             .command = {"oras", "manifest", "push", "g.io/r:1", "/tmp/x/0.json"},
                             .manifest = "{\"schemaVersion\":2}"};
  result.targets = {target};
  const std::string text = publish_failures(result, Redactor());
  CHECK_THAT(text, test::ContainsSubstring("    moved: f.io/r:1\n    not moved: g.io/r:1\n"));
  CHECK_THAT(text,
             test::ContainsSubstring(
                 "by hand: printf %s '{\"schemaVersion\":2}' | oras manifest push g.io/r:1 -\n"));
}

TEST_CASE("A summary has of a failed target the same words as the list of failures", "[publish]") {
  publish::PublishResult result;
  publish::TargetResult target;
  target.name = "one";
  target.tags = {
      {.tag = publish::oci::parse_reference("f.io/r:1").value(), .copied = true, .verified = true},
      {.tag = publish::oci::parse_reference("g.io/r:1").value()}};
  target.failure =
      publish::TargetFailure{.phase = publish::plan::Phase::copy,
                             .what = "denied",
                             .command = {"oras", "manifest", "push", "g.io/r:1", "/tmp/x/0.json"},
                             .manifest = "{}"};
  result.targets = {target};
  PublishRecord record;
  record.result = result;
  const std::string summary = publish_summary(record, Redactor());
  const std::string push = "by hand: printf %s '{}' | oras manifest push g.io/r:1 -";
  CHECK_THAT(summary, test::ContainsSubstring("  \n  " + markdown_escaped("moved: f.io/r:1") +
                                              "  \n  " + markdown_escaped("not moved: g.io/r:1") +
                                              "  \n  " + markdown_escaped(push) + "\n"));
  CHECK(summary.find("0.json") == std::string::npos);
}

TEST_CASE("A command on files of ours that are gone is not told to be run by hand", "[publish]") {
  PublishRecord record;
  publish::TargetResult target = bad();
  target.failure->command = {"soci", "convert", "/tmp/retry-publish-1/0/image"};
  target.failure->needs_scratch = true;
  record.result.targets = {target};
  CHECK(publish_failures(record.result, Redactor()).find("by hand") == std::string::npos);
  CHECK(publish_summary(record, Redactor()).find("by hand") == std::string::npos);
  const json::value said = json::parse(publish_report(record, ReportFormat::json, Redactor()));
  CHECK(said.at("targets").at(0).at("failure").at("command").as_array().size() == 3);
}

TEST_CASE(
    "A tag that was pushed and not seen, and one that nobody asked for, are not told to have moved "
    "or not",
    "[publish][report]") {
  publish::PublishResult result;
  publish::TargetResult target;
  target.name = "one";
  target.tags = {{.tag = publish::oci::parse_reference("f.io/r:1").value(), .copied = true},
                 {.tag = publish::oci::parse_reference("f.io/r:2").value(), .may_have_moved = true},
                 {.tag = publish::oci::parse_reference("f.io/r:3").value()}};
  target.failure = publish::TargetFailure{.phase = publish::plan::Phase::copy, .what = "x"};
  result.targets = {target};
  CHECK_THAT(publish_failures(result, Redactor()),
             test::ContainsSubstring("    moved, but not verified: f.io/r:1\n"
                                     "    may have moved: f.io/r:2\n"
                                     "    not moved: f.io/r:3\n"));
}

TEST_CASE("Where no tag moved, the list of failures says so once it could have been otherwise",
          "[publish][report]") {
  publish::PublishResult result;
  publish::TargetResult target = bad();
  target.tags = {{.tag = publish::oci::parse_reference("f.io/r:1").value()},
                 {.tag = publish::oci::parse_reference("f.io/r:2").value(), .newer = true}};
  const auto told = [&] {
    result.targets = {target};
    return publish_failures(result, Redactor());
  };
  CHECK(told().find("f.io/r") == std::string::npos);
  target.failure->phase = publish::plan::Phase::copy;
  CHECK_THAT(told(), test::ContainsSubstring("    left alone, what is there is newer: f.io/r:2\n"
                                             "    not moved: f.io/r:1\n"));
}

TEST_CASE("The text report of a failed target says which tags had it already",
          "[publish][report]") {
  PublishRecord record;
  publish::TargetResult target = bad();
  target.tags = {{.tag = publish::oci::parse_reference("f.io/r:1").value(), .had_it = true}};
  record.result.targets = {target};
  CHECK_THAT(publish_report(record, ReportFormat::text, Redactor()),
             test::ContainsSubstring("  f.io/r:1: had it already\n"));
}

TEST_CASE("A target that is published, and whose commands after it failed, is told as that",
          "[publish][report]") {
  PublishRecord record;
  publish::TargetResult target = good();
  target.failure = publish::TargetFailure{.phase = publish::plan::Phase::after, .what = "x"};
  CHECK(target.is_published());
  record.result.targets = {target, bad()};
  const std::string text = publish_failures(record.result, Redactor(), "retry-publish: ");
  CHECK_THAT(text, test::StartsWith("retry-publish: not published:\n  bad: "));
  CHECK_THAT(text,
             test::ContainsSubstring("retry-publish: published, but not all that was to follow is "
                                     "done:\n  good: after: "));
  const std::string summary = publish_summary(record, Redactor());
  CHECK_THAT(summary, test::ContainsSubstring("published 1 of 2 targets"));
  CHECK_THAT(summary, test::ContainsSubstring("| published, failed: after |"));
}

TEST_CASE("Every command that is left to do after publishing is told, not the first alone",
          "[publish][report]") {
  publish::PublishResult result;
  publish::TargetResult target;
  target.name = "one";
  target.after = {{.command = {"cosign", "sign", "f.io/r@d"}, .about = "f.io/r@d", .done = true},
                  {.command = {"cosign", "sign", "g.io/r@d"}, .about = "g.io/r@d"},
                  {.command = {"cosign", "sign", "h.io/r@d"}, .about = "h.io/r@d"}};
  target.failure = publish::TargetFailure{
      .phase = publish::plan::Phase::after, .what = "x", .command = {"cosign", "sign", "g.io/r@d"}};
  result.targets = {target};
  const std::string text = publish_failures(result, Redactor());
  CHECK_THAT(text, test::ContainsSubstring("    not done: cosign sign g.io/r@d\n"
                                           "    not done: cosign sign h.io/r@d\n"));
  CHECK(text.find("f.io") == std::string::npos);
  result.targets[0].after[1].command = result.targets[0].after[2].command = {"notify"};
  CHECK_THAT(publish_failures(result, Redactor()),
             test::ContainsSubstring("    not done: notify (for g.io/r@d)\n"
                                     "    not done: notify (for h.io/r@d)\n"));
}
