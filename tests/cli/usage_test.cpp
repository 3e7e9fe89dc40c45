// Words and variables that no option takes: what is said of them.
#include "wrapped.hpp"

#include <map>

using namespace test;

TEST_CASE("wrong options say what is wrong and what would be right, all at once", "[option]") {
  const Ended ended = run(
      wrapped({"--delya", "2s", "--attempts", "0", "-j", "some", "-s", "SIGFOO"}, {"exit", "0"}));
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("unknown option --delya; did you mean --delay?"));
  const Ended values =
      run(wrapped({"--attempts", "0", "-j", "some", "-s", "SIGFOO", "--unmatched", "maybe",
                   "--retry-on", "300", "-t", "soon", "--exhausted-code", "256", "--log", "xml"},
                  {"exit", "0"}));
  CHECK(values.exit_code() == 125);
  for (const char* part :
       {"--attempts: '0'", "or use --forever", "--jitter: 'some'", "--signal: 'SIGFOO'",
        "--unmatched: 'maybe'", "--retry-on: '300'", "--timeout: 'soon'", "--exhausted-code: '256'",
        "--log: unknown log format 'xml'"}) {
    CHECK_THAT(values.err, ContainsSubstring(part));
  }
}

TEST_CASE("a wrong variable is named as such", "[option]") {
  Program program = wrapped({}, {"exit", "0"});
  program.environment = {{"RETRY_EXEC_MAX_DELAY", "long"}, {"RETRY_EXEC_HOLD_STDOUT", "maybe"}};
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("RETRY_EXEC_HOLD_STDOUT: 'maybe'"));
  program.environment.pop_back();
  CHECK_THAT(run(program).err, ContainsSubstring("RETRY_EXEC_MAX_DELAY: 'long'"));
}

TEST_CASE("a variable named as our version is nobody's wish to see it", "[option]") {
  Program program = wrapped({"-q", "-a", "1"}, {"exit", "3"});
  program.environment.push_back({"RETRY_EXEC_VERSION", "1.2.3"});
  CHECK(run(program).exit_code() == 3);
}

TEST_CASE("an option without its value, and a switch with one, are errors", "[option]") {
  CHECK_THAT(run({.argv = {required("RETRY_EXEC"), "--delay"}}).err,
             ContainsSubstring("--delay needs a value"));
  CHECK_THAT(run(wrapped({"--forever=yes"}, {"exit", "0"})).err,
             ContainsSubstring("--forever takes no value"));
  CHECK_THAT(run(wrapped({"--delay="}, {"exit", "0"})).err,
             ContainsSubstring("--delay needs a value"));
}

TEST_CASE("of a setting the last counts, and a file that would not be written is told",
          "[option]") {
  CHECK(run(wrapped({"-a", "5", "-a", "1", "-q"}, {"exit", "3"})).exit_code() == 3);
  const Ended ended = run(wrapped({"-R", "a.json", "-R", "b.json"}, {"out", "ran"}));
  CHECK(ended.exit_code() == 125);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err,
             ContainsSubstring("--report is given twice, as 'a.json' and 'b.json'; give one"));
}

TEST_CASE("retry-publish drops no option that says what is published", "[option]") {
  const auto said = [](std::vector<std::string> options) {
    options.insert(options.begin(), required("RETRY_PUBLISH"));
    const Ended ended = run({.argv = std::move(options)});
    CHECK(ended.exit_code() == 125);
    return ended.err;
  };
  for (const char* option :
       {"--repository", "--metadata-action", "--shard", "--digests-file", "--summary"}) {
    CHECK_THAT(said({option, "1/3", option, "2/3"}),
               ContainsSubstring(std::string(option) + " is given twice, as '1/3' and '2/3'"));
  }
  CHECK_THAT(said({"--shard", "1/3", "--shard", "1/3"}), !ContainsSubstring("twice"));
}

