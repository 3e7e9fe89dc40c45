// Options, environment and rule files, in that order of strength; and what is said of wrong ones.
#include "wrapped.hpp"

#include <map>
#include <regex>

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
       "waiting 13ms", "attempts: 2"},
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

TEST_CASE("the version comes with the commit and the libraries", "[option]") {
  for (const char* program : {"RETRY_EXEC", "RETRY_PUBLISH", "RETRY_RULES"}) {
    const std::string path = required(program);
    const Ended ended = run({.argv = {path, "--version"}});
    INFO(ended.out);
    const std::vector<std::string> lines = lines_of(ended.out);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0] == path.substr(path.rfind('/') + 1) + " " RETRY_EXEC_VERSION);
    CHECK(std::regex_match(lines[1],
                           std::regex("commit ([0-9a-f]{12,}(-dirty)?|unknown); Boost 1\\.[0-9.]+, "
                                      "PCRE2 10\\.[0-9]+, yaml-cpp [0-9.]+")));
  }
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
  // What is no number of runs around us counts for none.
  Program odd = wrapped({}, {"print-environment", "RETRY_EXEC_DEPTH"});
  odd.environment = {{"RETRY_EXEC_DEPTH", "-5"}};
  CHECK(run(odd).out == "RETRY_EXEC_DEPTH=1\n");
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

TEST_CASE("a first wait that is given is not cut by a longest wait that is not", "[option]") {
  const std::vector<std::string> cut = {"--deadline", "30s", "-j", "none", "-a", "9"};
  const auto first_wait =
      [&](std::vector<std::string> options,
          std::vector<std::pair<std::string, std::optional<std::string>>> environment,
          const std::string& policy, const std::string& classes = "") {
        options.insert(options.end(), cut.begin(), cut.end());
        return waits(std::move(options), std::move(environment), policy, classes);
      };
  for (const char* backoff : {"constant", "linear", "exponential", "decorrelated"}) {
    INFO(backoff);
    CHECK_THAT(first_wait({"-d", "60", "--backoff", backoff}, {}, ""),
               ContainsSubstring("a wait of 1m does not fit"));
  }
  CHECK_THAT(first_wait({}, {{"RETRY_EXEC_DELAY", "1m"}}, "max-delay: 40s"),
             ContainsSubstring("a wait of 1m does not fit"));
  CHECK_THAT(first_wait({}, {}, "delay: 1m"), ContainsSubstring("a wait of 1m does not fit"));
  CHECK_THAT(first_wait({}, {}, "max-delay: 40s", "transient: {delay: 1m}"),
             ContainsSubstring("a wait of 1m does not fit"));
  CHECK_THAT(first_wait({"-d", "1m"}, {{"RETRY_EXEC_MAX_DELAY", "40s"}}, ""),
             ContainsSubstring("a wait of 1m does not fit"));
  CHECK_THAT(first_wait({"-m", "40s"}, {{"RETRY_EXEC_DELAY", "1m"}}, ""),
             ContainsSubstring("a wait of 40s does not fit"));
}

TEST_CASE("a delay and a shorter longest wait in one place contradict each other", "[option]") {
  const Ended options = run(wrapped({"-d", "1m", "-m", "40s"}, {"exit", "0"}));
  CHECK(options.exit_code() == 125);
  CHECK_THAT(options.err,
             ContainsSubstring("--delay and --max-delay: a max-delay of 40s is shorter "
                               "than the delay of 1m"));
  Program variables = wrapped({}, {"exit", "0"});
  variables.environment = {{"RETRY_EXEC_DELAY", "1m"}, {"RETRY_EXEC_MAX_DELAY", "40s"}};
  CHECK_THAT(run(variables).err, ContainsSubstring("RETRY_EXEC_DELAY and RETRY_EXEC_MAX_DELAY: "));
  CHECK_THAT(waits({}, {}, "delay: 1m, max-delay: 40s"),
             ContainsSubstring("r.yaml:3:32: a max-delay of 40s is shorter"));
}

TEST_CASE("none and 0 switch off a limit that a weaker place sets", "[option]") {
  const TemporaryFolder folder;
  const std::string rules = folder.write(
      "r.yaml", "retry-rules: 1\nname: t\npolicy: {timeout: 7s, idle-timeout: 8s, deadline: 9s}\n");
  const std::vector<std::string> limits = {"timeout", "idle-timeout", "deadline"};
  const std::vector<std::string> shown = {"7s an attempt", "8s without output", "9s in all"};
  for (std::size_t i = 0; i < limits.size(); ++i) {
    INFO(limits[i]);
    CHECK_THAT(run(wrapped({"-n", "-r", rules}, {"exit", "0"})).out, ContainsSubstring(shown[i]));
    for (const char* off : {"none", "0", "0s"}) {
      CHECK_THAT(run(wrapped({"-n", "-r", rules, "--" + limits[i], off}, {"exit", "0"})).out,
                 !ContainsSubstring(shown[i]));
      Program program = wrapped({"-n", "-r", rules}, {"exit", "0"});
      std::string variable = "RETRY_EXEC_" + limits[i];
      for (char& c : variable)
        c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      program.environment = {{variable, off}};
      CHECK_THAT(run(program).out, !ContainsSubstring(shown[i]));
    }
  }
  folder.write("r.yaml", "retry-rules: 1\nname: t\npolicy: {timeout: 100ms}\n");
  CHECK(run(wrapping({"-r", rules, "-t", "none"}, {"sleep", "0.3"})).exit_code() == 0);
  folder.write("r.yaml", "retry-rules: 1\nname: t\npolicy: {timeout: none}\n");
  CHECK(run(wrapped({"-r", rules}, {"exit", "0"})).exit_code() == 0);
  for (const char* off : {"none", "0"}) {
    CHECK_THAT(run(wrapped({"-n", "-m", off}, {"exit", "0"})).out,
               ContainsSubstring("without an upper limit"));
  }
}

