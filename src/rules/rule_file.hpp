// One rule file as it was written: nothing included, nothing overridden yet.
#pragma once

#include <retry_exec/config.hpp>
#include <retry_exec/rules.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

struct IncludeDraft {
  std::string name;
  Position where;
};

struct ClassDraft {
  std::string name;
  std::optional<bool> retry;
  PolicyFields policy;
};

// A rule, and which of its fields were named: an overriding rule replaces those alone.
struct RuleDraft {
  Rule rule;
  std::vector<std::string> named;
  Position class_where;

  bool names(std::string_view key) const;
};

struct RuleFile {
  std::string name;
  std::string about;
  std::vector<std::string> see;
  std::string file;
  Serves serves;
  std::vector<IncludeDraft> includes;
  PolicyFields policy;
  std::vector<ClassDraft> classes;
  std::vector<EvidenceSource> evidence;
  std::vector<DetailPattern> details;
  std::vector<RuleDraft> rules;
};

// Patterns of built-in files were compiled when the project was built; others are tried here.
enum class Patterns { check, trust };

// Appends to `errors` whatever is wrong; the file is then of no use.
RuleFile read_rule_file(const config::Node& root, const std::string& file, Patterns patterns,
                        Errors& errors);

// Puts the fields that `draft` names in the place of those of `rule`.
void override_rule(Rule& rule, const RuleDraft& draft);

}  // namespace retry_exec::rules
