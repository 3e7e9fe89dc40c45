// What is said of how a target, and the run, ended.
#include "catch_shim.hpp"
#include "json_schema.hpp"
#include "source_paths.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/publish_views.hpp>

#include <boost/json/parse.hpp>

#include <string>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::plan;
using namespace retry_exec::publish::views;
using namespace std::chrono_literals;

namespace json = boost::json;

namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

// Every tag holds something newer.
PublishRecord left_alone() {
  TargetResult target;
  target.name = "app";
  target.digest = target.index = digest;
  target.tags = {{.tag = {"ghcr.io", "o/r", "1", ""}, .newer = true},
                 {.tag = {"ghcr.io", "o/r", "2", ""}, .newer = true}};
  target.phases = {{.phase = Phase::preflight, .elapsed = 1s, .succeeded = true, .note = {}}};
  PublishRecord record{.plan = "plan.yaml", .started = {}, .commands = {}, .result = {}};
  record.result.targets = {target};
  return record;
}

std::string log_of(const TargetResult& target, LogFormat format) {
  const Redactor redactor;
  std::string text;
  PublishLog log({.format = format, .program = "retry-publish", .now = {}}, redactor,
                 [&](std::string_view lines) { text += lines; });
  log.take(TargetFinished{&target});
  return text;
}

}  // namespace

TEST_CASE("A target whose tags were all left alone is not told to be published", "[publish]") {
  const PublishRecord record = left_alone();
  const Redactor redactor;
  const std::string summary = publish_summary(record, redactor);
  CHECK_THAT(summary, test::ContainsSubstring("published 0 of 1 target"));
  CHECK_THAT(summary, test::ContainsSubstring("| app | left alone |  | 2 |"));
  const std::string text = publish_report(record, ReportFormat::text, redactor);
  CHECK_THAT(text, test::ContainsSubstring("\napp: left alone\n"));
  CHECK_THAT(text, test::ContainsSubstring("o/r:1: left alone: what is there is newer\n"));
  const std::string report = publish_report(record, ReportFormat::json, redactor);
  const json::value said = json::parse(report);
  CHECK(said.at("targets").at(0).at("left_alone").as_bool());
  const json::value schema = json::parse(test::read_file(PUBLISH_REPORT_SCHEMA));
  CHECK(test::schema_violations(schema, said) == std::vector<std::string>{});
  const std::string log = log_of(record.result.targets[0], LogFormat::github);
  CHECK_THAT(log, test::ContainsSubstring("ghcr.io/o/r:1: left alone, what is there is newer\n"));
  CHECK_THAT(log, test::ContainsSubstring("app: 2 tags left alone, what is there is newer ("));
  CHECK_THAT(log_of(record.result.targets[0], LogFormat::json),
             test::ContainsSubstring("\"left_alone\":true"));
  // Its digest is nowhere.
  for (const std::string& told : {summary, text, report, log}) {
    CHECK(told.find(digest) == std::string::npos);
  }
}

TEST_CASE("A target of which one tag was left alone is published", "[publish]") {
  PublishRecord record = left_alone();
  record.result.targets[0].tags[1] = {
      .tag = {"ghcr.io", "o/r", "2", ""}, .copied = true, .verified = true};
  const Redactor redactor;
  CHECK_THAT(publish_summary(record, redactor), test::ContainsSubstring("| app | published | sha"));
  const std::string report = publish_report(record, ReportFormat::json, redactor);
  CHECK(json::parse(report).at("targets").at(0).at("digest").as_string() == digest.c_str());
}

TEST_CASE("A report has the exit code of the program, whatever the targets came to", "[publish]") {
  PublishRecord record = left_alone();
  record.exit_code = 125;
  const Redactor redactor;
  CHECK(json::parse(publish_report(record, ReportFormat::json, redactor)).at("exit_code") == 125);
  CHECK_THAT(publish_report(record, ReportFormat::text, redactor),
             test::ContainsSubstring("exit code 125\n"));
}
