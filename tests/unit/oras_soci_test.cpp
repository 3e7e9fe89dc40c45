#include "catch_shim.hpp"
#include "source_paths.hpp"

#include <retry_exec/rules.hpp>

#include <algorithm>
#include <fstream>

using namespace retry_exec;

namespace {

struct KnownError {
  std::string row;
  std::string class_name;
  std::string text;
};

std::string unescaped(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const bool escape = field[i] == '\\' && i + 1 < field.size();
    text += !escape ? field[i] : field[++i] == 'n' ? '\n' : field[i];
  }
  return text;
}

// Every shape in which oras 1.2 and 1.3 and soci print their final error, with its class under
// ghcr.
std::vector<KnownError> known_errors() {
  std::ifstream file(std::string(UNIT_TEST_FOLDER) + "/oras-errors.tsv");
  REQUIRE(file);
  std::vector<KnownError> errors;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    REQUIRE(second != std::string::npos);
    errors.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1),
                      unescaped(std::string_view(line).substr(second + 1))});
  }
  REQUIRE(errors.size() > 150);
  return errors;
}

Classifier rules_of(const std::string& name) {
  auto set = load_rule_set(name);
  REQUIRE(set.has_value());
  return Classifier({std::move(*set)});
}

Verdict verdict_on(const Classifier& rules, std::string_view text, std::string command = "") {
  if (command.empty()) command = text.starts_with("soci:") ? "soci" : "oras";
  const std::vector<std::string> argv = {command};
  CapturedOutput output;
  // What oras does on the way says nothing about how it ended.
  output.standard_output.tail = "Copying 503 not found timeout\n";
  output.standard_error.tail = std::string(text) + "\n";
  return rules.classify({argv, Exited{1}, output});
}

}  // namespace

TEST_CASE("an error of oras that something is not there says what, and which registry said so",
          "[rules][oras]") {
  const Classifier rules = rules_of("oras");
  const auto detail = [](const Verdict& verdict, std::string_view name) -> std::string {
    for (const Detail& one : verdict.details) {
      if (one.name == name) return one.value;
    }
    return {};
  };
  unsigned digests = 0;
  for (const KnownError& error : known_errors()) {
    const Verdict verdict = verdict_on(rules, error.text);
    if (verdict.class_name != "absent" || error.text.starts_with("soci:")) continue;
    INFO("row " << error.row << ": " << error.text);
    const std::size_t last = verdict.line.rfind("sha256:");
    const std::string digest = last == std::string::npos ? "" : verdict.line.substr(last, 7 + 64);
    const bool whole = digest.size() == 7 + 64 &&
                       digest.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
    CHECK(detail(verdict, "missing") == (whole ? digest : ""));
    const bool source = verdict.line.starts_with("Error from source registry");
    const bool destination = verdict.line.starts_with("Error from destination registry");
    CHECK(detail(verdict, "registry") == (source ? "source" : destination ? "destination" : ""));
    digests += whole;
  }
  CHECK(digests > 2);
}

TEST_CASE("every final error of oras and soci has its class under ghcr", "[rules][oras]") {
  const Classifier rules = rules_of("ghcr");
  for (const KnownError& error : known_errors()) {
    const Verdict verdict = verdict_on(rules, error.text);
    INFO("row " << error.row << ": " << error.text << "\n  by " << verdict.rule);
    CHECK(verdict.class_name == error.class_name);
    CHECK(verdict.retry == (error.class_name != "permanent"));
  }
}

TEST_CASE("oras alone retries nothing that is merely absent", "[rules][oras]") {
  const Classifier rules = rules_of("oras");
  for (const KnownError& error : known_errors()) {
    if (error.text.starts_with("soci:")) continue;
    const Verdict verdict = verdict_on(rules, error.text);
    INFO("row " << error.row << ": " << error.text << "\n  by " << verdict.rule);
    // A blob that the same push has just written is another matter.
    const bool just_written = error.text.find("blob unknown") != std::string::npos;
    if (error.class_name == "absent" && !just_written) {
      CHECK(verdict.class_name == "absent");
      CHECK_FALSE(verdict.retry);
    } else {
      CHECK(verdict.retry == (error.class_name != "permanent"));
    }
  }
}

TEST_CASE("a secondary rate limit of GHCR stands before denied", "[rules][ghcr]") {
  const Classifier rules = rules_of("ghcr");
  const auto limited = verdict_on(
      rules, "Error response from registry: denied: You have exceeded a secondary rate limit");
  CHECK(limited.rule == "ghcr/secondary-rate-limit");
  CHECK(limited.class_name == "throttled");
  const auto denied = verdict_on(
      rules, "Error response from registry: denied: requested access to the resource is denied");
  CHECK(denied.rule == "oci/denied");
  CHECK_FALSE(denied.retry);
}

TEST_CASE("GHCR is waited for as long as it asks", "[rules][ghcr]") {
  const Classifier rules = rules_of("ghcr");
  const auto soon = verdict_on(
      rules,
      "Error response from registry: toomanyrequests: retry-after: 12.5ms, allowed: 2000/minute");
  REQUIRE(soon.retry_after);
  CHECK(*soon.retry_after == std::chrono::microseconds(12500));
  const auto later = verdict_on(
      rules,
      "Error response from registry: toomanyrequests: retry-after: 30s, allowed: 2000/minute");
  REQUIRE(later.retry_after);
  CHECK(*later.retry_after == std::chrono::seconds(30));
}

TEST_CASE("ghcr makes five attempts, from 2 s to 32 s apart", "[rules][ghcr]") {
  const PolicyFields* policy = builtin_policy("ghcr");
  REQUIRE(policy != nullptr);
  CHECK(policy->attempts == 5);
  CHECK(policy->delay == std::chrono::seconds(2));
  CHECK(policy->max_delay == std::chrono::seconds(32));
}

TEST_CASE("Docker Hub's pull quota stops, its other limits do not", "[rules][dockerhub]") {
  const Classifier rules = rules_of("dockerhub");
  const auto quota =
      verdict_on(rules,
                 "Error response from daemon: toomanyrequests: You have reached your "
                 "pull rate limit. https://www.docker.com/increase-rate-limit",
                 "docker");
  CHECK_FALSE(quota.retry);
  CHECK(
      verdict_on(rules, "Error response from daemon: toomanyrequests: too many requests", "docker")
          .class_name == "throttled");
}

TEST_CASE("an unknown name stops on ECR and may lag elsewhere", "[rules][ecr]") {
  const std::string text = "name unknown: repository name not known to registry";
  CHECK_FALSE(verdict_on(rules_of("ecr"), text, "docker").retry);
  CHECK(verdict_on(rules_of("ghcr"), text, "docker").class_name == "absent");
  const std::string missing =
      "name unknown: The repository with name 'x' does not exist in the registry with id '1'";
  CHECK_FALSE(verdict_on(rules_of("docker"), missing, "docker").retry);
}

TEST_CASE("a lost upload is begun again", "[rules][oci]") {
  for (const std::string set : {"ghcr", "harbor", "oras", "docker"}) {
    const auto verdict = verdict_on(rules_of(set), "blob upload unknown", "docker");
    INFO(set << ": " << verdict.rule);
    CHECK(verdict.retry);
  }
}
