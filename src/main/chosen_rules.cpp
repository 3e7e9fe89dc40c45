#include "chosen_rules.hpp"

#include <utility>

namespace retry_exec {

Result<ChosenRules, Errors> ChosenRules::open(std::span<const std::string> names,
                                              std::span<const std::string> command) {
  ChosenRules rules;
  Errors errors;
  for (const std::string& name : names) {
    if (name != "auto") {
      rules.add(name, errors);
      continue;
    }
    for (std::string& picked : pick_rule_sets(command)) rules.add(std::move(picked), errors);
  }
  if (!errors.empty()) return errors;
  return rules;
}

void ChosenRules::add(std::string name, Errors& errors) {
  const auto builtin = builtin_name(name);
  if (const PolicyFields* known = builtin ? builtin_policy(*builtin) : nullptr) {
    policy = layered(policy, *known);
    // By its bare name, for good: the command may put a "ghcr.yaml" where we stand.
    sets_.push_back({.name = std::string(*builtin), .loaded = std::nullopt});
    return;
  }
  auto loaded = load_rule_set(name);
  if (!loaded) return append(errors, loaded.error());
  policy = layered(policy, loaded->policy);
  sets_.push_back({.name = std::move(name), .loaded = *std::move(loaded)});
}

std::string ChosenRules::names() const {
  std::string text;
  for (const Set& set : sets_) text += (text.empty() ? "" : ", ") + set.name;
  return text;
}

const Classifier& ChosenRules::classifier() {
  if (!classifier_) {
    std::vector<RuleSet> sets;
    for (Set& set : sets_) {
      // A built-in set that does not load is our bug: the build has loaded it.
      sets.push_back(set.loaded ? *std::move(set.loaded) : load_rule_set(set.name).value());
    }
    classifier_.emplace(std::move(sets));
  }
  return *classifier_;
}

}  // namespace retry_exec
