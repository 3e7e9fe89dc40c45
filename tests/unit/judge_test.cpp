// Judging is bounded by work: what must be found is found in any text, and nothing costs more than
// it may.
#include "catch_shim.hpp"

#include <retry_exec/rules.hpp>

#include <functional>
#include <random>

using namespace retry_exec;

namespace {

constexpr std::string_view last_words = "Error response from registry: response status code 503\n";

Classifier classifier_of(const std::string& name) {
  auto set = load_rule_set(name);
  REQUIRE(set.has_value());
  return Classifier({*std::move(set)});
}

Classifier classifier_of(std::string_view pattern, std::size_t times) {
  std::string yaml = "retry-rules: 1\nname: own\nrules:\n";
  for (std::size_t i = 0; i < times; ++i) {
    yaml += "  - {id: x" + std::to_string(i) + ", class: transient, match: '" +
            std::string(pattern) + "'}\n";
  }
  yaml += "  - {id: good, class: permanent, match: 'the good one'}\n";
  auto set = parse_rule_set(yaml, "own.yaml");
  REQUIRE(set.has_value());
  return Classifier({*std::move(set)});
}

Verdict verdict_of(const Classifier& classifier, const std::string& err,
                   std::function<bool()> give_up = {}) {
  const std::vector<std::string> command = {"tool"};
  CapturedOutput output;
  output.standard_error.tail = err;
  return classifier.classify({command, Exited{1}, output, std::move(give_up)});
}

std::string filled(std::size_t bytes, const std::function<std::string()>& line) {
  std::string text;
  while (text.size() < bytes) text += line();
  return text;
}

struct Kind {
  std::string name;
  std::function<std::string()> line;
};

// Output in which numbers stand everywhere.
std::vector<Kind> kinds_of_output() {
  static std::mt19937 random(1);
  const auto number = [](unsigned first, unsigned last) {
    return std::to_string(first + random() % (last - first));
  };
  const auto repeated = [=](std::string text, int times, unsigned last, const char* between) {
    for (int i = 0; i < times; ++i) text += between + number(100, last);
    return text + "\n";
  };
  return {
      {"access log",
       [=] {
         return "10.0." + number(0, 256) + ".7 - - [28/Nov/2026:15:36:47 +0000] \"GET /" +
                number(0, 9999) + ".js HTTP/1.1\" 200 " + number(0, 60000) + " \"-\" \"curl\"\n";
       }},
      {"CSV", [=] { return repeated("1", 12, 1000, ","); }},
      {"od", [=] { return repeated("0001220", 16, 400, " "); }},
      {"JSON arrays", [=] { return repeated("[0", 20, 1000, ", "); }},
      {"one line of JSON", [=] { return number(100, 1000) + ", "; }},
      {"one line of 503", [] { return std::string("503 "); }},
  };
}

}  // namespace

TEST_CASE("a plain 503 is found behind megabytes of numbers", "[rules][judge]") {
  for (const std::string set : {"generic", "ghcr", "docker"}) {
    const Classifier classifier = classifier_of(set);
    for (const Kind& kind : kinds_of_output()) {
      for (const std::size_t megabytes : {1, 4}) {
        const Verdict verdict = verdict_of(
            classifier, filled(megabytes << 20, kind.line) + "\n" + std::string(last_words));
        CAPTURE(set, kind.name, megabytes, verdict.rule, verdict.unevaluated);
        CHECK(verdict.rule == "http/server-error");
        CHECK(verdict.retry);
        CHECK(verdict.unevaluated.empty());
      }
    }
  }
}

TEST_CASE("a megabyte of numbers that says nothing is evaluated to its end", "[rules][judge]") {
  const Classifier classifier = classifier_of("ghcr");
  for (const Kind& kind : kinds_of_output()) {
    if (kind.name == "access log") continue;  // it may well say something
    const Verdict verdict = verdict_of(classifier, filled(std::size_t{1} << 20, kind.line));
    CAPTURE(kind.name, verdict.rule, verdict.unevaluated);
    CHECK_FALSE(verdict.matched);
    CHECK(verdict.unevaluated.empty());
  }
}

TEST_CASE("the end of a long output is judged before the rest of it", "[rules][judge]") {
  constexpr std::string_view rules = R"(retry-rules: 1
name: own
rules:
  - {id: early, class: permanent, match: 'denied'}
  - {id: late, class: transient, match: 'reset', unless: 'by us'}
  - {id: any, class: suspect, exit-codes: 1}
)";
  const auto set = parse_rule_set(rules, "own.yaml");
  REQUIRE(set.has_value());
  const Classifier classifier({*set});
  const std::string chatter = filled(200'000, [] { return std::string("chatter of a tool\n"); });
  CHECK(verdict_of(classifier, "denied\nreset\n").rule == "own/early");
  CHECK(verdict_of(classifier, "denied\n" + chatter + "reset\n").rule == "own/late");
  CHECK(verdict_of(classifier, "by us\n" + chatter + "reset\n").rule == "own/late");
  // A rule without `match` is for what no other knows, wherever that stands.
  CHECK(verdict_of(classifier, "reset\n" + chatter).rule == "own/late");
  CHECK(verdict_of(classifier, "denied\nreset\n" + chatter).rule == "own/early");
  CHECK(verdict_of(classifier, chatter).rule == "own/any");
}

TEST_CASE("patterns that take forever cost no other rule its verdict", "[rules][judge]") {
  const std::string lines = filled(1 << 20, [] { return std::string(16'000, 'a') + "\n"; });
  for (const char* pattern : {".*a.*9", "(a|b|ab)+[9]$", "(?:(a+)+b?)+$c", "(?:.*+b|a)*9", "[^9]*9",
                              "(.*)\\1x", "(?s).*a.*9", "(?x) (a | b ) + 9",
                              "(*ANYCRLF)(a|b|ab)+[9]$", "(?:a|a)(?:a|a)(?:a|a)(?:a|a)(?:a|a)+x"}) {
    CAPTURE(pattern);
    const Classifier classifier = classifier_of(pattern, 100);
    const Verdict verdict = verdict_of(classifier, lines + "the good one\n");
    CHECK(verdict.rule == "own/good");
    CHECK_FALSE(verdict.retry);
  }
}

TEST_CASE("a failure that was not judged to the end is tried once more", "[rules][judge]") {
  const std::string lines = filled(1 << 20, [] { return std::string(16'000, 'a') + "\n"; });
  const Classifier classifier = classifier_of("(a|b|ab)+[9]$", 100);
  const Verdict verdict = verdict_of(classifier, lines);
  CHECK(verdict.rule == "built-in/not-evaluated");
  CHECK(verdict.class_name == "suspect");
  CHECK(verdict.retry);
  CHECK(verdict.policy.attempts == 2U);
  CHECK_FALSE(verdict.note.empty());
  CHECK(verdict.unevaluated.size() == 100);
  // The same whenever it is judged, by whatever machine.
  CHECK(verdict_of(classifier, lines).unevaluated == verdict.unevaluated);
}

TEST_CASE("judging ends when it is asked to", "[rules][judge]") {
  const std::string lines = filled(4 << 20, [] { return std::string(16'000, 'a') + "\n"; });
  int asked = 0;
  const Verdict verdict = verdict_of(classifier_of("(a|b|ab)+[9]$", 100), lines + "the good one\n",
                                     [&] { return ++asked > 0; });
  CHECK(asked > 0);
  CHECK(verdict.rule == "built-in/not-evaluated");
}
