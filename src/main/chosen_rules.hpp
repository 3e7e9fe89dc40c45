// The rule sets that a run of retry-exec was given.
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/policy.hpp>
#include <retry_exec/rules.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace retry_exec {

// Built-in sets are not read before there is a failure to judge: their policy was worked out when
// the program was built. Files are read at once: with a bad one, nothing is run.
class ChosenRules {
 public:
  // `names` as --rules has them: names, paths, and "auto", which stands for what suits `command`.
  static Result<ChosenRules, Errors> open(std::span<const std::string> names,
                                          std::span<const std::string> command);

  PolicyFields policy;  // the files' own, earlier ones stronger

  bool empty() const { return sets_.empty(); }
  std::string names() const;  // "ghcr, oras"
  const Classifier& classifier();

 private:
  struct Set {
    std::string name;
    std::optional<RuleSet> loaded;
  };

  void add(std::string name, Errors& errors);

  std::vector<Set> sets_;
  std::optional<Classifier> classifier_;
};

}  // namespace retry_exec
