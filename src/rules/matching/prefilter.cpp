#include "rules/matching/prefilter.hpp"

#include "rules/matching/literals.hpp"
#include "rules/matching/prefilter_hash.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace retry_exec::rules {

namespace {

using Use = PrefilterTables::Use;
using Word = PrefilterTables::Word;
using Entry = PrefilterTables::Entry;
using Table = PrefilterTables::Table;

// More ranges than that are not worth a list of their own: the last goes on to the end.
constexpr std::size_t most_ranges = std::size_t{1} << 16;

// Ranges of a line that lie nearer are made one.
constexpr std::uint32_t near_enough = 8;

// More looks at words than so many, and four for each byte of the text, are not worth it either;
// but few of them at one place are always.
constexpr std::size_t some_looks = std::size_t{64} << 10;
constexpr std::size_t few_looks = 8;

constexpr std::uint32_t every_line = std::numeric_limits<std::uint32_t>::max();

// Ranges come line by line, but in any order within a line.
void add_range(Places& places, Places::Range range) {
  if (places.everywhere) return;
  std::vector<Places::Range>& ranges = places.ranges;
  const auto meets = [&](const Places::Range& last) {
    return last.end == range.end && range.first <= last.last + near_enough;
  };
  while (!ranges.empty() && (meets(ranges.back()) || ranges.size() >= most_ranges)) {
    const Places::Range& last = ranges.back();
    range = {std::min(last.first, range.first), std::max(last.last, range.last),
             std::max(last.end, range.end)};
    ranges.pop_back();
  }
  ranges.push_back(range);
}

// One pass over a text, line by line.
class Pass {
 public:
  Pass(const PrefilterTables& tables, std::string_view text)
      : tables_(tables),
        text_(text),
        places_(tables.patterns.size()),
        line_of_filter_(tables.filters),
        line_of_word_(tables.words.size()) {
    for (std::size_t i = 0; i < places_.size(); ++i)
      places_[i].everywhere = tables.patterns[i].everywhere;
  }

  std::vector<Places> run();

 private:
  struct Candidate {
    std::uint32_t word;
    std::uint32_t at;
  };
  bool worth_a_look(const Table& table, std::uint32_t hash) const {
    const std::uint32_t bit = hash >> (32 - PrefilterTables::glance_bits);
    return ((table.glance[bit / 64] >> (bit % 64)) & 1) != 0;
  }
  void look(const Table& table, std::uint32_t bytes, std::size_t at);
  bool holds_more(const Entry& entry, std::size_t at) const;
  bool stands_at(const Word& word, std::size_t at) const;
  void begin_line(std::size_t at);
  void note(std::uint32_t number, std::size_t at);
  void take(const Use& use, std::uint32_t at);
  bool is_given_up(const Table& table, std::uint32_t slot) const {
    const std::pair given_up(&table, slot);
    return std::find(given_up_.begin(), given_up_.end(), given_up) != given_up_.end();
  }
  void give_up(const Table& table, std::uint32_t slot);

