#include "catch_shim.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/rules.hpp>

#include <filesystem>

using namespace retry_exec;

namespace {

std::string joined(const Errors& errors) {
  std::string text;
  for (const Error& error : errors) text += (text.empty() ? "" : "\n") + to_string(error);
  return text;
}

std::string errors_of(std::string_view yaml) {
  const auto set = parse_rule_set(yaml, "f");
  return set ? "good" : joined(set.error());
}

RuleSet loaded(const std::string& path) {
  auto set = load_rule_set(path);
  INFO((set.has_value() ? "" : joined(set.error())));
  REQUIRE(set.has_value());
  return *std::move(set);
}

const Rule& rule_of(const RuleSet& set, std::string_view id) {
  const auto found = std::find_if(set.rules.begin(), set.rules.end(),
                                  [&](const Rule& rule) { return rule.full_id() == id; });
  INFO(id);
  REQUIRE(found != set.rules.end());
  return *found;
}

struct Wrong {
  std::string_view yaml;
  std::string_view error;
};

}  // namespace

TEST_CASE("a wrong file is refused, with the place of what is wrong and what would be right",
          "[rules]") {
  const auto [yaml, error] = GENERATE(values<Wrong>({
      {"", "f:1:1: the file is empty; a rule file begins with 'retry-rules: 1'"},
      {"# nothing\n", "f:1:1: the file is empty; a rule file begins with 'retry-rules: 1'"},
      {"[]", "f:1:1: a rule file is a mapping (key: value), not a list"},
      {"name: x\n", "f:1:1: a rule file needs 'retry-rules'"},
      {"retry-rules: 2\n",
       "f:1:14: 'retry-rules' is the version of the format: 1, the only one there is"},
      {"retry-rules: '1'\n",
       "f:1:14: 'retry-rules' is the version of the format: 1, the only one there is"},
      {"retry-rules: 1\nname: My Rules\n",
       "f:2:7: 'My Rules' is not a valid name; a name has lower-case letters, digits, '-', '_' and "
       "'.', at "
       "most 64"},
      {"retry-rules: 1\nrule: []\n",
       "f:2:1: unknown key 'rule' in a rule file; did you mean 'rules'?"},
      {"retry-rules: 1\nfrobnicate: []\n",
       "f:2:1: unknown key 'frobnicate' in a rule file; expected retry-rules, name, about, "
       "see, for, include, policy, classes, evidence, details or rules"},
      {"retry-rules: 1\nname: a\nname: b\n", "f:3:1: duplicate key 'name'; the first is on line 2"},
      {"retry-rules: 1\nrules: {}\n", "f:2:8: 'rules' takes a list ('- …' lines)"},
      {"retry-rules: 1\nrules: [x]\n",
       "f:2:9: a rule is a mapping (key: value), not a single value"},
  }));
  CAPTURE(yaml);
  CHECK(errors_of(yaml) == error);
}

TEST_CASE("a wrong rule is refused, with the place of what is wrong and what would be right",
          "[rules]") {
  const auto [yaml, error] = GENERATE(values<Wrong>({
      {"retry-rules: 1\nrules:\n  - class: transient\n    match: a\n", "f:3:5: a rule needs 'id'"},
      {"retry-rules: 1\nrules:\n  - {id: A b, class: transient, match: a}\n",
       "f:3:10: 'A b' is not a valid id; an id has lower-case letters, digits, '-', '_' and '.', "
       "at most 64"},
      {"retry-rules: 1\nrules:\n  - {id: a, match: a}\n", "f:3:10: a rule needs 'class'"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient}\n",
       "f:3:10: a rule needs a condition: 'match', or one of 'exit-codes', 'signals', 'outcome'"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, exit-codes: 1, unless-near: a}\n",
       "f:3:10: a rule with 'unless-near' needs 'match': what is it to be near to?"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transent, match: a}\n",
       "f:3:20: unknown class 'transent'; did you mean 'transient'?"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: weird, match: a}\n",
       "f:3:20: unknown class 'weird'; known classes are absent done expired permanent suspect "
       "throttled transient, and those under 'classes'"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, patern: a}\n",
       "f:3:10: a rule needs a condition: 'match', or one of 'exit-codes', 'signals', 'outcome'\n"
       "f:3:31: unknown key 'patern' in a rule; expected id, class, match, unless, unless-near, "
       "stream, "
       "exit-codes, "
       "signals, outcome, commands, last, policy, because, see or examples"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: a, mach: b}\n",
       "f:3:41: unknown key 'mach' in a rule; did you mean 'match'?"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: a}\n  - {id: a, class: "
       "absent, match: b}\n",
       "f:4:10: a second rule 'a'; the first is on line 3"},
  }));
  CAPTURE(yaml);
  CHECK(errors_of(yaml) == error);
}

