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

  // For each pattern, where it could match in `text`.
  std::vector<Places> places(std::string_view text) const;

 private:
  // Words by a few of their bytes, the window.
  struct Word {
    std::uint16_t slot = 0;
    std::string text;        // letters folded
    std::size_t offset = 0;  // of the window
    std::size_t pattern = 0;
  };
  struct Need {
    bool literals = false;
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
    std::uint32_t add(std::string literal, std::size_t pattern);
    void close();
  };
  void scan(const Table& table, std::uint32_t slot, std::string_view text, std::size_t at,
            std::vector<Places>& places) const;
  void note(Places& places, std::size_t pattern, std::string_view text, std::size_t at) const;

  // By the first three bytes of all windows: most places of a text are none, and this says so at
  // the price of one look.
  static constexpr int glance_bits = 16;
  std::array<std::uint64_t, (std::size_t{1} << glance_bits) / 64> glance_{};
  Table by_four_{.window = 4};
  Table by_three_{.window = 3};
  std::vector<Need> needs_;  // by pattern
};

// The first match of `pattern` in those places.
Search search_places(const Pattern& pattern, std::string_view text, const Places& places,
                     Scratch& scratch, const Budget& budget);

}  // namespace retry_exec::rules
