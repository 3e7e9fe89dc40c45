// A match that nothing near it excuses: one word in a long log says nothing of a failure that
// stands hundreds of lines below it.
#pragma once

#include "rules/matching/prefilter.hpp"

#include <optional>
#include <span>

namespace retry_exec::rules {

// How many lines before and behind those of a match are near it: enough for a cause above its
// summary, a JSON answer over several lines, a box of terraform's.
inline constexpr std::size_t lines_near = 5;

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The alternatives of a pattern, and where each is worth trying.
struct Sought {
  std::span<const LazyPattern> alternatives;
  std::span<const Places> places;
};

struct Unexcused {
  Search search = Search::nothing;
  Span match;                            // where one was found,
  const LazyPattern* pattern = nullptr;  // and of which alternative
  std::optional<Span> excuse;            // else: what excuses the last that there is
};

// The first match of `match` near which no match of `excuse` begins; without an `excuse`, the
// first. For each alternative no more than a few passes over `text`, however many matches there
// are.
Unexcused search_unexcused(const Sought& match, const LazyPattern* excuse, std::string_view text,
                           MatchMemory& memory, WorkBudget& budget);

}  // namespace retry_exec::rules
