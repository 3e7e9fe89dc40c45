#include "rules/evidence/evidence.hpp"
#include "rules/judge.hpp"
#include "rules/matching/alternatives.hpp"

#include <algorithm>

namespace retry_exec {

using namespace rules;

struct Classifier::Compiled {
  std::vector<RuleSet> sets;
  std::vector<CompiledSet> compiled;
};

namespace {

// By the numbers that CompiledSet, EvidencePatterns and CompiledRule give them.
std::vector<std::string_view> numbered_patterns(const CompiledSet& set) {
  std::vector<std::string_view> patterns;
  for (const CompiledRule& rule : set.rules) patterns.push_back(rule.unless.source());
  for (const LazyPattern& detail : set.details) patterns.push_back(detail.source());
  for (const EvidencePatterns& source : set.evidence) {
    for (const LazyPattern& mask : source.masks) patterns.push_back(mask.source());
  }
  for (const CompiledRule& rule : set.rules) {
    for (const LazyPattern& alternative : rule.match) patterns.push_back(alternative.source());
  }
  return patterns;
}

std::vector<LazyPattern> lazy(const Alternatives& alternatives) {
  std::vector<LazyPattern> patterns;
  patterns.reserve(alternatives.sources.size());
  for (const std::string_view source : alternatives.sources)
    patterns.emplace_back(source, alternatives.ignore_case);
  return patterns;
}

}  // namespace

CompiledSet rules::compile(const RuleSet& set) {
  CompiledSet compiled;
  compiled.set = &set;
  for (const Rule& rule : set.rules) {
    CompiledRule& added = compiled.rules.emplace_back();
    added.rule = &rule;
    if (rule.match) added.match = lazy(alternatives_of(rule.match->text));
    if (rule.unless) added.unless = LazyPattern(rule.unless->text);
    if (rule.unless_near) added.unless_near = LazyPattern(rule.unless_near->text);
  }
  std::size_t number = compiled.number_of_detail(set.details.size());
  for (const EvidenceSource& source : set.evidence) {
    EvidencePatterns& added = compiled.evidence.emplace_back();
    added.source = &source;
    if (source.focus) added.focus = LazyPattern(source.focus->text);
    for (const PatternSource& mask : source.mask) added.masks.emplace_back(mask.text);
    added.first_mask = number;
    number += added.masks.size();
  }
  for (const DetailPattern& detail : set.details)
    compiled.details.emplace_back(detail.pattern.text);
  for (CompiledRule& rule : compiled.rules) {
    rule.first_match = number;
    number += rule.match.size();
  }
  compiled.patterns = number;
  compiled.prefilter = Prefilter(numbered_patterns(compiled));
  return compiled;
}

Classifier::Classifier(std::vector<RuleSet> sets) : compiled_(std::make_unique<Compiled>()) {
  compiled_->sets = std::move(sets);
  for (const RuleSet& set : compiled_->sets) compiled_->compiled.push_back(compile(set));
}

Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

std::span<const RuleSet> Classifier::sets() const {
  return compiled_->sets;
}

Verdict Classifier::classify(const Failure& failure, WallTime now) const {
  return judge(compiled_->compiled, failure, now, nullptr);
}

Explanation Classifier::explain(const Failure& failure, WallTime now) const {
  Explanation explanation;
  explanation.verdict = judge(compiled_->compiled, failure, now, &explanation);
  return explanation;
}

}  // namespace retry_exec