TEST_CASE("a wrong pattern or condition of a rule is refused where it stands", "[rules]") {
  const auto [yaml, error] = GENERATE(values<Wrong>({
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: 'x(y'}\n",
       "f:3:42: the pattern does not compile: missing closing parenthesis (at its offset 3)"},
      {"retry-rules: 1\nrules:\n  - id: a\n    class: transient\n    match: 'it''s (y'\n",
       "f:5:21: the pattern does not compile: missing closing parenthesis (at its offset 7)"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: '(*UTF)a'}\n",
       "f:3:45: the pattern does not compile: using UTF is disabled by the application (at its "
       "offset 6)"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: 'x*'}\n",
       "f:3:38: the pattern can match the empty text, and so matches everything"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: 'a', unless: 'b?'}\n",
       "f:3:51: the pattern can match the empty text, and so matches everything"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: ''}\n",
       "f:3:38: 'match' takes a text, not an empty text"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: [a]}\n",
       "f:3:38: 'match' takes a text, not a list"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: a, stream: stdin}\n",
       "f:3:49: 'stream' takes stdout, stderr or both, not 'stdin'"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: a, outcome: timeout}\n",
       "f:3:50: 'outcome' takes exited, signalled or timed-out, not 'timeout'"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, exit-codes: 256}\n",
       "f:3:43: 'exit-codes' takes numbers and ranges from 0 to 255 such as 75 or 64-78, not "
       "'256'"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, exit-codes: [1, 78-64]}\n",
       "f:3:47: 'exit-codes' takes numbers and ranges from 0 to 255 such as 75 or 64-78, not "
       "'78-64'"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, exit-codes: KILL}\n",
       "f:3:43: 'exit-codes' takes numbers and ranges from 0 to 255 such as 75 or 64-78, not "
       "'KILL'"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, signals: [KILL, SIGFOO]}\n",
       "f:3:47: 'SIGFOO' is not a signal; write a name such as KILL"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: a, examples: [a]}\n",
       "f:3:51: 'examples' takes a mapping (key: value)"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: a, examples: {match: [{a: "
       "b}]}}\n",
       "f:3:60: 'match' takes a list of texts, not a mapping"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: a, examples: {nomatch: "
       "[b]}}\n",
       "f:3:52: unknown key 'nomatch' in 'examples'; did you mean 'no-match'?"},
      {"retry-rules: 1\nrules:\n  - {id: a, class: transient, match: a, policy: {attemps: 3}}\n",
       "f:3:50: unknown key 'attemps' in a rule's policy; did you mean 'attempts'?"},
  }));
  CAPTURE(yaml);
  CHECK(errors_of(yaml) == error);
}

