// What a person, a program and GitHub see of a run.
#include "wrapped.hpp"

using namespace test;

namespace {

Program flaky(const TemporaryFolder& folder, std::vector<std::string> options) {
  const std::string rules = folder.write("r.yaml", R"(
retry-rules: 1
name: t
details: {digest: 'sha256:[0-9a-f]{64}'}
rules:
  - {id: lag, class: absent, match: 'not found$'}
  - {id: denied, class: permanent, match: '^denied'}
)");
  options.insert(options.end(), {"-r", rules, "-d", "10ms", "-j", "none"});
  return wrapped(options,
                 {"fail-times", folder / "n", "1",
                  "Error: sha256:" + std::string(64, 'a') + ": not found", "+", "out", "ok"});
}

}  // namespace

TEST_CASE("a retried run says what failed, why it waits, and how it ended", "[log]") {
  const TemporaryFolder folder;
  const Ended ended = run(flaky(folder, {}));
  CHECK(ended.out == "ok");
  const auto lines = lines_of(ended.err);
  REQUIRE(lines.size() == 4);
  CHECK_THAT(lines[1], StartsWith("retry-exec: attempt 1/5 failed in "));
  CHECK_THAT(lines[1], ContainsSubstring("exit 1, absent (t/lag): "));
  CHECK_THAT(lines[1], ContainsSubstring("sha256:" + std::string(64, 'a')));
  CHECK(lines[2] == "retry-exec: waiting 10ms");
  CHECK_THAT(lines[3], StartsWith("retry-exec: succeeded on attempt 2/5 after "));
}

TEST_CASE("-q says nothing", "[log]") {
  const TemporaryFolder folder;
  CHECK(lines_of(run(flaky(folder, {"-q"})).err).size() == 1);
}

TEST_CASE("a failure that no rule knows says how to go on", "[log]") {
  const TemporaryFolder folder;
  Program program = flaky(folder, {});
  program.argv.back() = "x";
  const std::string rules = folder / "r.yaml";
  const Ended ended = run(wrapped({"-r", rules}, {"err", "a new failure\n", "+", "exit", "1"}));
  CHECK_THAT(ended.err, ContainsSubstring("no rule knows"));
  CHECK_THAT(ended.err, ContainsSubstring("retry-rules"));
}

TEST_CASE("a permanent failure says so, and the rule that knew it", "[log]") {
  const TemporaryFolder folder;
  flaky(folder, {});
  const Ended ended =
      run(wrapped({"-r", folder / "r.yaml"}, {"err", "denied: no\n", "+", "exit", "1"}));
  CHECK_THAT(ended.err, ContainsSubstring("permanent (t/denied)"));
}

TEST_CASE("the command's output cannot forge our lines nor GitHub's commands", "[log]") {
  const TemporaryFolder folder;
  folder.write("r.yaml",
               "retry-rules: 1\nname: t\nrules: [{id: x, class: transient, match: flaky}]\n");
  const std::string text = "flaky \x1b[2J\r::error::forged %0A::warning::forged\n";
  for (const char* format : {"text", "github"}) {
    Program program =
        wrapped({"-E", "-a", "2", "-d", "0", "--log", format, "-r", folder / "r.yaml"},
                {"err", text, "+", "exit", "1"});
    const Ended ended = run(program);
    for (const std::string& line : lines_of(ended.err)) {
      if (line + "\n" == text || line.starts_with("flaky")) continue;  // the command's own, once
      const bool ours = line.starts_with("retry-exec: ") || line.starts_with("::warning title=") ||
                        line.starts_with("::error title=");
      INFO(line);
      CHECK(ours);
      CHECK(line.find('\x1b') == std::string::npos);
    }
  }
}

TEST_CASE("secrets of the command, its output and the environment are not echoed", "[log]") {
  const TemporaryFolder folder;
  folder.write("r.yaml",
               "retry-rules: 1\nname: t\nrules: [{id: x, class: transient, match: flaky}]\n");
  Program program =
      wrapped({"-E", "-v", "-a", "2", "-d", "0", "-r", folder / "r.yaml", "-R",
               "json:" + (folder / "report")},
              {"err", "flaky https://u:hunter2secret@host/x?sig=abcdef token-in-env-1234 \n", "+",
               "exit", "1"});
  program.environment.push_back({"MY_TOKEN", "token-in-env-1234"});
  const Ended ended = run(program);
  const char* const secrets[] = {"hunter2secret", "sig=abcdef", "token-in-env-1234"};
  for (const std::string& line : lines_of(ended.err)) {
    if (!line.starts_with("retry-exec: ")) continue;  // the command's own
    INFO(line);
    for (const char* secret : secrets) CHECK(line.find(secret) == std::string::npos);
  }
  const std::string report = read_file(folder / "report");
  REQUIRE_FALSE(report.empty());
  for (const char* secret : secrets) {
    CHECK(report.find(secret) == std::string::npos);
  }
}

TEST_CASE("the log as JSON is one object a line", "[log]") {
  const TemporaryFolder folder;
  const Ended ended = run(flaky(folder, {"--log", "json", "-v", "--explain"}));
  for (const std::string& line : lines_of(ended.err)) {
    if (line.starts_with("Error:")) continue;  // the command's own
    INFO(line);
    CHECK(line.front() == '{');
    CHECK(line.back() == '}');
  }
}

TEST_CASE("the report is written for successes and failures alike", "[log]") {
  const TemporaryFolder folder;
  CHECK(run(flaky(folder, {"-R", "json:" + (folder / "one")})).exit_code() == 0);
  CHECK_THAT(read_file(folder / "one"), ContainsSubstring("\"success\""));
  CHECK_THAT(run(wrapped({"-q", "-R", "json:-"}, {"out", "x"})).out,
             ContainsSubstring("\"attempts\""));
  const Ended full = run(wrapped({"-R", "/dev/full"}, {"exit", "0"}));
  CHECK_THAT(full.err, ContainsSubstring("/dev/full"));
  CHECK(full.exit_code() == 0);
}

TEST_CASE("the summary goes where GitHub wants it", "[log]") {
  const TemporaryFolder folder;
  Program program = flaky(folder, {});
  program.environment.push_back({"GITHUB_STEP_SUMMARY", folder / "summary"});
  run(program);
  CHECK_THAT(read_file(folder / "summary"), ContainsSubstring("gantt"));
}
