#include "rules/matching/literals.hpp"

#include <retry_exec/rules.hpp>

#include <algorithm>

namespace retry_exec {

namespace {

bool same_pattern(const std::optional<PatternSource>& a, const std::optional<PatternSource>& b) {
  return a.has_value() == b.has_value() && (!a || a->text == b->text);
}

// Whether `earlier` holds wherever `later` would: the same pattern, and no condition that `later`
// lacks.
bool takes_all_of(const Rule& earlier, const Rule& later) {
  const auto as_wide = [](const auto& wide, const auto& narrow) {
    return wide.empty() || wide == narrow;
  };
  return same_pattern(earlier.match, later.match) &&
         (!earlier.unless || same_pattern(earlier.unless, later.unless)) &&
         (!earlier.unless_near || same_pattern(earlier.unless_near, later.unless_near)) &&
         earlier.stream == later.stream && as_wide(earlier.codes, later.codes) &&
         as_wide(earlier.commands, later.commands) &&
         (earlier.outcome == later.outcome ||
          (earlier.outcome == OutcomeKind::any && later.outcome != OutcomeKind::timed_out));
}

void warn_of_rule(const RuleSet& set, std::size_t index, Errors& warnings) {
  const Rule& rule = set.rules[index];
  const auto end = set.rules.begin() + static_cast<std::ptrdiff_t>(index);
  const auto before = std::find_if(
      set.rules.begin(), end, [&](const Rule& earlier) { return takes_all_of(earlier, rule); });
  if (before != end) {
    warnings.push_back({rule.where, "rule '" + rule.id +
                                        "' is never reached: " + before->full_id() +
                                        " comes before it and matches everything that it would"});
  }
  if (rule.match && rule.examples_match.empty()) {
    warnings.push_back({rule.where, "rule '" + rule.id + "' has no example that it matches"});
  }
  // The prefilter cannot spare it anything, and on megabytes it may be left out for want of budget.
  if (rule.match && rules::needs_of(rule.match->text).any_of.empty()) {
    warnings.push_back(
        {rule.where, "rule '" + rule.id +
                         "' is slow on long output: no three characters in a row can be told "
                         "that every match of its pattern must hold"});
  }
}

}  // namespace

Errors find_warnings(const RuleSet& set) {
  Errors warnings;
  for (std::size_t i = 0; i < set.rules.size(); ++i) {
    if (set.rules[i].set_name == set.name) warn_of_rule(set, i, warnings);
  }
  return warnings;
}

}  // namespace retry_exec
