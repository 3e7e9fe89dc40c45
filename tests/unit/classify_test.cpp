#include "catch_shim.hpp"

#include <retry_exec/rules.hpp>

using namespace retry_exec;

namespace {

RuleSet parsed(std::string_view rules) {
  const auto set = parse_rule_set("retry-rules: 1\nname: own\n" + std::string(rules), "own.yaml");
  INFO((set ? "" : to_string(set.error().front())));
  REQUIRE(set.has_value());
  return *set;
}

struct Attempt {
  std::string err;
  std::string out;
  Outcome outcome = Exited{1};
  std::vector<std::string> command = {"tool"};
};

Verdict verdict_of(std::string_view rules, const Attempt& attempt,
                   Classifier::WallTime now = std::chrono::system_clock::now()) {
  const Classifier classifier({parsed(rules)});
  CapturedOutput output;
  output.standard_error.tail = attempt.err;
  output.standard_output.tail = attempt.out;
  return classifier.classify({attempt.command, attempt.outcome, output}, now);
}

constexpr std::string_view two_rules = R"(
rules:
  - {id: limited, class: throttled, match: 'secondary rate limit', because: a limit}
  - {id: denied, class: permanent, match: 'denied:'}
)";

}  // namespace

TEST_CASE("the first rule that matches decides", "[rules]") {
  const Verdict limited = verdict_of(two_rules, {.err = "x\ndenied: secondary rate limit\ny\n"});
  CHECK(limited.matched);
  CHECK(limited.retry);
  CHECK(limited.class_name == "throttled");
  CHECK(limited.rule == "own/limited");
  CHECK(limited.because == "a limit");
  CHECK(limited.line == "denied: secondary rate limit");
  const Verdict denied = verdict_of(two_rules, {.err = "denied: no\n"});
  CHECK(denied.rule == "own/denied");
  CHECK_FALSE(denied.retry);
}

TEST_CASE("what no rule knows is unmatched, with its last line", "[rules]") {
  const Verdict verdict = verdict_of(two_rules, {.err = "first\nlast words\n\n"});
  CHECK(verdict.class_name == "unmatched");
  CHECK_FALSE(verdict.matched);
  CHECK(verdict.rule.empty());
  CHECK(verdict.line == "last words");
}

TEST_CASE("a policy is the rule's, then the class's, then the file's", "[rules]") {
  const Verdict verdict = verdict_of(R"(
policy: {attempts: 9, delay: 1s, factor: 3}
classes: {throttled: {delay: 20s}}
rules:
  - {id: a, class: throttled, match: a, policy: {max-delay: 1m}}
)",
                                     {.err = "a"});
  using namespace std::chrono;
  CHECK(verdict.policy ==
        PolicyFields{.attempts = 5, .delay = seconds(20), .factor = 3, .max_delay = minutes(1)});
}

TEST_CASE("a class that has one attempt is not retried", "[rules]") {
  CHECK_FALSE(verdict_of("classes: {suspect: {attempts: 1}}\n"
                         "rules: [{id: a, class: suspect, match: a}]",
                         {.err = "a"})
                  .retry);
}

TEST_CASE("what has expired and what is done is final unless a file says otherwise", "[rules]") {
  for (const std::string name : {"expired", "done"}) {
    const std::string rule = "rules: [{id: a, class: " + name + ", match: a}]";
    const Verdict verdict = verdict_of(rule, {.err = "a"});
    CHECK(verdict.class_name == name);
    CHECK_FALSE(verdict.retry);
    CHECK(verdict_of("classes: {" + name + ": {retry: true}}\n" + rule, {.err = "a"}).retry);
  }
}

TEST_CASE("rules that are for a command hold for a script that runs it", "[rules]") {
  const std::string_view rule = "rules: [{id: a, class: transient, match: a, commands: [oras]}]";
  const std::vector<std::string> script = {"bash", "-eo", "pipefail", "-c", "cd x\noras cp a b"};
  CHECK(verdict_of(rule, {.err = "a", .command = script}).matched);
  CHECK_FALSE(verdict_of(rule, {.err = "a", .command = {"bash", "-c", "echo oras"}}).matched);
}

