#include "catch_shim.hpp"
#include "json_schema.hpp"
#include "source_paths.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/config.hpp>
#include <retry_exec/rules.hpp>

#include <boost/json.hpp>

using namespace retry_exec;
namespace json = boost::json;

namespace {

// A scalar as JSON has it: an unquoted number or truth value is one, all else is text.
json::value scalar_as_json(const config::Node& node) {
  if (!node.quoted() && (node.text == "true" || node.text == "false")) return node.text == "true";
  if (!node.quoted() && !node.text.empty() &&
      node.text.find_first_not_of("-+.0123456789eE") == std::string::npos) {
    boost::system::error_code wrong;
    const json::value number = json::parse(node.text, wrong);
    if (!wrong) return number;
  }
  return json::string(node.text);
}

json::value as_json(const config::Node& node) {
  switch (node.kind) {
    case config::Node::Kind::null:
      return nullptr;
    case config::Node::Kind::scalar:
      return scalar_as_json(node);
    case config::Node::Kind::sequence: {
      json::array array;
      for (const config::Node& item : node.items) array.push_back(as_json(item));
      return array;
    }
    case config::Node::Kind::mapping:
      break;
  }
  json::object object;
  for (const auto& [key, value] : node.entries) object[key.text] = as_json(value);
  return object;
}

const json::value& schema() {
  static const json::value value = json::parse(test::read_file(RULE_FILE_SCHEMA));
  return value;
}

// What the schema has against the file; empty when it accepts it.
std::string violations(std::string_view text) {
  const auto root = config::parse(text, "f");
  REQUIRE(root.has_value());
  std::string all;
  for (const std::string& violation : test::schema_violations(schema(), as_json(*root))) {
    all += violation + "\n";
  }
  return all;
}

std::string errors(std::string_view text) {
  const auto set = parse_rule_set(text, "f");
  std::string all;
  if (!set) {
    for (const Error& error : set.error()) all += to_string(error) + "\n";
  }
  return all;
}

// Places in a file, with a key to be put there.
struct Place {
  std::string_view before;
  std::string_view after;
  std::string_view keys;  // separated by blanks
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

TEST_CASE("the schema accepts every built-in set", "[rules]") {
  for (const BuiltinSet& set : builtin_sets()) {
    CAPTURE(std::string(set.name));
    CHECK(violations(set.yaml).empty());
  }
}

TEST_CASE("the schema and the parser give the same answers", "[rules]") {
  constexpr std::string_view policy =
      "attempts delay factor max-delay backoff jitter timeout idle-timeout stall-timeout deadline "
      "kill-after";
  const auto place = GENERATE_COPY(values<Place>({
      {"", "", "name about for policy classes evidence details rules unknown"},
      {"for: {", "}", "commands hosts unknown"},
      {"policy: {", "}", policy},
      {"policy: {", "}", "retry unknown"},
      {"classes: {absent: {", "}}", policy},
      {"classes: {absent: {", "}}", "retry unknown"},
      {"evidence: [{", "}]", "commands stream focus mask unknown"},
      {"rules: [{id: a, class: absent, ", ", commands: x}]",
       "match unless stream exit-codes signals outcome policy because see examples "
       "unknown"},
      {"rules: [{id: a, class: absent, match: x, ", "}]", "unless-near unknown"},
      {"rules: [{class: absent, match: x, ", "}]", "id unknown"},
      {"rules: [{id: a, class: absent, match: x, policy: {", "}}]", policy},
      {"rules: [{id: a, class: absent, match: x, examples: {", "}}]", "match no-match unknown"},
  }));
  for (const std::string& key : split(place.keys)) {
    for (const std::string_view value :
         {"5",      "'5'",       "0",           "-1",        "256",      "2000000",
          "1.5",    "x",         "X y",         "true",      "'true'",   "~",
          "''",     "[]",        "[a]",         "[5]",       "[300]",    "[~]",
          "[[a]]",  "[{a: b}]",  "{}",          "{a: b}",    "{a: [b]}", "{a: ~}",
          "30s",    "1h30m",     "5 s",         "25%",       "KILL",     "[KILL, sigterm]",
          "NOSUCH", "1-5",       "[1, 64-78]",  "'1,64-78'", "a-b",      "stdout",
          "both",   "timed-out", "exponential", "equal",     "none",     "10minutes",
          "1d2h",   "0s",        "5y",          "RTMIN+1",   "RTMAX"}) {
      const std::string text = "retry-rules: 1\n" + std::string(place.before) + key + ": " +
                               std::string(value) + std::string(place.after) + "\n";
      CAPTURE(text, errors(text), violations(text));
      CHECK(errors(text).empty() == violations(text).empty());
    }
  }
}

TEST_CASE("the schema knows what a file needs", "[rules]") {
  CHECK_FALSE(violations("name: x\n").empty());
  CHECK_FALSE(violations("retry-rules: 2\n").empty());
  CHECK_FALSE(violations("retry-rules: 1\nrules: [{class: absent, match: x}]\n").empty());
  CHECK(violations("retry-rules: 1\n").empty());
}
