// Where in a text which of many patterns are worth trying: one pass over the text, instead of one
// for each pattern.
#pragma once

#include "rules/pattern.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

// Where one pattern is worth trying.
struct Places {
  bool everywhere = false;
  std::vector<std::uint32_t> lines;  // else: the offsets at which lines begin, ascending

  bool none() const { return !everywhere && lines.empty(); }
};

class Prefilter {
 public:
  Prefilter() = default;
  // `patterns`, by number; an empty one is worth trying everywhere.
  explicit Prefilter(const std::vector<std::string_view>& patterns);

  // Which words stand where in a text: on which lines each is met.
  class Found {
   public:
    // Where pattern `number` could match.
    Places places(std::size_t number) const;

   private:
    friend class Prefilter;
    struct OfWord {
      Places places;
      bool given_up = false;        // with all of its slot
      std::size_t known_until = 0;  // what is met before that stands on a line that is noted
    };
    explicit Found(const Prefilter& prefilter) : prefilter_(&prefilter) {}
    void note(std::size_t word, std::size_t at, std::string_view text);
    Places of_list(const std::vector<std::uint32_t>& words) const;

    const Prefilter* prefilter_;
    std::vector<OfWord> words_;
    std::size_t line_ = 0;  // where the pass over the text has come to
    std::size_t line_end_ = 0;
    std::size_t looks_ = 0;
  };
  // One pass over `text`, and valid as long as this is.
  Found find(std::string_view text) const;

 private:
  // Words by a few of their bytes, the window.
  struct Word {
    std::uint16_t slot = 0;
    std::uint32_t number = 0;
    std::string text;        // letters folded
    std::size_t offset = 0;  // of the window
  };
  struct Need {
    std::vector<std::vector<std::uint32_t>> lists;  // a word of each
    bool one_line = false;
  };
  static constexpr int slot_bits = 14;
  static constexpr std::size_t slots = std::size_t{1} << slot_bits;

  // Words of four bytes or more are looked up by four, which few other places in a text have; those
  // of three by all they have.
  struct Table {
    std::size_t window = 0;
    std::vector<Word> words;           // sorted by slot
    std::vector<std::uint32_t> first;  // by slot: the place of its first word

    // The window's bytes, as a number.
    std::uint32_t add(std::string word, std::uint32_t number);
    void close();
  };
  static void give_up(const Table& table, std::uint32_t slot, Found& found);
  void scan(const Table& table, std::uint32_t slot, std::string_view text, std::size_t at,
            Found& found) const;

  // By the first three bytes of all windows: most places of a text are none, and this says so at
  // the price of one look.
  static constexpr int glance_bits = 16;
  std::array<std::uint64_t, (std::size_t{1} << glance_bits) / 64> glance_{};
  Table by_four_{.window = 4};
  Table by_three_{.window = 3};
  std::uint32_t words_ = 0;
  std::vector<Need> needs_;  // by pattern
};

// The first match of `pattern` in those places, at `from` or later.
Search search_places(const Pattern& pattern, std::string_view text, const Places& places,
                     Scratch& scratch, WorkBudget& budget, std::size_t from = 0);

}  // namespace retry_exec::rules
