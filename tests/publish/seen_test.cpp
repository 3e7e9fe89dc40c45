// What people and programs see of a run.
#include "json_schema.hpp"
#include "publish_scene.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

using namespace test;

namespace json = boost::json;

namespace {

// Three targets, of which alpha's first source lags and gamma's destination refuses.
void lag_and_refuse(PublishScene& scene) {
  three_targets(scene, 30);
  scene.push_sources();
  scene.first.change_plan(
      "faults:\n  - {name: late, methods: [GET], kind: manifest, repository: 'build/alpha/.*', "
      "digest: '" +
      scene.targets[0].images[0].digest + "', invisible: {reads: 4}}\n");
  scene.second.change_plan(
      "faults:\n  - {name: denied, methods: [POST, PUT, PATCH], repository: 'final/gamma', "
      "answer: {status: 403}}\n");
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("the report of a real run is as its schema says and tells lags, verdicts and attempts",
          "[seen]") {
  PublishScene scene;
  lag_and_refuse(scene);
  const Ended ended = scene.publish({"--report", "json:" + (scene.folder / "report.json")});
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 1);
  const json::value report = json::parse(read_file(scene.folder / "report.json"));
  const json::value schema = json::parse(read_file(required("PUBLISH_REPORT_SCHEMA")));
  CHECK(schema_violations(schema, report) == std::vector<std::string>{});
  CHECK(report.at("exit_code").as_int64() == 1);
  const json::array& targets = report.at("targets").as_array();
  REQUIRE(targets.size() == 3);
  const json::value& lag = targets[0].at("lags").as_array().at(0);
  CHECK(lag.at("what").as_string().find(scene.targets[0].images[0].digest) != json::string::npos);
  CHECK(lag.at("probes").as_int64() == 5);
  CHECK(targets[1].at("succeeded").as_bool());
  const json::value& failure = targets[2].at("failure");
  CHECK(failure.at("phase").as_string() == "copy");
  CHECK(failure.at("verdict").at("class").as_string() == "permanent");
  CHECK(failure.at("command").as_array().size() > 3);
}

TEST_CASE("commands and phases are told from the same moment on", "[seen]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 34)};
  scene.push_sources();
  const std::string slow = scene.folder.write(
      "oras", "#!/bin/sh\n[ \"$1\" != version ] || sleep 3\nexec " + scene.oras + " \"$@\"\n");
  std::filesystem::permissions(slow, std::filesystem::perms::owner_all);
  scene.oras = slow;
  const Ended ended = scene.publish({"--report", "json:" + (scene.folder / "report.json")});
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
  const json::value report = json::parse(read_file(scene.folder / "report.json"));
  const json::value& target = report.at("targets").as_array().at(0);
  const auto phase = target.at("phases").as_array().at(0).at("started_ms").to_number<double>();
  const auto command = target.at("commands").as_array().at(0).at("started_ms").to_number<double>();
  CHECK(command >= phase);
  CHECK(command < phase + 3000);
}

TEST_CASE("the list of failures has phase, verdict and the command to run by hand", "[seen]") {
  PublishScene scene;
  lag_and_refuse(scene);
  const Ended ended = scene.publish({"--quiet"});
  REQUIRE(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("not published:\n  gamma: copy: permanent, permanent ("));
  CHECK_THAT(ended.err, ContainsSubstring("    by hand: " + scene.oras + " cp "));
  CHECK(ended.out.empty());
}

TEST_CASE("GitHub gets annotations, groups and a summary with a chart", "[seen]") {
  PublishScene scene;
  lag_and_refuse(scene);
  Program program = scene.program();
  const std::string summary = scene.folder.write("summary.md", "before\n");
  program.environment.insert(program.environment.end(),
                             {{"GITHUB_ACTIONS", "true"}, {"GITHUB_STEP_SUMMARY", summary}});
  const Ended ended = run(program);
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 1);
  CHECK(count(ended.err, "::group::") == 3);
  CHECK(count(ended.err, "::endgroup::") == 3);
  CHECK(count(ended.err, "::error title=retry-publish%3A gamma%3A copy::") == 1);
  const std::string written = read_file(summary);
  INFO(written);
  CHECK(written.starts_with("before\n**retry-publish** published 2 of 3 targets"));
  CHECK_THAT(written, ContainsSubstring("| alpha | published |"));
  CHECK_THAT(written, ContainsSubstring("| gamma | failed: copy |"));
  CHECK_THAT(written, ContainsSubstring("by hand: "));
  CHECK_THAT(written, ContainsSubstring("```mermaid\ngantt\n"));
  CHECK_THAT(written, ContainsSubstring("    section alpha\n"));
  CHECK_THAT(written, ContainsSubstring("… waited "));
  CHECK_THAT(written, ContainsSubstring("s (5 probes) :"));
}

