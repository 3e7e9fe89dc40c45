// A rule file and an output to judge by it, separated by a NUL byte. Whatever comes: an answer, in
// bounded time.
//
//   tests/all --fuzz SECONDS

#include "rules/matching/alternatives.hpp"
#include "rules/matching/pattern.hpp"
#include "rules/matching/prefilter.hpp"

#include <retry_exec/rules.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace {

using namespace retry_exec;

// Its alternatives find between them what the whole pattern finds.
void compare_with_alternatives(std::string_view source, std::string_view text,
                               std::optional<std::size_t> expected) {
  const rules::Alternatives apart = rules::alternatives_of(source);
  rules::MatchMemory memory;
  rules::WorkBudget budget(100'000'000);
  std::optional<std::size_t> first;
  for (const std::string_view alternative : apart.sources) {
    const auto pattern = rules::Pattern::compile(alternative, apart.ignore_case);
    if (!pattern) std::abort();
    const rules::Search search = pattern->search(text, 0, memory, budget);
    if (search == rules::Search::limit) return;
    if (search == rules::Search::found)
      first = std::min(first.value_or(text.size()), memory.begin());
  }
  if (first != expected) std::abort();
}

// The places that the prefilter leaves out hold no match.
void compare_with_plain_search(const Rule& rule, std::string_view text) {
  if (!rule.match) return;
  const auto pattern = rules::Pattern::compile(rule.match->text);
  if (!pattern) return;
  const rules::Prefilter prefilter({rule.match->text});
  const rules::Prefilter::Found found = prefilter.find(text);
  rules::MatchMemory memory;
  rules::WorkBudget budget(100'000'000);
  const rules::Search plain = pattern->search(text, 0, memory, budget);
  if (plain == rules::Search::limit) return;
  const std::size_t begin = plain == rules::Search::found ? memory.begin() : 0;
  const rules::Search quick = rules::search_places(*pattern, text, found[0], memory, budget);
  if (quick == rules::Search::limit) return;
  if (quick != plain || (quick == rules::Search::found && memory.begin() != begin)) std::abort();
  compare_with_alternatives(rule.match->text, text,
                            plain == rules::Search::found ? std::optional(begin) : std::nullopt);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  const std::string_view yaml = input.substr(0, end);
  const auto set = parse_rule_set(yaml, "/nonexistent/fuzz.yaml");
  if (!set) return 0;
  const std::string_view text = end == std::string_view::npos ? yaml : input.substr(end + 1);
  CapturedOutput output;
  output.standard_error.tail = text;
  const std::vector<std::string> command = {"oras"};
  const Classifier classifier({*set});
  classifier.explain({command, Exited{1}, output});
  for (const Rule& rule : set->rules) compare_with_plain_search(rule, text);
  return 0;
}
