// retry-rules, as a user of the command line has it.
#include "catch_shim.hpp"
#include "run.hpp"
#include "temporary_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

using test::ContainsSubstring;
using test::Ended;
using test::TemporaryFolder;

namespace {

test::Program retry_rules(const std::vector<std::string>& words, const std::string& input = "") {
  test::Program program;
  program.argv = {test::required("RETRY_RULES")};
  program.argv.insert(program.argv.end(), words.begin(), words.end());
  program.input = input;
  return program;
}

Ended run(const std::vector<std::string>& words, const std::string& input = "") {
  return test::run(retry_rules(words, input));
}

std::string rule(const std::string& fields) {
  return "retry-rules: 1\nname: ours\nrules:\n  - {" + fields + "}\n";
}

constexpr const char* not_found =
    "Error response from registry: failed to find \"ghcr.io/o/r:1\": ghcr.io/o/r:1: not found\n";

}  // namespace

TEST_CASE("each command answers, in words and as JSON", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string rules =
      folder.write("ours.yaml", rule("id: a, class: transient, match: flaky"));
  const std::string corpus = folder.write("c.jsonl", R"({"text": "flaky", "label": "transient"})");
  for (const std::vector<std::string>& words : {
           std::vector<std::string>{"list"},
           {"show", "ghcr"},
           {"show", "ghcr", "--resolved"},
           {"check", rules},
           {"explain", "-r", rules},
           {"suggest", "-r", rules},
           {"test", "-r", rules, corpus},
       }) {
    INFO(words.front());
    CHECK(run(words, "flaky\n").exit_code() == 0);
    std::vector<std::string> with_json = words;
    with_json.emplace_back("--json");
    const Ended json = run(with_json, "flaky\n");
    CHECK(json.exit_code() == 0);
    CHECK_THAT(json.out.substr(0, 1) + json.out.substr(json.out.size() - 2),
               ContainsSubstring("}\n") || ContainsSubstring("]\n"));
  }
}

TEST_CASE("explain shows the evidence, the masks, each rule tried, the verdict and the waits",
          "[retry-rules]") {
  const Ended ended = run({"explain", "-c", "oras cp ghcr.io/o/r:1 x"}, not_found);
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("rules: ghcr oras"));
  CHECK_THAT(ended.out, ContainsSubstring("failed to find …: …: not found"));
  CHECK_THAT(ended.out,
             ContainsSubstring("oras/layout-lacks-it (permanent): match: not in stderr"));
  CHECK_THAT(ended.out, ContainsSubstring("verdict: absent (oras/manifest-not-found), retried"));
  CHECK_THAT(ended.out, ContainsSubstring("waits    at most 2s 4s 8s 16s"));
}

TEST_CASE("where nothing was just pushed an absent manifest stops", "[retry-rules]") {
  const Ended ended = run({"explain", "-c", "oras cp"}, not_found);
  CHECK_THAT(ended.out, ContainsSubstring("verdict: absent (oras/manifest-not-found), stops"));
}

TEST_CASE("explain and suggest keep secrets to themselves", "[retry-rules]") {
  const std::string log =
      "error: login --password hunter2hunter2 at https://me:hunter2hunter2@h/ is odd\n";
  for (const std::string command : {"explain", "suggest"}) {
    for (const std::string json : {"--json", "--"}) {
      const Ended ended = run({command, json}, log);
      INFO(ended.out);
      CHECK(ended.exit_code() == 0);
      CHECK_THAT(ended.out, ContainsSubstring("[redacted]"));
      CHECK_THAT(ended.out, !ContainsSubstring("hunter2"));
    }
  }
  const Ended named =
      run({"explain", "--json", "-c", "oras login -p hunter2hunter2"}, "hunter2hunter2\n");
  CHECK_THAT(named.out, !ContainsSubstring("hunter2"));
}

TEST_CASE("a suggested rule can be pasted, checked, and knows its log", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string log =
      folder.write("log", "noise\nfatal: 'x' is --password hunter2hunter2 [odd]\n");
  const Ended suggested = run({"suggest", log});
  const std::string rules = folder.write("ours.yaml", "retry-rules: 1\nrules:\n" + suggested.out);
  CHECK(run({"check", rules}).exit_code() == 0);
  CHECK_THAT(run({"explain", "-r", rules, log}).out, ContainsSubstring("verdict: suspect"));
}

TEST_CASE("test exits with 1 below --min-accuracy and tells each miss", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string rules =
      folder.write("ours.yaml", rule("id: a, class: transient, match: flaky"));
  const std::string corpus = folder.write(
      "c.jsonl",
      "{\"id\": \"one\", \"tool\": \"t\", \"text\": \"flaky\", \"label\": \"transient\"}\n"
      "{\"id\": \"two\", \"tool\": \"t\", \"text\": \"flaky\", \"label\": \"permanent\"}\n");
  const Ended half = run({"test", "-r", rules, corpus, "--min-accuracy", "50"});
  CHECK(half.exit_code() == 0);
  CHECK_THAT(half.out, ContainsSubstring("50.0 %  (1 of 2)"));
  CHECK_THAT(half.out,
             ContainsSubstring("c.jsonl:2:1: two is permanent, but retried as transient"));
  CHECK(run({"test", "-r", rules, corpus, "--min-accuracy", "50.1"}).exit_code() == 1);
  CHECK(run({"test", "-r", rules, corpus, "--min-accuracy", "much"}).exit_code() == 125);
}

TEST_CASE("a corpus in which nothing is scored does not pass a test", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string corpus = folder.write("c.jsonl", R"({"text": "x", "label": "either"})");
  const Ended ended = run({"test", corpus, "--min-accuracy", "99"});
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("no record was scored"));
  CHECK(run({"test", corpus}).exit_code() == 0);
}

