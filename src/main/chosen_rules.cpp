#include "chosen_rules.hpp"

#include <utility>

namespace retry_exec {

Result<ChosenRules, Errors> ChosenRules::open(std::span<const std::string> names,
                                              std::span<const std::string> command) {
  ChosenRules rules;
  Errors errors;
  for (const std::string& name : names) {
    if (name != "auto") {
      rules.add({name}, errors);
      continue;
    }
    for (ChosenSet& picked : pick_rule_sets(command)) rules.add(std::move(picked), errors);
  }
  if (!errors.empty()) return errors;
  return rules;
}

void ChosenRules::add(ChosenSet chosen, Errors& errors) {
  // Decided here for good: the command may put a file of that name where we stand.
  if (!chosen.builtin) chosen.builtin = builtin_name(chosen.name).has_value();
  if (const PolicyFields* known = chosen.builtin ? builtin_policy(chosen.name) : nullptr) {
    policy = layered(policy, *known);
    sets_.push_back({.chosen = std::move(chosen), .loaded = std::nullopt});
    return;
  }
  auto loaded = load_rule_set(chosen);
  if (!loaded) return append(errors, loaded.error());
  policy = layered(policy, loaded->policy);
  sets_.push_back({.chosen = std::move(chosen), .loaded = *std::move(loaded)});
}

std::string ChosenRules::names() const {
  std::string text;
  for (const Set& set : sets_) text += (text.empty() ? "" : ", ") + set.chosen.name;
  return text;
}

const Classifier& ChosenRules::classifier() {
  if (!classifier_) {
    std::vector<RuleSet> sets;
    for (Set& set : sets_) {
      // A built-in set that does not load is our bug: the build has loaded it.
      sets.push_back(set.loaded ? *std::move(set.loaded) : load_rule_set(set.chosen).value());
    }
    classifier_.emplace(std::move(sets));
  }
  return *classifier_;
}

}  // namespace retry_exec
