#include "main/chosen_rules.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
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
    rules.by_command_ = true;
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
  for (const Set& set : sets_) text::append_to(text, set.name);
  return text;
}

std::vector<std::string> ChosenRules::files() const {
  std::vector<std::string> files;
  for (const Set& set : sets_) {
    if (set.loaded) files.insert(files.end(), set.loaded->files.begin(), set.loaded->files.end());
  }
  return files;
}

std::vector<std::string> ChosenRules::brought(std::span<const std::string> command,
                                              const CapturedOutput& output) const {
  if (!by_command_) return {};
  std::vector<std::string> sets;
  for (const std::string* printed : {&output.standard_output.tail, &output.standard_error.tail}) {
    for (std::string& set : pick_rule_sets(command, *printed)) {
      const auto known = [&](const Set& other) { return other.name == set; };
      if (std::none_of(sets_.begin(), sets_.end(), known) &&
          std::find(sets.begin(), sets.end(), set) == sets.end()) {
        sets.push_back(std::move(set));
      }
    }
  }
  return sets;
}

const Classifier& ChosenRules::classifier(std::span<const std::string> command,
                                          const CapturedOutput& output) {
  std::vector<std::string> brought_now = brought(command, output);
  if (classifier_ && brought_now == brought_) return *classifier_;
  brought_ = std::move(brought_now);
  std::vector<RuleSet> sets;
  std::vector<std::string> together;
  const auto load_together = [&] {
    // A built-in set that does not load is our bug: the build has loaded it.
    if (!together.empty()) sets.push_back(load_rule_sets(together).value());
    together.clear();
  };
  for (const Set& set : sets_) {
    if (set.loaded) {
      load_together();
      sets.push_back(*set.loaded);
    } else {
      together.push_back(set.name);
    }
  }
  together.insert(together.end(), brought_.begin(), brought_.end());
  load_together();
  return classifier_.emplace(std::move(sets));
}

}  // namespace retry_exec