TEST_CASE("evidence is focused and masked for the command that it is for", "[rules]") {
  constexpr std::string_view rules = R"(
evidence:
  - {commands: [oras], stream: stderr, focus: '^Error', mask: ['"[^"\n]*"']}
details: {digest: 'sha256:([0-9a-f]+)'}
rules:
  - {id: gone, class: absent, match: 'not found'}
)";
  const Attempt chatter{.err = "not found\nError: \"not found\" sha256:ab\n", .command = {"oras"}};
  const Verdict verdict = verdict_of(rules, chatter);
  CHECK_FALSE(verdict.matched);
  CHECK(verdict.details == std::vector<Detail>{{"digest", "ab"}});
  CHECK(verdict_of(rules, {.err = chatter.err, .command = {"crane"}}).rule == "own/gone");
}

TEST_CASE("stdout is evidence where stderr is silent", "[rules]") {
  CHECK(verdict_of(two_rules, {.out = "denied: no"}).rule == "own/denied");
  CHECK_FALSE(verdict_of(two_rules, {.err = "other", .out = "denied: no"}).matched);
}

TEST_CASE("a time-out is transient unless a rule says otherwise", "[rules]") {
  const Outcome hang = TimedOut{};
  const Verdict verdict = verdict_of(two_rules, {.err = "denied: no", .outcome = hang});
  CHECK(verdict.rule == "built-in/timed-out");
  CHECK(verdict.class_name == "transient");
  CHECK(verdict.retry);
  constexpr std::string_view stop = "rules: [{id: hang, class: permanent, outcome: timed-out}]";
  CHECK(verdict_of(stop, {.outcome = hang}).rule == "own/hang");
  CHECK_FALSE(verdict_of(stop, {.outcome = Exited{1}}).matched);
}

TEST_CASE("of a very long line what matched is told, and that it is a part", "[rules]") {
  const std::string filler(6000, 'x');
  const std::string words = "some words before it: denied: no entry";
  const Verdict matched =
      verdict_of(two_rules, {.err = filler + " " + words + " " + filler + "\n"});
  CHECK(matched.rule == "own/denied");
  CHECK(matched.line == "… " + words + " … (of a line of 12040 bytes)");

  const Verdict unmatched = verdict_of(two_rules, {.err = filler + " the end of it\n"});
  CHECK(unmatched.line == "… the end of it (of a line of 6014 bytes)");
  CHECK(verdict_of(two_rules, {.err = filler}).line == "…  (of a line of 6000 bytes)");
}

TEST_CASE("of a line whose middle is not looked at no length is told", "[rules]") {
  const std::string filler(500'000, 'x');
  for (const std::string before : {"", "2026-04-01T14:05:00.1234567Z "}) {
    const std::string line =
        verdict_of(two_rules, {.err = before + filler + filler + " denied: no entry\n"}).line;
    CHECK(line == "… denied: no entry (of a very long line)");
  }
}

TEST_CASE("a line that the one above it may make a secret is told with that one", "[rules]") {
  const auto told = [](const std::string& err) { return verdict_of(two_rules, {.err = err}).line; };
  CHECK(told("db:\n  password: |\n    one\n    denied: X\n") == "  password: |\n    denied: X");
  CHECK(told("\"password\":\n  \"denied: X\"\n") == "\"password\":\n  \"denied: X\"");
  CHECK(told("token = \"\"\"\none\ndenied: X\"\"\"\n") == "token = \"\"\"\ndenied: X\"\"\"");
  CHECK(told("Authorization: Bearer\n denied: X\n") == "Authorization: Bearer\n denied: X");
  // Not where the other has come to its end.
  CHECK(told("password: |\n  one\nuser:\n  denied: X\n") == "  denied: X");
  CHECK(told("token = \"\"\"one\"\"\"\ndenied: X\n") == "denied: X");
  CHECK(told("no password\ndenied: X\n") == "denied: X");
}

TEST_CASE("of a long line of JSON the part that says what is wrong is told", "[rules]") {
  std::string json = "{\"password\":\"one,two\"";
  for (int i = 0; i < 300; ++i) json += ",\"k" + std::to_string(i) + "\":\"some,value\"";
  const std::string telling = "\"message\":\"upstream is restarting\"";
  json += ",\"error\":{\"code\":7," + telling + "},\"trace\":\"";
  const std::string line = json + std::string(3000, 'x') + "\"}";
  const std::string told = verdict_of(two_rules, {.err = line}).line;
  CHECK(told.find(telling) != std::string::npos);
  CHECK(told.starts_with("… \"k"));  // where a member begins, never within a value
  CHECK(told.size() < 300);
}

TEST_CASE("an excerpt of a long line never begins with what its cut made nameless", "[rules]") {
  std::string line(4000, 'x');
  for (std::size_t i = 0; i < 60; ++i) line += " --password hunter" + std::to_string(10 + i);
  const std::string told = verdict_of(two_rules, {.err = line + " so it is denied: no"}).line;
  CHECK(told.starts_with("… it is denied: no ("));
}

TEST_CASE("a private key in the output is no evidence", "[rules]") {
  const std::string key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\nAAAAB\n";
  CHECK(verdict_of(two_rules, {.err = "Error: bad key\n" + key}).line ==
        "-----BEGIN OPENSSH PRIVATE KEY-----");
  const std::string ended = key + "-----END OPENSSH PRIVATE KEY-----\nError: denied: bad key\n";
  CHECK(verdict_of(two_rules, {.err = ended}).line == "Error: denied: bad key");
}

TEST_CASE("a line of nothing but broken escape sequences takes no time", "[rules]") {
  for (const std::string unit : {"\x1b[", "\x1b]", "a\rb\x1b[K"}) {
    std::string text;
    while (text.size() < 2'000'000) text += unit;
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(verdict_of(two_rules, {.err = text}).matched);
    // It took eight seconds where each sequence looked for the end of its line.
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(3));
  }
}

