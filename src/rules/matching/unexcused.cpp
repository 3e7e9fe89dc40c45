#include "rules/matching/unexcused.hpp"

#include <algorithm>

namespace retry_exec::rules {

namespace {

std::size_t line_begin(std::string_view text, std::size_t at) {
  const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return before == std::string_view::npos ? 0 : before + 1;
}

std::size_t line_end(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size());
}

// So many lines further on than the line that holds `at`: where that line begins, or the end.
std::size_t lines_behind(std::string_view text, std::size_t at, std::size_t lines) {
  for (; lines > 0 && at < text.size(); --lines) at = std::min(line_end(text, at) + 1, text.size());
  return at;
}

Span near(std::string_view text, const Span& match) {
  Span span{line_begin(text, match.begin), match.end};
  for (std::size_t i = 0; i < lines_near && span.begin > 0; ++i) {
    span.begin = line_begin(text, span.begin - 1);
  }
  span.end = line_end(text, lines_behind(text, match.end, lines_near));
  return span;
}

// The first excuse that begins in `around`.
Search search_excuse(const LazyPattern* excuse, std::string_view text, const Span& around,
                     MatchMemory& memory, WorkBudget& budget) {
  if (excuse == nullptr) return Search::nothing;
  const Pattern* pattern = excuse->get(budget);
  if (pattern == nullptr) return Search::limit;
  return pattern->search(text, around.begin, memory, budget, around.end);
}

Unexcused search_one(const LazyPattern& match, const Places& places, const LazyPattern* excuse,
                     std::string_view text, MatchMemory& memory, WorkBudget& budget) {
  Unexcused result;
  if (places.none()) return result;
  const Pattern* pattern = match.get(budget);
  result.search = Search::limit;
  if (pattern == nullptr) return result;
  for (std::size_t from = 0; from <= text.size();) {
    result.search = search_places(*pattern, text, places, memory, budget, from);
    if (result.search != Search::found) break;
    result.match = {memory.begin(), memory.end()};
    result.pattern = &match;
    const Search excused = search_excuse(excuse, text, near(text, result.match), memory, budget);
    if (excused == Search::nothing) return result;
    result.search = excused == Search::limit ? Search::limit : Search::nothing;
    if (excused == Search::limit) break;
    result.excuse = {memory.begin(), memory.end()};
    // What else the same words are near to needs no look.
    const std::size_t next = lines_behind(text, result.excuse->begin, lines_near + 1);
    from = std::max({next, result.match.end, result.match.begin + 1});
  }
  // Where so many were excused that no more can be looked at, none is taken to count.
  if (result.search == Search::limit && result.excuse) result.search = Search::nothing;
  return result;
}

}  // namespace

Unexcused search_unexcused(const Sought& match, const LazyPattern* excuse, std::string_view text,
                           MatchMemory& memory, WorkBudget& budget) {
  Unexcused all;
  for (std::size_t i = 0; i < match.alternatives.size(); ++i) {
    Unexcused one =
        search_one(match.alternatives[i], match.places[i], excuse, text, memory, budget);
    const bool earlier = all.search != Search::found || one.match.begin < all.match.begin;
    if (one.search == Search::found && earlier) all = one;
    if (all.search != Search::nothing) continue;
    all.search = one.search;
    if (one.excuse) all.excuse = one.excuse;
  }
  return all;
}

}  // namespace retry_exec::rules