TEST_CASE("a wrong part of a rule file is refused where it stands", "[rules]") {
  const auto [yaml, error] = GENERATE(values<Wrong>({
      {"retry-rules: 1\npolicy: 5\n",
       "f:2:9: 'policy' is a mapping (key: value), not a single value"},
      {"retry-rules: 1\nclasses: [a]\n", "f:2:10: 'classes' takes a mapping (key: value)"},
      {"retry-rules: 1\nclasses: {absent: {retry: maybe}}\n",
       "f:2:27: 'retry' takes true or false, not 'maybe'"},
      {"retry-rules: 1\nclasses: {unmatched: {retry: true}}\n",
       "f:2:11: 'unmatched' cannot be a class; a class has a name of lower-case letters, "
       "digits, '-', '_' and '.', at most 64, and 'unmatched' is taken"},
      {"retry-rules: 1\nevidence: [{focus: '['}]\n",
       "f:2:22: the pattern does not compile: missing terminating ] for character class (at its "
       "offset 1)"},
      {"retry-rules: 1\nevidence: [{masks: ['a']}]\n",
       "f:2:13: unknown key 'masks' in an evidence source; did you mean 'mask'?"},
      {"retry-rules: 1\ndetails: {digest: [a]}\n", "f:2:19: detail 'digest' takes a pattern"},
      {"retry-rules: 1\nfor: oras\n", "f:2:6: 'for' takes a mapping (key: value)"},
      {"retry-rules: 1\ninclude: ghrc\n",
       "f:2:10: 'ghrc' is neither a file nor a built-in rule set; did you mean 'ghcr'?"},
      {"retry-rules: 1\ninclude: [oci, oci]\n", "f:2:16: 'oci' is included twice"},
      {"retry-rules: 1\ninclude: oci\nrules:\n  - {id: oci/no-such-rule, class: suspect}\n",
       "f:4:10: no rule 'oci/no-such-rule' in what this file includes, so it overrides nothing"},
      {"retry-rules: 1\nrules: 'a\n", "f:2:8: this quote is never closed"},
      {"retry-rules: 1\nrules: *x\n",
       "f:2:8: aliases (*name) are not supported; a text that begins with '*' needs quotes"},
      {"retry-rules: 1\n---\nretry-rules: 1\n", "f:2:1: a second document; one file holds one"},
  }));
  CAPTURE(yaml);
  CHECK(errors_of(yaml) == error);
}

TEST_CASE("all that is wrong with a file is said at once, in the order of the file", "[rules]") {
  CHECK(errors_of("retry-rules: 1\npolicy: {delay: soon}\nrules:\n  - {id: a, class: x y, match: "
                  "'('}\n  - {id: a}\n")
            .find("f:2:17: ") == 0);
  const auto set = parse_rule_set(
      "retry-rules: 3\nnam: x\nrules:\n  - {id: a, class: nope, match: '('}\n  - {id: b, clas: "
      "absent}\n",
      "f");
  REQUIRE_FALSE(set.has_value());
  std::vector<unsigned> lines;
  for (const Error& error : set.error()) lines.push_back(error.where.line);
  CHECK(lines == std::vector<unsigned>{1, 2, 4, 4, 5, 5, 5});
}

TEST_CASE("numbers of a policy out of range are refused where they stand", "[rules]") {
  for (const std::string field :
       {"attempts: 0", "attempts: -1", "factor: 0", "factor: 1e9", "delay: -1s",
        "delay: 1 lightyear", "backoff: cubic", "jitter: 200%", "max-delay: ''"}) {
    CAPTURE(field);
    const std::string error = errors_of("retry-rules: 1\npolicy: {" + field + "}\n");
    CHECK(error.starts_with("f:2:"));
    CHECK(error.find(field.substr(0, field.find(':'))) != std::string::npos);
  }
}

TEST_CASE("a file that extends a built-in set is three lines", "[rules]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("ours.yaml",
                                        "retry-rules: 1\n"
                                        "include: ghcr\n"
                                        "classes: {throttled: {attempts: 9}}\n"
                                        "rules: [{id: oras/manifest-not-found, class: suspect}]\n");
  const RuleSet ours = loaded(path);
  const RuleSet ghcr = loaded("ghcr");
  CHECK(ours.name == "ours");
  CHECK(ours.rules.size() == ghcr.rules.size());
  const Rule& overridden = rule_of(ours, "oras/manifest-not-found");
  CHECK(overridden.class_name == "suspect");
  CHECK(overridden.match->text == rule_of(ghcr, "oras/manifest-not-found").match->text);
  CHECK(ours.classes.at("throttled").policy.attempts == 9U);
  CHECK(ours.classes.at("throttled").policy.delay == ghcr.classes.at("throttled").policy.delay);
  CHECK(ours.policy == ghcr.policy);
}

