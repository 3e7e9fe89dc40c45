// A rule that is made of a log loads, holds on the line that it was made of, and not on an empty
// one.
#include "insist.hpp"
#include "rules/matching/pattern.hpp"

#include <retry_exec/rule_tools.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

using namespace retry_exec;
using fuzz::insist;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Classifier nothing({});
  const std::string text = fuzz::text_of(data, size);
  const auto explanation = explain_text(nothing, {}, Exited{1}, text, "both");
  const std::optional<Suggestion> suggestion = suggest_rule(explanation);
  if (!suggestion) return 0;
  const std::string yaml = "retry-rules: 1\nrules:\n" + suggestion->yaml();
  const auto set = parse_rule_set(yaml, "suggested.yaml");
  insist(set.has_value(), "does not load", set ? "" : to_string(set.error().front()) + "\n" + yaml);
  const Errors errors = check_examples(*set);
  insist(errors.empty(), "does not pass check",
         errors.empty() ? "" : to_string(errors.front()) + "\n" + yaml);
  const auto pattern = rules::Pattern::compile(suggestion->match);
  insist(pattern.has_value(), "is not a pattern", suggestion->match);
  rules::MatchMemory memory;
  rules::WorkBudget budget(10'000'000);
  insist(pattern->search("", 0, memory, budget) == rules::Search::nothing, "holds on nothing",
         yaml);
  const bool holds =
      pattern->search(explanation.evidence, 0, memory, budget) != rules::Search::nothing;
  insist(holds, "does not hold on its log", yaml + explanation.evidence);
  return 0;
}