TEST_CASE("durations have the units that people write, and a wrong one lists them", "[option]") {
  for (const char* text : {"5min", "10minutes", "2d", "1w", "3hours", "90secs"}) {
    INFO(text);
    CHECK(run(wrapped({"-t", text}, {"exit", "0"})).exit_code() == 0);
  }
  CHECK_THAT(run(wrapped({"-t", "5fortnights"}, {"exit", "0"})).err,
             ContainsSubstring("units: ms, s, m, h, d, w"));
}

TEST_CASE("a variable that stands for no option is told, with the nearest one", "[option]") {
  Program program = wrapped({}, {"exit", "0"});
  program.environment = {{"RETRY_EXEC_MAXDELAY", "5"}};
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 0);
  CHECK(ended.err ==
        "retry-exec: RETRY_EXEC_MAXDELAY is not the variable of an option; did you mean "
        "RETRY_EXEC_MAX_DELAY?\n");
  program.argv.insert(program.argv.begin() + 1, "-q");
  CHECK(run(program).err.empty());
  program.argv[1] = "-n";
  CHECK_THAT(run(program).out, ContainsSubstring("RETRY_EXEC_MAXDELAY"));
  // Those that we set ourselves are not a mistake, unless somebody else has set them.
  program = wrapped({}, {"exit", "0"});
  program.environment = {{"RETRY_EXEC_MAX_ATTEMPTS", "3"}};
  CHECK_THAT(run(program).err, ContainsSubstring("did you mean RETRY_EXEC_ATTEMPTS?"));
  const Ended nested = run(wrapping(at_once({"-a", "2"}), {required("RETRY_EXEC"), "-d", "0", "-a",
                                                           "1", "--", helper(), "exit", "3"}));
  CHECK_THAT(nested.err, !ContainsSubstring("variable"));
}

TEST_CASE("RETRY_EXEC_RULES takes several sets", "[option]") {
  for (const char* value : {"ghcr,oras", "ghcr oras", " ghcr,\n oras\n"}) {
    INFO(value);
    Program program = wrapped({"-n"}, {"exit", "0"});
    program.environment = {{"RETRY_EXEC_RULES", value}};
    CHECK_THAT(run(program).out, ContainsSubstring("rules: ghcr, oras\n"));
  }
}

TEST_CASE("signals without a name of their own, and time-outs, can be named", "[option]") {
  CHECK(run(wrapped({"-a", "1", "-s", "RTMAX", "-t", "100ms"}, {"sleep"})).exit_code() == 124);
  const TemporaryFolder folder;
  const Ended ended = run(wrapped({"-a", "2", "-d", "0", "--retry-on", "timeout", "-t", "100ms"},
                                  {"note", folder / "n", "x", "+", "sleep"}));
  CHECK(ended.exit_code() == 124);
  CHECK(count(read_file(folder / "n"), "x") == 2);
  // The command's own 124 is not a limit of ours.
  CHECK(run(wrapped({"--retry-on", "timeout"}, {"note", folder / "m", "x", "+", "exit", "124"}))
            .exit_code() == 124);
  CHECK(count(read_file(folder / "m"), "x") == 1);
}

TEST_CASE("a report is refused that would replace the file that our output goes to", "[option]") {
  const TemporaryFolder folder;
  const std::string log = folder / "log";
  const auto code = [&](const std::string& options, const std::string& redirections) {
    folder.write("log", "before\n");
    const std::string line = "cd '" + folder.path().string() + "'; ln -sf log link; '" +
                             required("RETRY_EXEC") + "' " + options + " -- echo ran " +
                             redirections;
    return run({.argv = {"bash", "-c", line}});
  };
  for (const std::string report : {"-R log", "-R json:./log", "-R link"}) {
    INFO(report);
    const Ended ended = code(report, ">> log");
    CHECK(ended.exit_code() == 125);
    CHECK(read_file(log) == "before\n");
    CHECK_THAT(ended.err, ContainsSubstring("standard output goes to this file"));
    CHECK(code(report, "2>> log").exit_code() == 125);
  }
  for (const std::string report : {"-R -", "-R /dev/stdout", "--summary log", "-R other"}) {
    INFO(report);
    CHECK(code(report, ">> log").exit_code() == 0);
    CHECK_THAT(read_file(log), StartsWith("before\nran\n"));
  }
}