TEST_CASE("a corpus without records is told as a mistake", "[retry-rules]") {
  const TemporaryFolder folder;
  for (const char* text : {"", "\n"}) {
    const Ended ended = run({"test", folder.write("empty.jsonl", text)});
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("empty.jsonl: has no records\n"));
  }
}

TEST_CASE("the shipped rules judge the corpus as --rules auto picks them", "[retry-rules]") {
  const std::string folder = test::required("CORPUS");
  const Ended ended = run({"test", "-r", "auto", "--min-accuracy", "99", folder + "/errors.jsonl",
                           folder + "/packages.jsonl", folder + "/containers.jsonl"});
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("permanent            0"));
}

TEST_CASE("what is wrong with a rule file is told with its place, and fails the check",
          "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string bad = folder.write("bad.yaml", rule("id: a, class: transiant, match: '('"));
  const Ended ended = run({"check", bad});
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("bad.yaml:4:20: unknown class 'transiant'"));
  CHECK_THAT(ended.err, ContainsSubstring("bad.yaml:4:"));
  CHECK_THAT(ended.out, ContainsSubstring("bad.yaml: 2 errors"));
  const Ended missing = run({"check", folder / "none.yaml"});
  CHECK(missing.exit_code() == 1);
  CHECK_THAT(missing.out, ContainsSubstring("none.yaml: 1 error\n"));
}

TEST_CASE("check warns of what is probably a mistake", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("ours.yaml",
                   "retry-rules: 1\nrules:\n  - {id: all, class: transient, exit-codes: '0-255'}\n"
                   "  - {id: never, class: permanent, match: x}\n");
  const Ended ended = run({"check", file});
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.err, ContainsSubstring("ours.yaml:4:"));
  CHECK_THAT(ended.err, ContainsSubstring("never"));
  CHECK_THAT(ended.err, ContainsSubstring("example"));
  const std::string empty = folder.write("e.yaml", rule("id: a, class: transient, match: 'x|'"));
  CHECK_THAT(run({"check", empty}).err, ContainsSubstring("the empty text"));
}

TEST_CASE("an answer that cannot be written fails", "[retry-rules]") {
  test::Program closed = retry_rules({"list"});
  closed.standard_output = test::Closed{};
  const Ended without = test::run(closed);
  CHECK(without.exit_code() == 125);
  CHECK_THAT(without.err, ContainsSubstring("standard output: "));

  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  test::Program to_full = retry_rules({"explain", "-c", "oras"}, not_found);
  to_full.standard_output = test::Descriptor{full};
  const Ended lost = test::run(to_full);
  ::close(full);
  CHECK(lost.exit_code() == 125);
  CHECK_THAT(lost.err, ContainsSubstring("No space left on device"));
}

TEST_CASE("what is no log, no corpus and no rule file is told, not stumbled over",
          "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string binary = folder.write("binary", std::string("\x7f"
                                                                "ELF\0\xff\xfe\r\b\x1b[2J\n\0",
                                                                15));
  CHECK(run({"explain", binary}).exit_code() == 0);
  CHECK_THAT(run({"explain", binary}).out, !ContainsSubstring("\x1b"));
  CHECK(run({"explain", folder / "."}).exit_code() == 125);
  CHECK(run({"explain", folder / "none"}).exit_code() == 125);
  CHECK(run({"suggest"}, " \n").exit_code() == 1);
  const std::string lines = folder.write(
      "c.jsonl",
      "{\"text\": \"x\", \"label\": \"either\"}\nnonsense\n{\"text\": 1, \"label\": \"either\"}\n");
  const Ended corpus = run({"test", lines});
  CHECK(corpus.exit_code() == 125);
  CHECK_THAT(corpus.err, ContainsSubstring("c.jsonl:2:1: "));
  CHECK_THAT(corpus.err, ContainsSubstring("c.jsonl:3:1: "));
}

TEST_CASE("a tool in the current folder is not read as the rule set of its name", "[retry-rules]") {
  const TemporaryFolder folder;
  folder.write("oras", "#!/bin/sh\n");
  test::Program program = retry_rules({"explain", "-c", "./oras cp ghcr.io/o/r:1 x"}, not_found);
  program.folder = folder / ".";
  const Ended ended = test::run(program);
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("rules: ghcr oras"));
}

TEST_CASE("of a CI step's log, what retry-exec and the runner wrote is no evidence",
          "[retry-rules]") {
  const std::string log =
      "mytool: fatal: the moon is full\n"
      "retry-exec: not retried: exit 4, a failure that no rule knows: mytool: fatal\n"
      "##[error]Process completed with exit code 4.\n";
  CHECK_THAT(run({"suggest", "-"}, log).out, ContainsSubstring("the moon is full"));
  const std::string judged = run({"explain", "-"}, log).out;
  CHECK(judged.find("Process completed") == std::string::npos);
  CHECK(judged.find("no rule knows: mytool") == std::string::npos);
}

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

TEST_CASE("a named pipe is refused, not waited for, and standard input is read", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"check", pipe},
                                                {"show", pipe},
                                                {"explain", "-r", pipe},
                                                {"explain", pipe},
                                                {"suggest", pipe},
                                                {"test", pipe}}) {
    INFO(words.front());
    test::Program program = retry_rules(words);
    program.time_limit = std::chrono::seconds(10);
    const Ended ended = test::run(program);
    CHECK(!ended.over_time);
    CHECK_THAT(ended.err, ContainsSubstring("pipe: is a named pipe, not a regular file"));
  }
  const std::string rules = rule("id: a, class: transient, match: flaky");
  CHECK(run({"check", "/dev/stdin"}, rules).exit_code() == 0);
  CHECK(run({"explain", "-"}, "flaky\n").exit_code() == 0);
}
