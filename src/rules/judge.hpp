// One failure against compiled rule sets.
#pragma once

#include "rules/evidence.hpp"
#include "rules/prefilter.hpp"

#include <span>
#include <vector>

namespace retry_exec::rules {

struct CompiledRule {
  const Rule* rule = nullptr;
  LazyPattern match;
  LazyPattern unless;
};

struct CompiledSet {
  const RuleSet* set = nullptr;
  std::vector<CompiledRule> rules;
  std::vector<EvidencePatterns> evidence;
  std::vector<LazyPattern> details;  // in the order of set->details
  Prefilter prefilter;               // of the rules' `match`, by their place in `rules`
};

// `explanation`, where there is one, records every step; its verdict is left alone.
Verdict judge(std::span<const CompiledSet> sets, const Failure& failure, Classifier::WallTime now,
              Explanation* explanation);

}  // namespace retry_exec::rules
