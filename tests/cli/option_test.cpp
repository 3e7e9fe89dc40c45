// Options, environment and rule files, in that order of strength; and what is said of wrong ones.
#include "wrapped.hpp"

using namespace test;

namespace {

// What the log says of the first wait, or of what else happened, under a rule file and more.
std::string waits(std::vector<std::string> options,
                  std::vector<std::pair<std::string, std::optional<std::string>>> environment,
                  const std::string& policy, const std::string& classes = "") {
  const TemporaryFolder folder;
  const std::string rules = folder.write(
      "r.yaml", "retry-rules: 1\nname: t\npolicy: {" + policy + "}\nclasses: {" + classes +
                    "}\nrules:\n  - {id: x, class: transient, match: flaky}\n");
  options.insert(options.begin(), {"-r", rules});
  Program program = wrapped(options, {"err", "flaky\n", "+", "exit", "1"});
  program.environment = std::move(environment);
  return run(program).err;
}

}  // namespace

TEST_CASE("an option beats the environment, which beats the class, the file and the default",
          "[option]") {
  const std::string file = "attempts: 2, delay: 10ms, jitter: none";
  CHECK_THAT(waits({}, {}, file), ContainsSubstring("waiting 10ms"));
  CHECK_THAT(waits({}, {}, file, "transient: {delay: 20ms}"), ContainsSubstring("waiting 20ms"));
  CHECK_THAT(waits({}, {{"RETRY_EXEC_DELAY", "30ms"}}, file, "transient: {delay: 20ms}"),
             ContainsSubstring("waiting 30ms"));
  CHECK_THAT(
      waits({"-d", "40ms"}, {{"RETRY_EXEC_DELAY", "30ms"}}, file, "transient: {delay: 20ms}"),
      ContainsSubstring("waiting 40ms"));
}

TEST_CASE("each number of the policy can be said in each place", "[option]") {
  struct Row {
    std::string option;                              // and its variable
    std::string key;                                 // of the rule file
    std::string strong;                              // value by option
    std::string middle;                              // value by environment
    std::string weak;                                // value by rule file
    std::string by_option, by_environment, by_file;  // what then stands in the log
    std::string others = "";
  };
  const std::vector<Row> rows = {
      {"attempts", "attempts", "2", "3", "4", "attempt 2/2", "attempt 3/3", "attempt 4/4",
       "delay: 1ms"},
      {"delay", "delay", "11ms", "12ms", "13ms", "waiting 11ms", "waiting 12ms", "waiting 13ms",
       "attempts: 2"},
      {"factor", "factor", "2", "3", "4", "waiting 20ms", "waiting 30ms", "waiting 40ms",
       "attempts: 3, delay: 10ms"},
      {"max-delay", "max-delay", "11ms", "12ms", "13ms", "waiting 11ms", "waiting 12ms",
       "waiting 13ms", "attempts: 2, delay: 1s"},
      {"backoff", "backoff", "linear", "constant", "exponential", "waiting 30ms", "attempt 4/4",
       "waiting 40ms", "attempts: 4, delay: 10ms"},
      {"jitter", "jitter", "none", "0%", "1ms", "waiting 10ms", "waiting 10ms", "waiting 1",
       "attempts: 2, delay: 10ms"},
  };
  for (const Row& row : rows) {
    INFO(row.option);
    std::string variable = "RETRY_EXEC_" + row.option;
    for (char& c : variable)
      c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const std::string jitter = row.key == "jitter" ? "" : ", jitter: none";
    const std::string file =
        row.key + ": " + row.weak + jitter + (row.others.empty() ? "" : ", " + row.others);
    CHECK_THAT(waits({"--" + row.option, row.strong}, {{variable, row.middle}}, file),
               ContainsSubstring(row.by_option));
    CHECK_THAT(waits({}, {{variable, row.middle}}, file), ContainsSubstring(row.by_environment));
    CHECK_THAT(waits({}, {}, file), ContainsSubstring(row.by_file));
  }
}

TEST_CASE("ghcr.yaml says five attempts, 2 s doubling up to 32 s", "[option]") {
  const Ended ended = run(wrapped({"-r", "ghcr.yaml", "-n"}, {"exit", "1"}));
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("5 attempts"));
  CHECK_THAT(ended.out, ContainsSubstring("from 2s by 2 up to 32s"));
}

