// One failure against compiled rule sets.
#pragma once

#include "rules/evidence/evidence.hpp"
#include "rules/matching/prefilter.hpp"

#include <span>
#include <vector>

namespace retry_exec::rules {

struct CompiledRule {
  const Rule* rule = nullptr;
  std::vector<LazyPattern> match;  // its alternatives
  std::size_t first_match = 0;     // the number of the first
  LazyPattern unless;
  LazyPattern unless_near;
};

struct CompiledSet {
  const RuleSet* set = nullptr;
  std::vector<CompiledRule> rules;
  std::vector<EvidencePatterns> evidence;
  std::vector<LazyPattern> details;  // in the order of set->details

  // Of all their patterns but `unless_near`, by number: where each is worth trying.
  Prefilter prefilter;
  std::size_t patterns = 0;  // that it is of
  std::size_t number_of_unless(std::size_t rule) const { return rule; }
  std::size_t number_of_detail(std::size_t detail) const { return rules.size() + detail; }
};

// `set` must outlive what is made of it.
CompiledSet compile(const RuleSet& set);

// `explanation`, where there is one, records every step; its verdict is left alone.
Verdict judge(std::span<const CompiledSet> sets, const Failure& failure, Classifier::WallTime now,
              Explanation* explanation);

}  // namespace retry_exec::rules
