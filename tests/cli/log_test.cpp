// What a person, a program and GitHub see of a run.
#include "wrapped.hpp"

#include <unistd.h>

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

TEST_CASE("a report is refused that would replace the summary or a rule file", "[log]") {
  const TemporaryFolder folder;
  const std::string rules =
      "retry-rules: 1\nname: r\nrules: [{id: x, class: transient, match: y}]\n";
  folder.write("rules.yaml", rules);
  const auto code = [&](const std::string& options) {
    return run({.argv = {"bash", "-c",
                         "cd '" + folder.path().string() + "'; '" + required("RETRY_EXEC") + "' " +
                             options + " -- true"}});
  };
  const Ended both = code("-R new --summary ./new");
  CHECK(both.exit_code() == 125);
  CHECK_THAT(both.err, ContainsSubstring("new: this is the file of --summary"));
  CHECK_FALSE(std::filesystem::exists(folder / "new"));
  CHECK(code("-R rules.yaml -r ./rules.yaml").exit_code() == 125);
  CHECK(read_file(folder / "rules.yaml") == rules);
  CHECK(code("--summary rules.yaml -r ./rules.yaml").exit_code() == 125);
  folder.write("outer.yaml", "retry-rules: 1\nname: o\ninclude: [ghcr, rules.yaml]\n");
  for (const std::string option : {"-R", "--summary"}) {
    const Ended included = code(option + " ./rules.yaml -r outer.yaml");
    CHECK(included.exit_code() == 125);
    CHECK_THAT(included.err, ContainsSubstring("rules.yaml: this is a rule file"));
  }
  CHECK(read_file(folder / "rules.yaml") == rules);
  CHECK(code("-R one --summary two -r ./rules.yaml").exit_code() == 0);
  CHECK(code("-R /dev/null --summary /dev/null").exit_code() == 0);
}

TEST_CASE("the summary goes where GitHub wants it", "[log]") {
  const TemporaryFolder folder;
  Program program = flaky(folder, {});
  program.environment.push_back({"GITHUB_STEP_SUMMARY", folder / "summary"});
  run(program);
  CHECK_THAT(read_file(folder / "summary"), ContainsSubstring("gantt"));
}

TEST_CASE("--explain is short, and tells the policy that is in force", "[log]") {
  const TemporaryFolder folder;
  const Ended brief = run(flaky(folder, {"--explain", "-a", "3", "-m", "20ms"}));
  CHECK_THAT(brief.err, ContainsSubstring("verdict: absent (t/lag), retried\n"));
  CHECK_THAT(brief.err, ContainsSubstring("policy   up to 3 attempts, exponential waits from 10ms "
                                          "by 2 up to 20ms, jitter none\n"));
  CHECK_THAT(brief.err, ContainsSubstring("waits    at most 10ms 20ms\n"));
  CHECK_THAT(brief.err, ContainsSubstring("0 rules do not match\n"));
  CHECK_THAT(brief.err, !ContainsSubstring("rules tried, in order"));
  ::unlink((folder / "n").c_str());
  CHECK_THAT(run(flaky(folder, {"--explain", "-v"})).err,
             ContainsSubstring("rules tried, in order"));
  const Ended unmatched = run(wrapped(at_once({"--explain", "-a", "2"}), {"exit", "3"}));
  CHECK_THAT(unmatched.err, ContainsSubstring("unmatched: no rule knows it, retried"));
  const Ended final = run(wrapped({"--explain"}, {"exit", "127"}));
  CHECK_THAT(final.err, ContainsSubstring("no rule knows it, stops"));
}

TEST_CASE("--explain shows the end of a long log, where causes stand", "[log]") {
  const Ended ended = run(wrapping({"-q", "-a", "1"}, {"true"}));
  CHECK(ended.err.empty());
  const Ended lines =
      run(wrapping({"--explain", "-a", "1"}, {"sh", "-c", "seq 1 1000 >&2; exit 1"}));
  CHECK_THAT(lines.err, ContainsSubstring("without its first 990 lines"));
  CHECK_THAT(lines.err, ContainsSubstring("retry-exec:     1000\n"));
  CHECK_THAT(lines.err, !ContainsSubstring("retry-exec:     990\n"));
}

TEST_CASE("under GitHub Actions each failed attempt is told once", "[log]") {
  const TemporaryFolder folder;
  const Ended retried = run(flaky(folder, {"--log", "github"}));
  CHECK(count(retried.err, "attempt 1/5 failed") == 1);
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--unmatched", "stop"}, {"-a", "1", "--unmatched", "retry"}}) {
    Program program = wrapped(options, {"err", "boom\n", "+", "exit", "1"});
    program.argv.insert(program.argv.begin() + 1, {"--log", "github"});
    const Ended ended = run(program);
    CHECK(count(ended.err, "::error title=") == 1);
    CHECK(count(ended.err, ": boom") == 1);
  }
}

TEST_CASE("a retry-exec in a retry-exec says so once, with -v", "[log]") {
  const std::vector<std::string> inner = {
      required("RETRY_EXEC"), "-v", "-a", "2", "-d", "0", "--", helper(), "exit", "3"};
  const Ended ended = run(wrapping({"-a", "1"}, inner));
  CHECK(count(ended.err, "inside another retry-exec") == 1);
  std::vector<std::string> quiet = inner;
  quiet.erase(quiet.begin() + 1);
  CHECK_THAT(run(wrapping({"-a", "1"}, quiet)).err, !ContainsSubstring("inside another"));
  CHECK_THAT(run({.argv = inner}).err, !ContainsSubstring("inside another"));
}

TEST_CASE("a line of ours begins at the start of a line behind held output, too", "[log]") {
  const auto printed = [](const std::string& options, const std::string& script) {
    return run({.argv = {"sh", "-c",
                         "'" + required("RETRY_EXEC") + "' -a 2 -d 10ms -j none " + options +
                             " -- sh -c '" + script + "' 2>&1"}})
        .out;
  };
  for (const std::string script : {"printf part; exit 1", "printf part >&2; exit 1",
                                   "printf part >&2; [ $RETRY_EXEC_ATTEMPT = 2 ]"}) {
    for (const std::string options : {"-E", "-O", "-O -E", "-E -v", "-O -v", "-O -E -v"}) {
      INFO(options << " " << script);
      CHECK_THAT(printed(options + " --log json", script), !ContainsSubstring("part{"));
      CHECK_THAT(printed(options + " --log github", script), !ContainsSubstring("part::"));
      CHECK_THAT(printed(options, script), !ContainsSubstring("partretry-exec"));
    }
  }
  CHECK_THAT(printed("-E", "printf \"\\033[31mred\" >&2; exit 1"),
             ContainsSubstring("red\033[0m\nretry-exec: "));
}

TEST_CASE("what --before-retry printed last gives no colour to a line of ours", "[log]") {
  Program program = wrapping({"-a", "2", "-d", "10ms", "-j", "none"}, {"false"});
  program.argv.insert(program.argv.begin() + 1,
                      {"-v", "--before-retry", "printf '\\033[32mgreen'; exit 1"});
  CHECK_THAT(run(program).err, ContainsSubstring("green\033[0m\nretry-exec: "));
}

TEST_CASE("what is said after a success begins at the start of a line, too", "[log]") {
  Program program = wrapping(at_once(), {"sh", "-c", "printf part >&2"});
  program.argv.insert(program.argv.begin() + 1, {"-R", "text:/nowhere/report"});
  CHECK_THAT(run(program).err, StartsWith("part\nretry-exec: "));
}