TEST_CASE("a shard that has no target says so", "[seen]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 34)};
  const Ended none = scene.publish({"--shard", "2/2"});
  CHECK(none.exit_code() == 0);
  CHECK(none.err == "retry-publish: shard 2/2 has no target: nothing is published\n");
  CHECK(scene.publish({"--shard", "2/2", "-n"}).out ==
        "# shard 2/2 has no target: nothing is published\n");
}

TEST_CASE("two outputs in one file, and one in the plan's place, are refused", "[seen]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 33)};
  const std::string file = scene.folder / "out";
  const std::vector<std::vector<std::string>> wrong = {
      {"-R", "json:" + file, "--digests-file", file},
      {"-R", file, "--summary", scene.folder / "./out"},
      {"--digests-file", file, "--summary", file}};
  for (const std::vector<std::string>& options : wrong) {
    const Ended ended = scene.publish(options);
    INFO(ended.err);
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("out: this is the file of --"));
    CHECK_FALSE(std::filesystem::exists(file));
  }
  for (const char* option : {"-R", "--digests-file", "--summary"}) {
    const std::string plan = scene.plan_text();
    Program program = scene.program();
    const std::string path = program.argv.back();
    REQUIRE(read_file(path) == plan);
    program.argv.insert(program.argv.end(), {option, path});
    const Ended ended = run(program);
    INFO(ended.err);
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("this is the plan"));
    CHECK(read_file(path) == plan);
  }
  for (const char* variable : {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}) {
    Program program = scene.program();
    const std::string path = program.argv.back();
    const std::string plan = read_file(path);
    program.environment.emplace_back(variable, path);
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("$" + std::string(variable) + ": ") &&
                              ContainsSubstring("this is the plan"));
    CHECK(read_file(path) == plan);
  }
  CHECK(scene.entries_since(from_the_start).empty());
}

TEST_CASE("a rehearsal and a matrix contact nothing and need no tools", "[seen]") {
  PublishScene scene;
  three_targets(scene, 31);
  scene.oras = "/nowhere/oras";
  scene.soci = "/nowhere/soci";
  const Ended rehearsal = scene.publish({"--dry-run"});
  CHECK(rehearsal.exit_code() == 0);
  CHECK(count(rehearsal.out, "/nowhere/oras cp --no-tty --from-plain-http") == 11);
  CHECK(count(rehearsal.out, "/nowhere/soci convert --standalone") == 1);
  const Ended matrix = scene.publish({"--matrix", "--shard", "2/2"});
  CHECK(matrix.exit_code() == 0);
  CHECK(matrix.out == "{\"include\":[{\"target\":\"beta\"}]}\n");
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  Program unwritten = scene.program({"--matrix"});
  unwritten.standard_output = Descriptor{full};
  const Ended lost = run(unwritten);
  ::close(full);
  CHECK(lost.exit_code() == 125);
  CHECK_THAT(lost.err, ContainsSubstring("standard output: "));
  CHECK(scene.first.journal().empty());
  CHECK(scene.second.journal().empty());
}

TEST_CASE("tools that are missing or too old are told before anything is contacted", "[seen]") {
  PublishScene scene;
  three_targets(scene, 32);
  scene.soci = "/nowhere/soci";
  const Ended missing = scene.publish();
  CHECK(missing.exit_code() == 125);
  CHECK_THAT(missing.err, ContainsSubstring("'/nowhere/soci --version' failed"));
  scene.soci = soci_commands().front();
  scene.oras = required("ORAS_1_2_3");
  const Ended old = scene.publish();
  CHECK(old.exit_code() == 125);
  CHECK_THAT(old.err, ContainsSubstring("is version 1.2, and 1.3 is needed"));
  CHECK(scene.first.journal().empty());
  // Only what is needed must be there.
  scene.oras = required("ORAS_1_3_6");
  scene.soci = "/nowhere/soci";
  scene.push_sources();
  CHECK(scene.publish({"--only", "alpha", "--only", "gamma"}).exit_code() == 0);
}

TEST_CASE("the oldest oras that is supported publishes too", "[seen]") {
  PublishScene scene;
  three_targets(scene, 33);
  scene.oras = required("ORAS_1_3_3");
  scene.push_sources();
  scene.both("faults:\n  - {methods: [GET, HEAD], kind: manifest, invisible: {reads: 1}}\n");
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  scene.both("faults: []");
  check_published(scene);
}
