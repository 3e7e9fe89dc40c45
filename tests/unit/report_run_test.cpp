// The final report, the summary and what they are made from.

#include "catch_shim.hpp"
#include "json_schema.hpp"
#include "source_paths.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/report.hpp>

#include <boost/json/parse.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

using namespace retry_exec;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

const std::string digest = "sha256:" + std::string(64, 'a');
const WallTime noon{1777896000000ms};  // 2026-05-04T12:00:00Z

Verdict absent() {
  Verdict verdict;
  verdict.class_name = "absent";
  verdict.matched = true;
  verdict.retry = true;
  verdict.rule = "ghcr/manifest-by-digest";
  verdict.because = "a manifest may be invisible for a while";
  verdict.line = "Error: " + digest + ": not found, token=hunter22\n\x1b[31m";
  verdict.details = {{"digest", digest}};
  verdict.retry_after = 3s;
  verdict.unevaluated = {"ours/slow"};
  return verdict;
}

// Records `events` on a clock that goes on by `step` with each look at it.
RunRecord recorded(const std::vector<Event>& events, Duration step = 100ms) {
  TimePoint now{};
  RunRecorder recorder({"oras", "cp", "--password", "hunter22", "a|b"}, noon,
                       [&] { return now += step; });
  for (const Event& event : events) recorder.take(event);
  return recorder.record();
}

RunRecord one_retry() {
  return recorded({AttemptStarted{1, 5},
                   AttemptFinished{1, 5, Exited{1}, 800ms, absent(), {"a remark"}},
                   WaitStarted{3s, true}, AttemptStarted{2, 5},
                   AttemptFinished{2, 2, Exited{0}, 700ms, std::nullopt, {}},
                   RunFinished{StopReason::success, 0, 2, 4500ms, {}}});
}

RunRecord ended_with(const Outcome& outcome, StopReason reason, int exit_code) {
  return recorded({AttemptStarted{1, 5}, AttemptFinished{1, 1, outcome, 1s, std::nullopt, {}},
                   RunFinished{reason, exit_code, 1, 1s, "a reason"}});
}

json::value report_schema() {
  return json::parse(test::read_file(REPORT_SCHEMA));
}

std::vector<std::string> violations(const RunRecord& record) {
  return test::schema_violations(report_schema(),
                                 json::parse(report(record, ReportFormat::json, Redactor())));
}

}  // namespace

TEST_CASE("the JSON report says what happened", "[report]") {
  const json::value said = json::parse(report(one_retry(), ReportFormat::json, Redactor()));
  CHECK(said.at("schema") == 1);
  CHECK(said.at("reason") == "success");
  CHECK(said.at("exit_code") == 0);
  CHECK(said.at("started") == "2026-05-04T12:00:00.000Z");
  CHECK(said.at("command") == json::parse(R"(["oras","cp","--password","[redacted]","a|b"])"));
  CHECK(said.at_pointer("/attempts/0/outcome/code") == 1);
  CHECK(said.at_pointer("/attempts/0/started_ms") == 100);
  CHECK(said.at_pointer("/attempts/0/elapsed_ms") == 800);
  CHECK(said.at_pointer("/attempts/0/verdict/rule") == "ghcr/manifest-by-digest");
  CHECK(said.at_pointer("/attempts/0/verdict/line").as_string() ==
        "Error: " + digest + ": not found, token=[redacted]");
  CHECK(said.at_pointer("/attempts/0/verdict/retry_after_ms") == 3000);
  CHECK(said.at_pointer("/attempts/0/wait") ==
        json::parse(R"({"planned_ms":3000,"asked_for":true})"));
  CHECK(said.at_pointer("/totals") ==
        json::parse(R"({"attempts":2,"omitted":0,"elapsed_ms":4500,"running_ms":1500,
                        "waiting_ms":3000})"));
}