TEST_CASE("option parsing stops at the first operand", "[option]") {
  Program program{
      .argv = {required("RETRY_EXEC"), "-a1", helper(), "print-arguments", "-v", "--help", "-a"}};
  CHECK(run(program).out == "[-v]\n[--help]\n[-a]\n");
}

TEST_CASE("wrong options say what is wrong and what would be right, all at once", "[option]") {
  const Ended ended = run(
      wrapped({"--delya", "2s", "--attempts", "0", "-j", "some", "-s", "SIGFOO"}, {"exit", "0"}));
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("unknown option --delya; did you mean --delay?"));
  const Ended values =
      run(wrapped({"--attempts", "0", "-j", "some", "-s", "SIGFOO", "--unmatched", "maybe",
                   "--retry-on", "300", "-t", "0", "--exhausted-code", "256", "--log", "xml"},
                  {"exit", "0"}));
  CHECK(values.exit_code() == 125);
  for (const char* part : {"--attempts: '0'", "--jitter: 'some'", "--signal: 'SIGFOO'",
                           "--unmatched: 'maybe'", "--retry-on: '300'", "--timeout: '0'",
                           "--exhausted-code: '256'", "--log: unknown log format 'xml'"}) {
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

TEST_CASE("a bad rule file is told whole, with places, and nothing is run", "[option]") {
  const TemporaryFolder folder;
  const std::string rules = folder.write("bad.yaml",
                                         "retry-rules: 1\nname: bad\nrules:\n"
                                         "  - {id: a, class: transient, mathc: x}\n"
                                         "  - {id: a, class: transiant, match: '('}\n");
  const Ended ended = run(wrapped({"-r", rules}, {"out", "ran"}));
  CHECK(ended.exit_code() == 125);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err, ContainsSubstring(rules + ":4:"));
  CHECK_THAT(ended.err, ContainsSubstring("'match'"));
  CHECK_THAT(ended.err, ContainsSubstring(rules + ":5:"));
}

TEST_CASE("the command is told which attempt it is, and how the last one ended", "[option]") {
  const Ended ended =
      run(wrapped(at_once({"-a", "2", "-q"}),
                  {"print-environment", "RETRY_EXEC_ATTEMPT", "RETRY_EXEC_MAX_ATTEMPTS",
                   "RETRY_EXEC_LAST_EXIT", "RETRY_EXEC_DEPTH", "+", "exit", "3"}));
  CHECK(ended.out ==
        "RETRY_EXEC_ATTEMPT=1\nRETRY_EXEC_MAX_ATTEMPTS=2\nRETRY_EXEC_LAST_EXIT=(unset)\nRETRY_EXEC_"
        "DEPTH=1\n"
        "RETRY_EXEC_ATTEMPT=2\nRETRY_EXEC_MAX_ATTEMPTS=2\nRETRY_EXEC_LAST_EXIT=3\nRETRY_EXEC_DEPTH="
        "1\n");
}

TEST_CASE("--retry-on and --stop-on decide by exit code and signal", "[option]") {
  const TemporaryFolder folder;
  CHECK(run(wrapped({"-d", "0", "-a", "3", "--retry-on", "75,KILL"},
                    {"fail-times", folder / "a", "2", "x", "75"}))
            .exit_code() == 0);
  CHECK(run(wrapped({"-d", "0", "--retry-on", "75"}, {"note", folder / "b", "x", "+", "exit", "1"}))
            .exit_code() == 1);
  CHECK(count(read_file(folder / "b"), "x") == 1);
  CHECK(run(wrapped(at_once({"--stop-on", "1-9"}), {"note", folder / "c", "x", "+", "exit", "4"}))
            .exit_code() == 4);
  CHECK(count(read_file(folder / "c"), "x") == 1);
}

TEST_CASE("-n says what would be run, with secrets left out, and runs nothing", "[option]") {
  const TemporaryFolder folder;
  const Ended ended = run(wrapping({"-n", "-r", "ghcr", "-a", "7"},
                                   {"oras", "login", "--password", "hunter2", "ghcr.io"}));
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("oras login --password"));
  CHECK(ended.out.find("hunter2") == std::string::npos);
  CHECK_THAT(ended.out, ContainsSubstring("7 attempts"));
  CHECK_THAT(ended.out, ContainsSubstring("ghcr"));
}
