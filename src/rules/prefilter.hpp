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
  struct Word {
    std::uint16_t slot = 0;
    std::string text;        // letters folded
    std::size_t offset = 0;  // of the three bytes that it is looked up by
    std::size_t pattern = 0;
  };
  struct Need {
    bool literals = false;
    bool one_line = false;
  };
  void add(const std::string& literal, std::size_t pattern);
  void note(std::vector<Places>& places, std::size_t pattern, std::string_view text,
            std::size_t at) const;

  static constexpr int slot_bits = 14;
  static constexpr std::size_t slots = std::size_t{1} << slot_bits;
  static std::uint16_t slot_of(const char* three);

  std::array<std::uint64_t, slots / 64> occupied_{};
  std::vector<Word> words_;           // sorted by slot
  std::vector<std::uint32_t> first_;  // by slot: the place of its first word
  std::vector<Need> needs_;           // by pattern
};

// The first match of `pattern` in those places.
Search search_places(const Pattern& pattern, std::string_view text, const Places& places,
                     Scratch& scratch, const Budget& budget);

}  // namespace retry_exec::rules