TEST_CASE("included rules stand behind their includers, each once", "[rules]") {
  const test::TemporaryFolder folder;
  const std::string head = "retry-rules: 1\n";
  folder.write("base.yaml", head + "rules: [{id: base, class: transient, match: b}]\n");
  folder.write("left.yaml",
               head + "include: base.yaml\nrules: [{id: left, class: transient, match: l}]\n");
  folder.write("right.yaml",
               head + "include: ./base.yaml\nrules: [{id: right, class: transient, match: r}]\n");
  const std::string top =
      folder.write("top.yaml", head +
                                   "include: [base.yaml, left.yaml, right.yaml]\nrules: [{id: top, "
                                   "class: transient, match: t}]\n");
  std::vector<std::string> ids;
  for (const Rule& rule : loaded(top).rules) ids.push_back(rule.full_id());
  CHECK(ids == std::vector<std::string>{"top/top", "left/left", "right/right", "base/base"});

  const std::vector<std::string> names = {folder / "right.yaml", folder / "left.yaml"};
  const auto both = load_rule_sets(names);
  REQUIRE(both.has_value());
  ids.clear();
  for (const Rule& rule : both->rules) ids.push_back(rule.id);
  CHECK(ids == std::vector<std::string>{"right", "left", "base"});
}

TEST_CASE("a file or folder with the bare name of a built-in set does not stand in for it",
          "[rules]") {
  const test::TemporaryFolder folder;
  folder.write("oras", "#!/bin/sh\nexec /opt/oras \"$@\"\n");
  std::filesystem::create_directory(folder / "soci");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder / ".");
  const std::vector<std::string> picked = {"oras", "soci"};
  const auto sets = load_rule_sets(picked);
  const auto one = load_rule_set("oras");
  const auto path = load_rule_set("./oras");
  std::filesystem::current_path(before);
  REQUIRE(sets.has_value());
  CHECK(sets->file == "oras.yaml, soci.yaml");
  REQUIRE(one.has_value());
  CHECK(one->file == "oras (built in)");
  CHECK_FALSE(path.has_value());  // a path is one
}

TEST_CASE("an id that two included sets have must be told apart", "[rules]") {
  const test::TemporaryFolder folder;
  for (const std::string name : {"one", "two"}) {
    folder.write(name + ".yaml", "retry-rules: 1\nrules: [{id: x, class: transient, match: a}]\n");
  }
  const std::string top = folder.write(
      "top.yaml",
      "retry-rules: 1\ninclude: [one.yaml, two.yaml]\nrules: [{id: x, class: suspect}]\n");
  const auto set = load_rule_set(top);
  REQUIRE_FALSE(set.has_value());
  CHECK(joined(set.error()) ==
        top + ":3:14: 'x' could override one/x or two/x; write the one you mean");
  folder.write(
      "top.yaml",
      "retry-rules: 1\ninclude: [one.yaml, two.yaml]\nrules: [{id: two/x, class: suspect}]\n");
  CHECK(rule_of(loaded(top), "two/x").class_name == "suspect");
  CHECK(rule_of(loaded(top), "one/x").class_name == "transient");
}

TEST_CASE("a set that includes itself is an error at the include", "[rules]") {
  const test::TemporaryFolder folder;
  folder.write("a.yaml", "retry-rules: 1\ninclude: b.yaml\n");
  folder.write("b.yaml", "retry-rules: 1\nname: b\ninclude: a.yaml\n");
  const auto set = load_rule_set(folder / "a.yaml");
  REQUIRE_FALSE(set.has_value());
  CHECK(joined(set.error()) ==
        (folder / "b.yaml") + ":3:10: a set that includes itself, by way of this include");
}

TEST_CASE("errors of an included file are told with its own name", "[rules]") {
  const test::TemporaryFolder folder;
  folder.write("bad.yaml", "retry-rules: 1\nrules: 'x\n");
  const auto set = load_rule_set(folder.write("a.yaml", "retry-rules: 1\ninclude: bad.yaml\n"));
  REQUIRE_FALSE(set.has_value());
  CHECK(joined(set.error()) == (folder / "bad.yaml") + ":2:8: this quote is never closed");
}