TEST_CASE("every JSON report is as its schema says", "[report]") {
  CHECK(violations(one_retry()).empty());
  const std::vector<RunRecord> ends = {
      ended_with(Exited{3}, StopReason::permanent, 3),
      ended_with(Exited{3}, StopReason::unmatched, 3),
      ended_with(Exited{3}, StopReason::done, 0),
      recorded({AttemptStarted{1, 5}, AttemptFinished{1, 5, Exited{1}, 1s, absent(), {}},
                WaitStarted{1s}, BeforeRetryFinished{2, Exited{4}, 200ms}}),
      ended_with(Exited{3}, StopReason::exhausted, 75),
      ended_with(Exited{3}, StopReason::budget, 3),
      ended_with(Exited{3}, StopReason::input_spent, 3),
      ended_with(Signalled{SIGKILL}, StopReason::exhausted, 137),
      ended_with(Signalled{SIGRTMIN + 3}, StopReason::interrupted, 143),
      ended_with(TimedOut{TimeLimit::idle, 30s}, StopReason::exhausted, 124),
      ended_with(TimedOut{TimeLimit::stalled, 30s}, StopReason::exhausted, 124),
      ended_with(TimedOut{TimeLimit::deadline, 30s}, StopReason::deadline, 124),
      ended_with(NotStarted{ENOENT, "x: not found"}, StopReason::not_started, 127),
      ended_with(Exited{0}, StopReason::internal, 125),
      recorded({RunFinished{StopReason::interrupted, 130, 0, 0s, {}}}),
  };
  for (const RunRecord& record : ends) CHECK(violations(record).empty());
}

TEST_CASE("the schema refuses what is no report", "[report]") {
  const json::value schema = report_schema();
  json::value said = json::parse(report(one_retry(), ReportFormat::json, Redactor()));
  said.as_object()["reason"] = "tired";
  CHECK(test::schema_violations(schema, said).size() == 1);
  said.as_object()["reason"] = "success";
  said.at("attempts").at(0).at("outcome").as_object()["signal"] = "SIGKILL";
  CHECK(test::schema_violations(schema, said).size() == 1);
}

TEST_CASE("the text report says the same to people", "[report]") {
  CHECK(report(one_retry(), ReportFormat::text, Redactor()) ==
        "command: oras cp --password [redacted] 'a|b'\n"
        "started: 2026-05-04T12:00:00.000Z\n"
        "result: succeeded on attempt 2 after 4.5s (exit code 0)\n"
        "attempt 1: exit 1, absent (ghcr/manifest-by-digest) in 0.8s\n"
        "  Error: " +
            digest +
            ": not found, token=[redacted]\n"
            "  digest: " +
            digest +
            "\n"
            "  a remark\n"
            "  then a wait of 3s, as asked for\n"
            "attempt 2: exit 0 in 0.7s\n"
            "in all: 2 attempts in 4.5s, 1.5s running and 3s waiting\n");
}

