// Judging is bounded by work: what must be found is found in any text, and nothing costs more than
// it may.
#include "catch_shim.hpp"

#include <retry_exec/rules.hpp>

#include <array>
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
         constexpr std::array answers = {"200", "301", "404", "429", "503"};
         return "10.0." + number(0, 256) + ".7 - - [28/Nov/2026:15:36:47 +0000] \"GET /" +
                number(0, 9999) + ".js HTTP/1.1\" " + answers[random() % answers.size()] + " " +
                number(0, 60000) + " \"-\" \"curl\"\n";
       }},
      {"CSV", [=] { return repeated("1", 12, 1000, ","); }},
      {"od", [=] { return repeated("0001220", 16, 400, " "); }},
      {"JSON arrays", [=] { return repeated("[0", 20, 1000, ", "); }},
      {"one line of JSON", [=] { return number(100, 1000) + ", "; }},
      {"one line of 503", [] { return std::string("503 "); }},
  };
}

// A word of digits, as numbers, sizes, dates, versions, hashes and addresses are.
std::string word_of_digits(std::mt19937& random) {
  const auto below = [&](unsigned last) { return static_cast<unsigned>(random() % last); };
  const auto number = [&] { return std::to_string(below(below(4) == 0 ? 100'000 : 1200)); };
  const auto two = [&](unsigned last) {
    const std::string digits = std::to_string(below(last));
    return digits.size() < 2 ? "0" + digits : digits;
  };
  const auto hex = [&](int digits) {
    std::string text;
    for (int i = 0; i < digits; ++i) text += "0123456789abcdef"[below(16)];
    return text;
  };
  const auto one_of = [&](std::initializer_list<const char*> words) {
    return std::string(*(words.begin() + below(static_cast<unsigned>(words.size()))));
  };
  switch (below(9)) {
    case 0:
      return number();
    case 1:
      return number() + one_of({" bytes", " B", "kB", " KiB", "M", " MB", "GiB", "%", "/", "px"});
    case 2:
      return "20" + two(100) + "-" + two(13) + "-" + two(32) + one_of({"T", " "}) + two(24) + ":" +
             two(60) + ":" + two(60) + one_of({"Z", "", ",503", "+00:00"});
    case 3:
      return one_of({"", "v", "V"}) + number() + "." + number() + "." + number() +
             one_of({"", "-rc1", "-503", "+1129"});
    case 4:
      return one_of({"", "sha256:", "0x"}) + hex(static_cast<int>(4 + below(61)));
    case 5:
      return number() + one_of({"ms", "s", "us", "m", "ns", " ms", " s"});
    case 6:
      return number() + one_of({",", ";", ":", "/", "|", "-", "=", "."}) + number();
    case 7:
      return one_of({"[", "(", "<", "{", "\"", "#", "$", "-", "+"}) + number() +
             one_of({"]", ")", ">", "}", "\"", "", ":"});
    default:
      return number() + "." + number() + "." + number() + "." + number() + ":" + number();
  }
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

TEST_CASE("no rule for any command decides on numbers, sizes, dates, versions or hashes",
          "[rules][judge]") {
  const Classifier classifier = classifier_of("generic");
  std::mt19937 random(7);
  const std::array<const char*, 5> between = {" ", ", ", "\t", ":", ","};
  constexpr int lines_at_once = 20;
  for (int i = 0; i < 100'000 / lines_at_once; ++i) {
    std::string text;
    for (int line = 0; line < lines_at_once; ++line) {
      for (auto words = 1 + random() % 8; words > 0; --words) {
        text += word_of_digits(random) + between[random() % between.size()];
      }
      text += '\n';
    }
    const Verdict verdict = verdict_of(classifier, text);
    if (!verdict.matched) continue;
    FAIL_CHECK(verdict.rule << " holds on: " << verdict.line);
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

TEST_CASE("a quarter of a megabyte of near misses is evaluated to its end", "[rules][judge]") {
  const std::string line =
      "retrying HTTP 5033 of timeout-service: error 503 bytes, connection kept: ok\n";
  const Verdict verdict =
      verdict_of(classifier_of("generic"), filled(1 << 18, [&] { return line; }));
  CAPTURE(verdict.rule, verdict.unevaluated);
  CHECK_FALSE(verdict.matched);
  CHECK(verdict.unevaluated.empty());
}

TEST_CASE("the end of a long output begins with a whole line", "[rules][judge]") {
  const auto set = parse_rule_set(
      "retry-rules: 1\nname: own\nrules: [{id: a, class: permanent, match: '^denied'}]\n",
      "o.yaml");
  REQUIRE(set.has_value());
  const Classifier classifier({*set});
  const std::string half(32'768, 'x');
  for (std::size_t before = 0; before < 12; ++before) {
    const std::string end = "denied\n" + half + "\n" + half.substr(before) + "\n";
    CHECK_FALSE(verdict_of(classifier, half + "not " + end).matched);
    CHECK(verdict_of(classifier, half + "\n" + end).matched);
  }
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