TEST_CASE("a file that exists comes before a built-in name with an extension, a folder does not",
          "[rules]") {
  const test::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  CHECK(builtin_name("ghcr") == "ghcr");
  CHECK(builtin_name("ghcr.yaml") == "ghcr");
  CHECK_FALSE(builtin_name("nonesuch"));
  std::filesystem::create_directory("ghcr");
  CHECK(builtin_name("ghcr") == "ghcr");
  folder.write("ghcr.yaml", "retry-rules: 1\nname: mine\n");
  CHECK_FALSE(builtin_name("ghcr.yaml"));
  CHECK(loaded("ghcr.yaml").name == "mine");
  CHECK(loaded("ghcr").name == "ghcr");
  std::filesystem::current_path(before);
}

TEST_CASE("the compiled-in policy of a set is the one its file ends up with", "[rules]") {
  for (const BuiltinSet& set : builtin_sets()) {
    CAPTURE(std::string(set.name));
    REQUIRE(builtin_policy(set.name) != nullptr);
    CHECK(*builtin_policy(set.name) == loaded(std::string(set.name)).policy);
  }
  CHECK(builtin_policy("nonesuch") == nullptr);
}

TEST_CASE("an example that comes out otherwise is an error at its own line", "[rules]") {
  const auto set = parse_rule_set(
      "retry-rules: 1\nname: own\nrules:\n"
      "  - id: a\n    class: transient\n    match: 'a+'\n    examples:\n      match: [aa, xx]\n    "
      "  no-match: [ba, y]\n",
      "f");
  REQUIRE(set.has_value());
  CHECK(joined(check_examples(*set)) ==
        "f:8:19: the example should match own/a, but no rule does\n"
        "f:9:18: the example should not match own/a, but it does");
}

TEST_CASE("rules that are never reached and rules without examples are warned of", "[rules]") {
  const auto set = parse_rule_set(
      "retry-rules: 1\nname: own\nrules:\n"
      "  - {id: a, class: transient, match: 'xxx', examples: {match: [xxx]}}\n"
      "  - {id: b, class: permanent, match: 'xxx', exit-codes: 2, examples: {match: [xxx]}}\n"
      "  - {id: c, class: permanent, match: 'yyy'}\n",
      "f");
  REQUIRE(set.has_value());
  CHECK(joined(find_warnings(*set)) ==
        "f:5:10: rule 'b' is never reached: own/a comes before it and matches everything that it "
        "would\n"
        "f:6:10: rule 'c' has no example that it matches");
}

TEST_CASE("a rule whose pattern gives nothing to look for is warned of as slow", "[rules]") {
  const auto warnings = [](const std::string& match) {
    const auto set =
        parse_rule_set("retry-rules: 1\nname: own\nrules:\n  - {id: a, class: transient, match: '" +
                           match + "'}\n",
                       "f");
    REQUIRE(set.has_value());
    return joined(find_warnings(*set));
  };
  for (const std::string slow : {".*a.*9", "(a|b|ab)+[9]$", "E\\d{4}", "oops|E1"}) {
    CAPTURE(slow);
    CHECK(warnings(slow).find("'a' is slow on long output: ") != std::string::npos);
  }
  for (const std::string quick : {"oops", "(o+)ps: \\1 error", "quota[\\x22: ]+reached",
                                  "\\x71\\x75ota", "E1: .*(?:full|gone)"}) {
    CAPTURE(quick);
    CHECK(warnings(quick).find("slow") == std::string::npos);
  }
}

TEST_CASE("code sets take codes, ranges and signals", "[rules]") {
  const auto set = parse_code_set("1, 64-78,KILL");
  REQUIRE(set.has_value());
  CHECK(set->contains(Exited{1}));
  CHECK(set->contains(Exited{70}));
  CHECK_FALSE(set->contains(Exited{79}));
  CHECK(set->contains(Signalled{9}));
  CHECK_FALSE(set->contains(Exited{137}));
  CHECK_FALSE(set->contains(TimedOut{}));
  for (const auto* wrong : {"", ",", "256", "9-3", "-1", "x", "1,,2", "1-2-3"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_code_set(wrong).has_value());
  }
}
