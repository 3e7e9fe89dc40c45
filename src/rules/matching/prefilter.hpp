// Where in a text which of many patterns are worth trying: one pass over the text, instead of one
// for each pattern.
#pragma once

#include "rules/matching/byte_set.hpp"
#include "rules/matching/literals.hpp"
#include "rules/matching/pattern.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

// Where one pattern is worth trying.
struct Places {
  struct Range {
    std::uint32_t first = 0;  // a match begins here or behind,
    std::uint32_t last = 0;   // not behind this,
    std::uint32_t end = 0;    // and needs to see nothing behind that
  };
  bool everywhere = false;
  std::vector<Range> ranges;  // else, in the order of the text

  bool none() const { return !everywhere && ranges.empty(); }
};

// The tables for a set of patterns. `PrefilterBuilder` makes them, `Prefilter::find` reads them.
struct PrefilterTables {
  // Where the word is met, `pattern` is worth trying, if a word of the filter is on the same line.
  struct Use {
    std::uint32_t pattern = 0;
    std::uint32_t reach = 0;   // as of a Literal
    std::uint32_t filter = 0;  // 0: none
    bool operator==(const Use&) const = default;
  };
  struct Word {
    std::string text;          // letters folded
    std::size_t offset = 0;    // of the bytes that it is looked up by
    std::uint16_t before = 0;  // of `sets`
    std::uint16_t after = 0;
    std::uint16_t bars = 0;  // of `bars`; 0: none
    bool once = true;        // a second one on a line tells nothing more
    std::vector<Use> uses;   // those without a filter first
    std::size_t unfiltered = 0;
    std::vector<std::uint32_t> filters;  // that it belongs to
  };
  struct Entry {
    std::uint32_t slot = 0;
    std::uint32_t bytes = 0;
    std::uint32_t more = 0;  // four of its other bytes, so far behind the first ones
    std::int32_t more_at = 0;
    std::uint32_t word = 0;
  };
  static constexpr int slot_bits = 14;
  static constexpr int glance_bits = 16;
  // Words by some of their bytes.
  struct Table {
    // Most places of a text hold none of these bytes, and this says so at the price of one look.
    std::array<std::uint64_t, (std::size_t{1} << glance_bits) / 64> glance{};
    std::vector<Entry> entries;        // sorted by slot
    std::vector<std::uint32_t> first;  // by slot: the place of its first entry
  };
  struct OfPattern {
    bool everywhere = true;
    bool one_line = false;
  };

  Table by_four;
  Table by_three;  // words that have no more
  std::vector<Word> words;
  std::vector<ByteSet> sets = {ByteSet::all()};
  std::vector<Bars> bars = {nullptr};
  std::vector<OfPattern> patterns;
  std::uint32_t filters = 1;
};

class Prefilter {
 public:
  Prefilter() = default;
  // `patterns`, by number; an empty one is worth trying everywhere.
  explicit Prefilter(const std::vector<std::string_view>& patterns);

  // What is worth trying in one text, by the patterns' numbers.
  using Found = std::vector<Places>;
  // One pass over `text`.
  Found find(std::string_view text) const;

 private:
  PrefilterTables tables_;
};

// The first match of `pattern` in those places, at `from` or later.
Search search_places(const Pattern& pattern, std::string_view text, const Places& places,
                     MatchMemory& memory, WorkBudget& budget, std::size_t from = 0);

}  // namespace retry_exec::rules
