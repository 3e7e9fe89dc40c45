// A match that nothing near it excuses: one word in a long log says nothing of a failure that
// stands hundreds of lines below it.
#pragma once

#include "rules/matching/prefilter.hpp"

namespace retry_exec::rules {

// How many lines before and behind those of a match are near it: enough for a cause above its
// summary, a JSON answer over several lines, a box of terraform's.
inline constexpr std::size_t lines_near = 5;

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// A pattern, and where it is worth trying.
struct Sought {
  const LazyPattern& pattern;
  const Places& places;
};

struct Unexcused {
  Search search = Search::nothing;
  Span match;                  // where one was found
  std::optional<Span> excuse;  // else: what excuses the last that there is
};

// The first match of `match` near which no match of `excuse` begins. One pass over `text` for each
// of the two, however many matches there are.
Unexcused search_unexcused(const Sought& match, const Sought& excuse, std::string_view text,
                           MatchMemory& memory, WorkBudget& budget);

}  // namespace retry_exec::rules