  const PrefilterTables& tables_;
  std::string_view text_;
  std::vector<Places> places_;
  std::vector<std::uint32_t> line_of_filter_;  // where one of its words was met last; 0: nowhere
  std::vector<std::uint32_t> line_of_word_;    // the same of a word that need not be met twice
  std::vector<std::pair<const Table*, std::uint32_t>> given_up_;  // slots
  std::vector<Candidate> candidates_;  // of the line, for those of their filters that are met
  std::uint32_t line_ = 0;
  std::uint32_t line_of_any_filter_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t line_end_ = 0;
  std::size_t looks_ = 0;
};

// Before the word itself is asked, which lies elsewhere in memory.
bool Pass::holds_more(const Entry& entry, std::size_t at) const {
  if (entry.more_at == 0) return true;
  // What would begin before the text is far behind it in unsigned numbers.
  const std::size_t other = at + static_cast<std::size_t>(std::ptrdiff_t{entry.more_at});
  return other <= text_.size() - 4 && four_at(text_.data() + other) == entry.more;
}

bool begins_with(std::string_view rest, const Bar& bar) {
  if (rest.empty() || rest.front() != bar.text.front() || !rest.starts_with(bar.text)) return false;
  rest.remove_prefix(bar.text.size());
  return rest.empty() ? bar.after.has_edge() : bar.after.has(rest.front());
}

bool Pass::stands_at(const Word& word, std::size_t at) const {
  if (text_.size() - at < word.text.size()) return false;
  const char* const begin = text_.data() + at;
  if (!same_folded(word.text.data(), begin, word.text.size())) return false;
  const ByteSet& before = tables_.sets[word.before];
  if (word.before != 0 && !(at == 0 ? before.has_edge() : before.has(begin[-1]))) return false;
  const ByteSet& after = tables_.sets[word.after];
  const std::size_t end = at + word.text.size();
  if (word.after != 0 && !(end == text_.size() ? after.has_edge() : after.has(text_[end])))
    return false;
  if (word.bars == 0) return true;
  const std::vector<Bar>& bars = *tables_.bars[word.bars];
  return std::none_of(bars.begin(), bars.end(), [rest = text_.substr(end)](const Bar& bar) {
    return begins_with(rest, bar);
  });
}

void Pass::take(const Use& use, std::uint32_t at) {
  Places& places = places_[use.pattern];
  const auto whole = static_cast<std::uint32_t>(text_.size());
  if (!tables_.patterns[use.pattern].one_line) {
    if (use.reach == any_reach) {
      places = {.everywhere = true, .ranges = {}};
      return;
    }
    return add_range(places, {at - std::min(at, use.reach), at, whole});
  }
  const auto begin = static_cast<std::uint32_t>(line_begin_);
  const auto end = static_cast<std::uint32_t>(line_end_);
  if (at < begin) return;  // a match cannot have a line break in it
  if (use.reach == any_reach) return add_range(places, {begin, end, end});
  add_range(places, {at - std::min(at - begin, use.reach), at, end});
}

// Done with the line before.
void Pass::begin_line(std::size_t at) {
  const bool any_filter = line_of_any_filter_ == line_ || line_of_any_filter_ == every_line;
  for (const Candidate& candidate : candidates_) {
    if (!any_filter) break;
    const Word& word = tables_.words[candidate.word];
    for (std::size_t i = word.unfiltered; i < word.uses.size(); ++i) {
      const std::uint32_t met = line_of_filter_[word.uses[i].filter];
      if (met == line_ || met == every_line) take(word.uses[i], candidate.at);
    }
  }
  candidates_.clear();
  ++line_;
  const std::size_t feed = text_.substr(line_end_, at - line_end_).rfind('\n');
  if (feed != std::string_view::npos) line_begin_ = line_end_ + feed + 1;
  line_end_ = std::min(text_.find('\n', at), text_.size());
}

void Pass::note(std::uint32_t number, std::size_t at) {
  const Word& word = tables_.words[number];
  line_of_word_[number] = line_;
  if (!word.filters.empty() && line_of_any_filter_ != every_line) line_of_any_filter_ = line_;
  for (const std::uint32_t filter : word.filters) {
    if (line_of_filter_[filter] != every_line) line_of_filter_[filter] = line_;
  }
  const auto place = static_cast<std::uint32_t>(at);
  for (std::size_t i = 0; i < word.unfiltered; ++i) take(word.uses[i], place);
  if (word.unfiltered < word.uses.size()) candidates_.push_back({number, place});
  looks_ += word.uses.size() + word.filters.size();
}

// What is met that often tells nothing.
void Pass::give_up(const Table& table, std::uint32_t slot) {
  given_up_.emplace_back(&table, slot);
  for (std::uint32_t i = table.first[slot]; i < table.first[slot + 1]; ++i) {
    const Word& word = tables_.words[table.entries[i].word];
    for (const Use& use : word.uses) places_[use.pattern] = {.everywhere = true, .ranges = {}};
    for (const std::uint32_t filter : word.filters)
      line_of_filter_[filter] = line_of_any_filter_ = every_line;
  }
}

void Pass::look(const Table& table, std::uint32_t bytes, std::size_t at) {
  const std::uint32_t slot = hashed(bytes) >> (32 - PrefilterTables::slot_bits);
  if (!given_up_.empty() && is_given_up(table, slot)) return;
  const std::size_t before = looks_;
  const Entry* entry = table.entries.data() + table.first[slot];
  const Entry* const end = table.entries.data() + table.first[slot + 1];
  looks_ += static_cast<std::size_t>(end - entry);
  for (; entry != end; ++entry) {
    if (bytes != entry->bytes || !holds_more(*entry, at)) continue;
    const Word& word = tables_.words[entry->word];
    if (at < word.offset) continue;
    const std::size_t begin = at - word.offset;
    if (word.once && line_of_word_[entry->word] == line_ && begin < line_end_) continue;
    if (!stands_at(word, begin)) continue;
    if (begin >= line_end_) begin_line(begin);
    note(entry->word, begin);
  }
  if (looks_ - before > few_looks && looks_ > 4 * text_.size() + some_looks) give_up(table, slot);
}

std::vector<Places> Pass::run() {
  std::size_t at = 0;
  const std::size_t end = tables_.words.empty() ? 0 : text_.size();
  for (const char* const bytes = text_.data(); at + 4 <= end; ++at) {
    const std::uint32_t four = four_at(bytes + at);
    // One branch for both: clang warns of a '|' between two bools.
    const auto by_four = static_cast<unsigned>(worth_a_look(tables_.by_four, hashed(four)));
    const auto by_three =
        static_cast<unsigned>(worth_a_look(tables_.by_three, hashed(four & three_of_four)));
    if ((by_four | by_three) == 0) continue;
    if (by_four != 0) look(tables_.by_four, four, at);
    if (by_three != 0) look(tables_.by_three, four & three_of_four, at);
  }
  if (at + 3 == end) {
    const std::array<char, 4> last = {text_[at], text_[at + 1], text_[at + 2], '\0'};
    look(tables_.by_three, four_at(last.data()) & three_of_four, at);
  }
  begin_line(text_.size());
  return std::move(places_);
}

}  // namespace

Prefilter::Found Prefilter::find(std::string_view text) const {
  return Pass(tables_, text).run();
}

Search search_places(const Pattern& pattern, std::string_view text, const Places& places,
                     MatchMemory& memory, WorkBudget& budget, std::size_t from) {
  if (places.everywhere) return pattern.search(text, from, memory, budget);
  const auto ends_before = [](const Places::Range& range, std::size_t at) {
    return range.last < at;
  };
  auto range = std::lower_bound(places.ranges.begin(), places.ranges.end(), from, ends_before);
  for (; range != places.ranges.end(); ++range) {
    const Search found =
        pattern.search(text.substr(0, range->end), std::max<std::size_t>(range->first, from),
                       memory, budget, range->last);
    if (found != Search::nothing) return found;
  }
  return Search::nothing;
}

}  // namespace retry_exec::rules