TEST_CASE("a report is refused that would replace a step's file, or one that the command writes to",
          "[option]") {
  const TemporaryFolder folder;
  const auto code = [&](const std::string& line) {
    folder.write("file", "before\n");
    const Ended ended = run({.argv = {"bash", "-c",
                                      "cd '" + folder.path().string() + "'; ln -sf file link; r='" +
                                          required("RETRY_EXEC") + "'; " + line}});
    CHECK_THAT(read_file(folder / "file"), StartsWith("before\n"));
    return ended;
  };
  for (const std::string name : {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"}) {
    const Ended ended = code("export " + name + "=$PWD/link; $r -R json:file -- true");
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("this is $" + name));
  }
  // What is not Markdown is no place for a summary either.
  for (const std::string name : {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"}) {
    const Ended ended = code("export " + name + "=$PWD/link; $r --summary file -- true");
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("this is $" + name));
  }
  CHECK(code("export GITHUB_STEP_SUMMARY=$PWD/link; $r --summary file -- true").exit_code() == 0);
  const Ended ended = code("$r -R file -- true 5>> link");
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("/dev/fd/5 adds the report to it"));
  CHECK(code("$r -R /dev/fd/5 -- true 5>> file").exit_code() == 0);
  CHECK(code("$r -R other -- true 5>> file").exit_code() == 0);
  CHECK(run({.argv = {"bash", "-c",
                      "cd '" + folder.path().string() + "'; exec 5< file; '" +
                          required("RETRY_EXEC") + "' -R file -- true"}})
            .exit_code() == 0);  // it is only read
}

TEST_CASE("an unknown kind of report is refused, and a file of that name is still possible",
          "[option]") {
  const TemporaryFolder folder;
  Program program = wrapped({"-R", "jsno:out"}, {"exit", "0"});
  program.folder = folder.path().string();
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("did you mean 'json:'?"));
  CHECK_THAT(ended.err, ContainsSubstring("./jsno:out"));
  program.argv[2] = "./jsno:out";
  CHECK(run(program).exit_code() == 0);
  CHECK_FALSE(read_file(folder / "jsno:out").empty());
}

TEST_CASE("-n tells every option that is given, and where", "[option]") {
  const std::map<std::string, std::string> samples = {
      {"NAME|FILE", "ghcr"},  {"N", "7"},
      {"DUR", "2m"},          {"F", "3"},
      {"SIG", "INT"},         {"CODES", "7,KILL"},
      {"retry|stop", "stop"}, {"stop|go-on", "go-on"},
      {"SIZE", "2MiB"},       {"[json:|text:]FILE|-", "json:r"},
      {"FILE", "f"},          {"FORMAT", "text"},
      {"WHEN", "never"},      {"SCRIPT", "true"},
      {"PREFIX", "p_"},
  };
  const std::map<std::string, std::string> kinds = {{"backoff", "linear"}, {"jitter", "full"}};
  const std::string help = run({.argv = {required("RETRY_EXEC"), "--help"}}).out;
  std::size_t tried = 0;
  for (const std::string& line : lines_of(help.substr(help.find("Options:\n")))) {
    const std::size_t at = line.find("--");
    if (at > 6 || line.size() < 8 || line[0] != ' ') continue;
    const std::string name = line.substr(at + 2, line.find(' ', at) - at - 2);
    if (name == "help" || name == "version" || name == "dry-run") continue;  // nothing is run then
    const std::size_t after = at + 2 + name.size();  // a blank and an argument, or many blanks
    const std::string argument =
        line[after + 1] == ' ' ? "" : line.substr(after + 1, line.find(' ', after + 1) - after - 1);
    INFO(line);
    std::vector<std::string> options = {"-n", "--" + name};
    std::string told = "--" + name;
    if (!argument.empty()) {
      const std::string value = argument == "KIND" ? kinds.at(name) : samples.at(argument);
      options.push_back(value);
      told += " " + value;
    }
    CHECK_THAT(run(wrapped(options, {"exit", "0"})).out, ContainsSubstring("  " + told + "\n"));
    ++tried;
  }
  CHECK(tried > 25);
  Program program = wrapped({"-n"}, {"exit", "0"});
  program.environment = {{"RETRY_EXEC_RETRY_ON", "75"}, {"RETRY_EXEC_HOLD_STDOUT", "yes"}};
  const std::string out = run(program).out;
  CHECK_THAT(out, ContainsSubstring("RETRY_EXEC_RETRY_ON=75"));
  CHECK_THAT(out, ContainsSubstring("RETRY_EXEC_HOLD_STDOUT=true"));
  CHECK_THAT(out, ContainsSubstring("a failure that no rule knows: stops the run"));
}

TEST_CASE("-n tells the policy of each class of failure, options counted", "[option]") {
  const std::string out = run(wrapped({"-n", "-r", "ghcr", "-m", "1m30.5s"}, {"exit", "0"})).out;
  CHECK_THAT(out,
             ContainsSubstring("  throttled: up to 5 attempts, exponential waits from 15s by 2 "
                               "up to 1m30.5s"));
}