TEST_CASE("a wait of more than a day is not begun, however many digits it has", "[rules]") {
  constexpr std::string_view rules = R"(
rules:
  - {id: limited, class: throttled, match: 'retry after (?<retry_after>\S+)'}
)";
  CHECK(verdict_of(rules, {.err = "retry after 86400\n"}).retry);
  for (const char* wait : {"86401", "1e9h", "99999999999999999999", "25h"}) {
    INFO(wait);
    const bool understood = std::string_view(wait) != "1e9h";
    CHECK(verdict_of(rules, {.err = "retry after " + std::string(wait) + "\n"}).retry !=
          understood);
  }
}

TEST_CASE("a rule that sums up decides when no other rule holds, wherever it is written",
          "[rules]") {
  const auto set = parse_rule_set(
      "retry-rules: 1\nname: own\nrules:\n"
      "  - {id: sum, class: permanent, last: true, match: 'build failed'}\n"
      "  - {id: cause, class: transient, match: 'connection cut'}\n",
      "own.yaml");
  REQUIRE(set.has_value());
  const Classifier classifier({*set});
  const std::vector<std::string> command = {"tool"};
  const auto rule_for = [&](const std::string& err) {
    CapturedOutput output;
    output.standard_error.tail = err;
    return classifier.classify({command, Exited{1}, output}).rule;
  };
  CHECK(rule_for("connection cut\nbuild failed\n") == "own/cause");
  CHECK(rule_for("build failed\n") == "own/sum");
}

TEST_CASE("the exit code of a script of several commands is not taken for that of one of them",
          "[rules]") {
  const auto rule_for = [](const std::vector<std::string>& command, int code,
                           const std::string& err) {
    const auto set = load_rule_sets(pick_rule_sets(command, err));
    REQUIRE(set.has_value());
    CapturedOutput output;
    output.standard_error.tail = err;
    return Classifier({*set}).classify({command, Exited{code}, output});
  };
  const std::vector<std::string> piped = {"bash", "-c",
                                          "curl -fsSL https://h.test/x.tgz | tar -xz"};
  const std::string tar_after =
      "\ngzip: stdin: unexpected end of file\ntar: Unexpected EOF in archive\n"
      "tar: Error is not recoverable: exiting now\n";
  CHECK(rule_for(piped, 2, "curl: (56) Recv failure: Connection reset by peer" + tar_after).retry);
  CHECK(rule_for(
            piped, 2,
            "curl: (22) The requested URL returned error: 503\n\ngzip: stdin: not in gzip format\n")
            .retry);
  CHECK_FALSE(
      rule_for(piped, 2, "gzip: stdin: not in gzip format\ntar: Child returned status 1\n").retry);
  CHECK_FALSE(
      rule_for(
          piped, 2,
          "curl: (22) The requested URL returned error: 404\n\ngzip: stdin: not in gzip format\n")
          .retry);
  CHECK(rule_for({"curl", "-s", "https://h.test"}, 2, "").rule == "curl/usage-of-curl");
  CHECK(rule_for(piped, 2, "").rule.empty());
}