TEST_CASE("an option of which one value would be dropped is not given two", "[option]") {
  for (const char* option : {"--retry-on", "--stop-on", "--before-retry", "--github-output"}) {
    INFO(option);
    const Ended ended = run(wrapped({option, "5", option, "6"}, {"exit", "0"}));
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring(std::string(option) + " is given twice, as "));
  }
  const Ended scripts =
      run({.argv = {required("RETRY_EXEC"), "-c", "echo upload", "-c", "echo announce"}});
  CHECK(scripts.exit_code() == 125);
  CHECK(scripts.out.empty());
  CHECK(run(wrapped({"--retry-on", "5", "--retry-on", "6", "--retry-on", "5"}, {"exit", "0"}))
            .exit_code() == 125);
  // An option beats its variable, and of a number the last counts.
  Program program = wrapped({"--retry-on", "5", "-a", "3", "-a", "1"}, {"exit", "5"});
  program.environment = {{"RETRY_EXEC_RETRY_ON", "6"}};
  CHECK(run(program).exit_code() == 5);
}

TEST_CASE("--accept-done without rules is said to have no effect", "[option]") {
  const std::string told = "--accept-done has no effect without --rules";
  CHECK_THAT(run(wrapped({"--accept-done"}, {"exit", "0"})).err, ContainsSubstring(told));
  CHECK(run(wrapped({"--accept-done", "-r", "generic"}, {"exit", "0"})).err.empty());
}

TEST_CASE("all words that make no sense are told at once, those behind them read", "[option]") {
  const Ended ended = run(
      wrapped({"-Z", "--forever=yes", "--delay=", "--jitter", "", "--delya=3", "-a", "0", "-vz"},
              {"out", "ran"}));
  CHECK(ended.exit_code() == 125);
  CHECK(ended.out.empty());
  for (const char* part :
       {"unknown option -Z", "--forever takes no value", "--delay needs a value (DUR)",
        "--jitter needs a value (KIND)", "unknown option --delya; did you mean --delay?",
        "--attempts: '0'", "unknown option -z"}) {
    CHECK_THAT(ended.err, ContainsSubstring(part));
  }
  for (const char* word : {"--=x", "---"}) {
    CHECK_THAT(run(wrapped({word}, {"exit", "0"})).err,
               ContainsSubstring(std::string("unknown option ") + word));
  }
  CHECK_THAT(run({.argv = {required("RETRY_EXEC"), "-v", "-d"}}).err,
             ContainsSubstring("--delay needs a value (DUR)"));
}

TEST_CASE("a value may look like an option, like an option's name, and like an operand",
          "[option]") {
  CHECK_THAT(run(wrapped({"-a", "-1"}, {"exit", "0"})).err, ContainsSubstring("--attempts: '-1'"));
  CHECK_THAT(run(wrapped({"-r", "quiet"}, {"exit", "0"})).err,
             ContainsSubstring("'quiet' is neither a file nor"));
  CHECK(run(wrapped({"-vqd", "1ms", "-a1"}, {"exit", "7"})).exit_code() == 7);
  CHECK(run({.argv = {required("RETRY_EXEC"), "-R", "-", "-q", "-", "x"}}).exit_code() == 127);
}

TEST_CASE("usage errors show no secret, and are told as the log is", "[option]") {
  Program program = wrapped({"--log", "json", "-a", "hunter22hunter"}, {"exit", "0"});
  program.environment = {{"API_TOKEN", "hunter22hunter"}};
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 125);
  CHECK(count(ended.err, "hunter22hunter") == 0);
  CHECK(ended.err.starts_with("{"));
  CHECK_THAT(ended.err, ContainsSubstring("--attempts: "));
}

TEST_CASE("retry-publish tells its errors as its log is", "[option]") {
  const TemporaryFolder folder;
  const std::string plan =
      folder.write("plan.yaml",
                   "retry-publish: 1\ntools: {oras: /nonexistent/oras}\ntargets:\n  one:\n    "
                   "sources: ['ghcr.io/o/r@sha256:" +
                       std::string(64, 'a') + "']\n    tags: [ghcr.io/o/r:1]\n");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{plan, "--log", "json"},
        std::vector<std::string>{"--log=json", folder / "none.yaml"}}) {
    Program program;
    program.argv = {required("RETRY_PUBLISH")};
    program.argv.insert(program.argv.end(), words.begin(), words.end());
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 125);
    REQUIRE_FALSE(ended.err.empty());
    for (const std::string& line : lines_of(ended.err)) CHECK(line.starts_with("{"));
  }
}
