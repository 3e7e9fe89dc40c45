// What retry-rules prints of rule files, logs and names, at a terminal and in a GitHub job.
#include "retry_rules_run.hpp"

#include <sstream>

using test::ContainsSubstring;
using test::Ended;
using test::TemporaryFolder;

namespace {

// What a terminal obeys, and what the runner of GitHub Actions does.
const std::string sequence =
    "\x1b]0;owned\x07\x1b[2J\xc2\x9b"
    "31m";
const std::string commands = "##[error]x\n  ::stop-commands::t\n::error::x\n\t ::error::x";
const std::string hostile_line = "a " + sequence + " ##[error]x";

// The same as a double-quoted text of YAML or JSON.
const std::string hostile =
    R"("a \u001b]0;owned\u0007\u001b[2J\u009b31m ##[error]x\n  ::stop-commands::t\n::error::x")";

const std::string hostile_rules =
    "retry-rules: 1\nname: " + hostile + "\nabout: " + hostile + "\ncommands: [" + hostile +
    "]\nclasses:\n  " + hostile + ": {retry: true}\nrules:\n  - id: " + hostile +
    "\n    class: " + hostile + "\n    match: flaky\n    because: " + hostile +
    "\n    commands: [" + hostile + "]\n    see: [" + hostile + "]\n";

// Rules whose words are such that the file is good.
const std::string hostile_prose =
    "retry-rules: 1\n# ##[error]x\nname: ours\nabout: " + hostile +
    "\nrules:\n  - id: a\n    class: transient\n    match: flaky\n    because: |\n      x\n"
    "      ::error::x\n      ##[error]x\n";

bool is_command(const std::string& line) {
  const std::size_t start = line.find_first_not_of(" \t\r");
  return line.find("##[") != std::string::npos ||
         (start != std::string::npos && line.compare(start, 2, "::") == 0);
}

void check_harmless(const Ended& ended, bool on_github) {
  const std::string both = ended.out + "\n" + ended.err;
  INFO(both);
  CHECK(both.size() > 10);
  CHECK(both.find('\x1b') == std::string::npos);
  CHECK(both.find('\x07') == std::string::npos);
  CHECK(both.find("\xc2\x9b") == std::string::npos);
  std::istringstream lines(both);
  for (std::string line; on_github && std::getline(lines, line);) CHECK(!is_command(line));
}

Ended run_where(bool on_github, const std::vector<std::string>& words, const std::string& input) {
  test::Program program = retry_rules(words, input);
  if (on_github) program.environment.emplace_back("GITHUB_ACTIONS", "true");
  return test::run(program);
}

void check_harmless(const std::vector<std::vector<std::string>>& asked,
                    const std::string& input = "") {
  for (const std::vector<std::string>& words : asked) {
    for (const bool on_github : {false, true}) {
      for (const bool json : {false, true}) {
        INFO(words.front() << (json ? " --json" : "") << (on_github ? " on GitHub" : ""));
        std::vector<std::string> all = words;
        if (json) all.emplace_back("--json");
        check_harmless(run_where(on_github, all, input), on_github);
      }
    }
  }
}

}  // namespace

TEST_CASE("what a rule file says drives neither the terminal nor the job", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string corpus =
      folder.write("c.jsonl", R"({"text": "flaky", "label": "permanent", "id": "x"})");
  for (const std::string& text :
       {hostile_prose, hostile_rules, "include: [" + hostile + "]\n",
        "retry-rules: 1\ninclude: [" + hostile + "]\n", "retry-rules: 1\n" + hostile + ": 1\n",
        hostile_line + "\n" + commands}) {
    const std::string rules = folder.write("r.yaml", text);
    INFO(text);
    check_harmless({{"check", rules},
                    {"show", rules},
                    {"show", rules, "--resolved"},
                    {"explain", "-r", rules},
                    {"suggest", "-r", rules},
                    {"test", "-r", rules, corpus}},
                   "flaky\n");
  }
  CHECK(run({"check", folder.write("r.yaml", hostile_prose)}).exit_code() == 0);
}

TEST_CASE("what a log or a record says drives neither the terminal nor the job", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string record = R"({"text": "flaky\n)" + hostile.substr(1) +
                             R"(, "label": "transient", "tool": )" + hostile + R"(, "id": )" +
                             hostile + R"(, "command": [)" + hostile + "]}";
  check_harmless({{"test", folder.write("c.jsonl", record)},
                  {"test", folder.write("d.jsonl", R"({"label": )" + hostile + "}")},
                  {"explain", "-c", "oras " + hostile_line},
                  {"suggest"}},
                 "fatal: the moon is full " + hostile_line + "\n" + commands + "\n");
}

TEST_CASE("names on the command line drive neither the terminal nor the job", "[retry-rules]") {
  const TemporaryFolder folder;
  for (const std::string& name : {hostile_line, "x\n" + commands}) {
    const std::string rules = folder.write(name, rule("id: a, class: transient, match: flaky"));
    const std::string none = "none " + name;
    check_harmless({{name},
                    {"list", name},
                    {"list", "--" + name},
                    {"explain", "-e", name},
                    {"check", rules},
                    {"check", none},
                    {"show", none},
                    {"explain", "-r", rules},
                    {"explain", none},
                    {"suggest", "-r", none},
                    {"test", "-r", rules, none}},
                   "flaky\n");
  }
}

TEST_CASE("a rule file that is shown says the same, also where its job's log is guarded",
          "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string text =
      "retry-rules: 1\nname: ours\nabout: \"std::string \xe2\x80\xae\"\n# ##[group]x\n"
      "rules:\n  - {id: a, class: transient, match: 'a::b'}\n";
  const std::string rules = folder.write("r.yaml", text);
  CHECK(run({"show", rules}).out ==
        "retry-rules: 1\nname: ours\nabout: \"std::string \\u202e\"\n# ##[group]x\n"
        "rules:\n  - {id: a, class: transient, match: 'a::b'}\n");
  const Ended guarded = run_where(true, {"show", rules}, "");
  CHECK(run({"check", folder.write("again.yaml", guarded.out)}).exit_code() == 0);
  CHECK_THAT(guarded.out, ContainsSubstring("match: 'a::b'"));
}