TEST_CASE("a run without end keeps its first and last attempts", "[report]") {
  std::vector<Event> events;
  for (unsigned attempt = 1; attempt <= 2500; ++attempt) {
    events.emplace_back(AttemptStarted{attempt, 0});
    events.emplace_back(AttemptFinished{attempt, 0, Exited{1}, 1s, std::nullopt, {}});
    events.emplace_back(WaitStarted{2s});
  }
  events.emplace_back(RunFinished{StopReason::interrupted, 130, 2500, 7500s, {}});
  const RunRecord record = recorded(events);
  CHECK(record.attempts.size() == 1000);
  CHECK(record.omitted == 1500);
  CHECK(record.attempts.front().number == 1);
  CHECK(record.attempts[499].number == 500);
  CHECK(record.attempts[500].number == 2001);
  CHECK(record.attempts.back().number == 2500);
  CHECK(record.running == 2500s);
  CHECK(record.waiting == 5000s);
  CHECK(violations(record).empty());
  CHECK(run_summary(record, Redactor()).size() < 200'000);
}

TEST_CASE("a report's format is its prefix's, or its name's", "[report]") {
  const auto target = [](const char* text) { return parse_report_target(text).value(); };
  CHECK(target("json:a") == ReportTarget{ReportFormat::json, "a"});
  CHECK(target("text:a.json") == ReportTarget{ReportFormat::text, "a.json"});
  CHECK(target("a.json") == ReportTarget{ReportFormat::json, "a.json"});
  CHECK(target("a.txt") == ReportTarget{ReportFormat::text, "a.txt"});
  CHECK(target("-") == ReportTarget{ReportFormat::text, "-"});
  CHECK(target("json:-") == ReportTarget{ReportFormat::json, "-"});
  CHECK(parse_report_target("json:").has_error());
  CHECK(parse_report_target("").has_error());
}

TEST_CASE("a report replaces the file of its name, and nothing else is left", "[report]") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "report.json";
  CHECK(write_report(path, "one\n").has_value());
  CHECK(write_report(path, "two\n").has_value());
  CHECK(test::read_file(path) == "two\n");
  std::filesystem::create_symlink("report.json", folder.path() / "link");
  CHECK(write_report(folder / "link", "three\n").has_value());
  CHECK(test::read_file(path) == "three\n");
  CHECK(std::filesystem::is_symlink(folder.path() / "link"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("a report is made beside files of others, never over them", "[report]") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "report.json";
  const std::string taken = folder.write("report.json.new-" + std::to_string(::getpid()), "mine");
  CHECK(write_report(path, "one").has_value());
  CHECK(test::read_file(path) == "one");
  CHECK(test::read_file(taken) == "mine");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("a report to something that is no file is written to it", "[report]") {
  CHECK(write_report("/dev/null", "x").has_value());
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("a report that cannot be written says where and why", "[report]") {
  const test::TemporaryFolder folder;
  const auto refused = write_report(folder / "no/such/report", "x");
  REQUIRE(refused.has_error());
  CHECK(refused.error().where.file == folder / "no/such/report");
  CHECK_THAT(refused.error().what, test::ContainsSubstring("No such file or directory"));
  CHECK(write_report("/dev/full", "x").has_error());
  CHECK(append_summary(folder / "no/such/summary", "x").has_error());
}

TEST_CASE("a summary is added to what is there", "[report]") {
  const test::TemporaryFolder folder;
  CHECK(append_summary(folder / "summary", "one\n").has_value());
  CHECK(append_summary(folder / "summary", "two\n").has_value());
  CHECK(test::read_file(folder / "summary") == "one\ntwo\n");
}

TEST_CASE("text in Markdown means nothing but itself", "[report]") {
  CHECK(markdown_escaped("a|b `c` *d* _e_ [f](g) <h> & @i #1 ~x~ \\") ==
        "a\\|b \\`c\\` \\*d\\* \\_e\\_ \\[f\\](g) &lt;h\\> &amp; &#64;i \\#1 \\~x\\~ \\\\");
  CHECK(markdown_escaped("a\n| b |") == "a \\| b \\|");
}

TEST_CASE("an address in Markdown is a text, and no link to a part of it", "[report]") {
  CHECK(markdown_escaped("GET https://h/a_b: EOF") == "GET https&#58;//h/a\\_b: EOF");
  CHECK(markdown_escaped("www.h.example, Www.i") == "www&#46;h.example, Www&#46;i");
}

TEST_CASE("a text in Markdown begins neither a list nor code", "[report]") {
  CHECK(markdown_escaped("- a - b") == "\\- a - b");
  CHECK(markdown_escaped("12. a 3. b") == "12\\. a 3. b");
  CHECK(markdown_escaped("    + a") == "\\+ a");
  CHECK(markdown_escaped("-a +b 1.2s 3)") == "-a +b 1.2s 3)");
  CHECK(markdown_escaped("3)") == "3\\)");
}

TEST_CASE("the summary is a table of the attempts and a chart", "[report]") {
  CHECK(run_summary(one_retry(), Redactor()) ==
        "**retry-exec** succeeded on attempt 2 after 4.5s: "
        "oras cp --password \\[redacted\\] 'a\\|b'\n"
        "\n"
        "| attempt | took | outcome | class | rule | what it said | then waited |\n"
        "| ---: | ---: | --- | --- | --- | --- | ---: |\n"
        "| 1 | 0.8s | exit 1 | absent | ghcr/manifest-by-digest | " +
            digest +
            ": not found, token=\\[redacted\\] | 3s |\n"
            "| 2 | 0.7s | exit 0 |  |  |  |  |\n"
            "\n"
            "```mermaid\n"
            "gantt\n"
            "    dateFormat x\n"
            "    axisFormat %S.%L s\n"
            "    section attempts\n"
            "    ✗ attempt 1 absent (ghcr/manifest-by-digest) :crit, 1777896000100, 800ms\n"
            "    · wait 3s :1777896000900, 3000ms\n"
            "    ✓ attempt 2 :done, 1777896000200, 700ms\n"
            "```\n\n");
}

TEST_CASE("the summary of a run that succeeds at once is one line", "[report]") {
  const RunRecord record =
      recorded({AttemptStarted{1, 5}, AttemptFinished{1, 1, Exited{0}, 1s, std::nullopt, {}},
                RunFinished{StopReason::success, 0, 1, 1s, {}}});
  CHECK(run_summary(record, Redactor()) ==
        "**retry-exec** succeeded on attempt 1 after 1s: "
        "oras cp --password \\[redacted\\] 'a\\|b'\n\n");
}

TEST_CASE("names cannot break a chart", "[report]") {
  const std::vector<ChartRow> rows = {
      {.section = "a: b; c # d %% e\nsection f", .label = "gantt", .length = 0s},
      {.section = "g",
       .label = "2026-05-04: x, y ``` <b>",
       .start = 1s,
       .length = 2s,
       .status = ChartRow::Status::running},
      {.section = "g", .label = "", .start = 3s, .length = 1s, .status = ChartRow::Status::failed}};
  CHECK(gantt_chart(noon, rows) ==
        "```mermaid\n"
        "%%{init: {\"gantt\": {\"leftPadding\": 207}}}%%\n"
        "gantt\n"
        "    dateFormat x\n"
        "    axisFormat %S.%L s\n"
        "    section a∶ b  c ♯ d ٪٪ e section f\n"
        "    ✓ gantt :done, 1777896000000, 1ms\n"
        "    section g\n"
        "    ▸ 2026-05-04∶ x  y ''' ‹b› :active, 1777896001000, 2000ms\n"
        "    ✗ unnamed :crit, 1777896003000, 1000ms\n"
        "```\n");
  CHECK(gantt_chart(noon, {}).empty());
}

TEST_CASE("the axis of a chart fits its length", "[report]") {
  const auto axis = [](Duration length) {
    const std::vector<ChartRow> rows = {{.section = "s", .label = "l", .length = length}};
    const std::string chart = gantt_chart(noon, rows);
    const std::size_t at = chart.find("axisFormat ");
    return chart.substr(at + 11, chart.find('\n', at) - at - 11);
  };
  CHECK(axis(900ms) == "%S.%L s");
  CHECK(axis(45s) == "%H:%M:%S");
  CHECK(axis(2h) == "%H:%M");
}

TEST_CASE("a chart of very many rows shows the longest and says so", "[report]") {
  std::vector<ChartRow> rows(5000, ChartRow{.section = "s", .label = "short", .length = 1ms});
  rows[4000] = {.section = "s", .label = "long", .length = 1h};
  const std::string chart = gantt_chart(noon, rows);
  CHECK(chart.size() < 50'000);
  CHECK_THAT(chart, test::ContainsSubstring("✓ long :done"));
  CHECK_THAT(chart, test::ContainsSubstring("The longest 250 of 5000 are shown."));
}
