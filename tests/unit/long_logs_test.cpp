// A failure at the end of a long log: what else the log says changes no verdict on it.
#include "catch_shim.hpp"
#include "source_paths.hpp"

#include <retry_exec/rule_tools.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

using namespace retry_exec;

namespace {

constexpr std::array ordinary_logs = {"npm", "docker", "terraform", "tests", "packages"};
constexpr std::array tails = {
    "Build step failed\nmake: *** [Makefile:12: x] Error 1\n",
    "##[error]Process completed with exit code 1.\n",
    "make[1]: *** [Makefile:40: release] Error 1\nmake: *** [Makefile:12: all] Error 2\n"
    "ERROR: Job failed: exit code 1\n"};

std::string text_of(const std::string& name) {
  std::ifstream file(std::string(UNIT_TEST_FOLDER) + "/corpus/" + name);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Each record by the sets that `--rules auto` picks for its command.
class AutoJudge {
 public:
  Verdict verdict(const LabelledFailure& record, const std::string& text) {
    const std::vector<std::string> command = command_of(record);
    const std::vector<std::string> sets = pick_rule_sets(command, text);
    std::unique_ptr<Classifier>& classifier = classifiers_[sets];
    if (!classifier) {
      const auto set = load_rule_sets(sets);
      REQUIRE(set.has_value());
      classifier = std::make_unique<Classifier>(std::vector{*set});
    }
    const Outcome outcome = Exited{record.exit_code.value_or(1)};
    return explain_text(*classifier, command, outcome, text, record.stream).verdict;
  }

 private:
  std::map<std::vector<std::string>, std::unique_ptr<Classifier>> classifiers_;
};

std::string in_log(const std::string& log, std::string text, std::size_t number) {
  if (!text.ends_with('\n')) text += '\n';
  return log + text + tails[number % tails.size()];
}

bool retried(const std::string& text) {
  return AutoJudge().verdict({.text = text, .where = {}}, text).retry;
}

const std::string end = "make: *** [Makefile:12: all] Error 2\n";
const std::string reset = "error: peer closed the stream unexpectedly\n";

std::string lines(std::size_t count, const std::string& line = "step: going on\n") {
  std::string text;
  while (count-- > 0) text += line;
  return text;
}

}  // namespace

TEST_CASE("a recorded failure at the end of a long log is judged as it is alone",
          "[rules][corpus]") {
  std::vector<std::string> logs;
  for (const std::string name : ordinary_logs) logs.push_back(text_of("logs/" + name + ".txt"));
  AutoJudge judge;
  std::size_t transient = 0;
  std::size_t given_up = 0;
  std::string which;
  std::size_t number = 0;
  for (const std::string name : {"errors", "packages", "containers", "reproduced", "worded",
                                 "field", "tools", "unread", "threads", "searched"}) {
    const auto records = read_corpus(text_of(name + ".jsonl"), name);
    REQUIRE(records.has_value());
    for (const LabelledFailure& record : *records) {
      ++number;
      if (record.label == Label::either) continue;
      const bool right = record.label == Label::transient;
      if (judge.verdict(record, record.text).retry != right) continue;
      const std::string text = in_log(logs[number % logs.size()], record.text, number);
      const Verdict verdict = judge.verdict(record, text);
      INFO(name << " " << record.id << " behind " << ordinary_logs[number % logs.size()] << ": "
                << verdict.rule << ": " << verdict.line);
      if (!right) CHECK_FALSE(verdict.retry);
      if (!right) continue;
      ++transient;
      if (verdict.retry) continue;
      ++given_up;
      which += name + " " + record.id + ": " + verdict.rule + ": " + verdict.line + "\n";
    }
  }
  INFO(which);
  CHECK(static_cast<double>(given_up) <= 0.01 * static_cast<double>(transient));
}

TEST_CASE("an ordinary log alone holds nothing that is retried or known", "[rules][corpus]") {
  for (const std::string name : ordinary_logs) {
    INFO(name);
    const std::string text = text_of("logs/" + name + ".txt") + end;
    const Verdict verdict = AutoJudge().verdict({.text = text, .where = {}}, text);
    INFO(verdict.rule << ": " << verdict.line);
    CHECK_FALSE(verdict.matched);
  }
}

TEST_CASE("a hiccup early in a log is not the failure at its end", "[rules][corpus]") {
  const std::string early =
      "npm WARN retry attempt 1 failed with ECONNRESET\n"
      "npm http fetch GET https://registry.npmjs.org/x attempt 1 failed with ECONNRESET\n"
      "Retrying in 5 seconds: connection reset by peer\n";
  for (const std::string last :
       {"src/main.c:12:5: error: unknown type name 'foo'\n",
        "FAILED tests/test_net.py::test_read - AssertionError: expected 200\n",
        "--- FAIL: TestDial (0.50s)\nFAIL\n", "fatal: Authentication failed for 'https://h/r'\n",
        "Error: permission denied for table users\n"}) {
    INFO(last);
    CHECK_FALSE(retried(early + lines(200) + last + end));
    CHECK_FALSE(retried(early + reset + lines(200) + last + end));
  }
  CHECK(retried(early + lines(200) + reset + end));
}

TEST_CASE("what excuses a match stands near it", "[rules][judge]") {
  CHECK(retried(reset + end));
  CHECK(retried("deploy: no row is invalid\n" + lines(100) + reset + end));
  CHECK(retried(reset + lines(100) + "deploy: no row is invalid\n" + end));
  CHECK(retried("deploy: no row is invalid\n" + lines(5) + reset + end));
  CHECK_FALSE(retried("deploy: the row is invalid\n" + lines(4) + reset + end));
  CHECK_FALSE(retried(reset + lines(4) + "deploy: the row is invalid\n" + end));
  // Of several matches one that nothing excuses is enough, wherever it stands.
  const std::string excused = reset + "deploy: the row is invalid\n" + lines(20);
  CHECK_FALSE(retried(excused + excused + end));
  CHECK(retried(excused + excused + reset + end));
  CHECK(retried(reset + lines(20) + excused + end));
  // Thousands of them are not taken for what could not be looked at.
  CHECK_FALSE(retried(lines(3'000, reset + "deploy: the row is invalid\n") + end));
}

TEST_CASE("why a rule does not hold says which line excused its match", "[rules][judge]") {
  const auto set = parse_rule_set(
      "retry-rules: 1\nrules:\n"
      "  - {id: cut, class: transient, match: 'reset', unless-near: 'denied', unless: 'by us'}\n",
      "own.yaml");
  REQUIRE(set.has_value());
  const Classifier classifier({*set});
  const std::vector<std::string> command = {"tool"};
  const auto why_not = [&](const std::string& text) {
    return explain_text(classifier, command, Exited{1}, text, "stderr").trials.front().why_not;
  };
  CHECK(why_not("reset\nlogin denied: h\n") == "unless-near: 'denied' in: login denied: h");
  CHECK(why_not("reset\n" + lines(6) + "by us\n") == "unless: 'by us'");
  CHECK(why_not("reset\n" + lines(6) + "denied\n").empty());
  CHECK(why_not("denied\n") == "match: not in stderr");
}

TEST_CASE("a file that overrides what a rule is not for says all of it", "[rules]") {
  const auto set = parse_rule_set(
      "retry-rules: 1\nname: own\ninclude: [plain]\nrules:\n"
      "  - {id: connection-ended, unless: 'by us'}\n",
      "own.yaml");
  REQUIRE(set.has_value());
  const Classifier classifier({*set});
  const std::vector<std::string> command = {"tool"};
  const auto judged = [&](const std::string& text) {
    return explain_text(classifier, command, Exited{1}, text, "stderr").verdict.rule;
  };
  CHECK(judged(reset + "the row is invalid\n") == "plain/connection-ended");
  CHECK(judged(reset + lines(20) + "by us\n") != "plain/connection-ended");
}
