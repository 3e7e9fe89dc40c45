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
  std::string names() const;               // "ghcr, oras"
  std::vector<std::string> files() const;  // that were read, with what they include
  // For a failure of `command` that printed `output`: under "auto", hosts in it bring their sets.
  const Classifier& classifier(std::span<const std::string> command, const CapturedOutput& output);

 private:
  struct Set {
    std::string name;
    std::optional<RuleSet> loaded;
  };

  void add(std::string name, Errors& errors);
  std::vector<std::string> brought(std::span<const std::string> command,
                                   const CapturedOutput& output) const;

  std::vector<Set> sets_;
  bool by_command_ = false;           // "auto" is among the names
  std::vector<std::string> brought_;  // by the hosts of the last failure
  std::optional<Classifier> classifier_;
};

}  // namespace retry_exec
