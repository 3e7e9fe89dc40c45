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

// The excuses of a text, asked for in its order.
class Excuses {
 public:
  Excuses(const Sought& sought, std::string_view text, MatchMemory& memory, WorkBudget& budget)
      : sought_(sought), text_(text), memory_(memory), budget_(budget) {}

  // Makes `first` the first that begins at `from` or later; nothing when there is none.
  Search find(std::size_t from) {
    if (found_ == Search::found && (!asked_ || first.begin < from)) found_ = search(from);
    asked_ = true;
    return found_;
  }

  Span first;

 private:
  Search search(std::size_t from) {
    if (sought_.places.none() || from > text_.size()) return Search::nothing;
    const Pattern* pattern = sought_.pattern.get(budget_);
    if (pattern == nullptr) return Search::limit;
    const Search found = search_places(*pattern, text_, sought_.places, memory_, budget_, from);
    if (found == Search::found) first = {memory_.begin(), memory_.end()};
    return found;
  }

  const Sought& sought_;
  std::string_view text_;
  MatchMemory& memory_;
  WorkBudget& budget_;
  bool asked_ = false;
  Search found_ = Search::found;
};

}  // namespace

Unexcused search_unexcused(const Sought& match, const Sought& excuse, std::string_view text,
                           MatchMemory& memory, WorkBudget& budget) {
  Unexcused result;
  if (match.places.none()) return result;
  const Pattern* pattern = match.pattern.get(budget);
  if (pattern == nullptr) return {.search = Search::limit, .match = {}, .excuse = {}};
  Excuses excuses(excuse, text, memory, budget);
  for (std::size_t from = 0; from <= text.size();) {
    result.search = search_places(*pattern, text, match.places, memory, budget, from);
    // Where so many were excused that no more can be looked at, none is taken to count.
    if (result.search == Search::limit && result.excuse) result.search = Search::nothing;
    if (result.search != Search::found) return result;
    result.match = {memory.begin(), memory.end()};
    const Span around = near(text, result.match);
    const Search excused = excuses.find(around.begin);
    if (excused == Search::limit) {
      result.search = result.excuse ? Search::nothing : Search::limit;
      return result;
    }
    if (excused == Search::nothing || excuses.first.begin > around.end) return result;
    result.search = Search::nothing;
    result.excuse = excuses.first;
    // What else the same words are near to needs no look.
    const std::size_t next = lines_behind(text, excuses.first.begin, lines_near + 1);
    from = std::max({next, result.match.end, result.match.begin + 1});
  }
  return result;
}

}  // namespace retry_exec::rules
