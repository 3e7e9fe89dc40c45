#include "rules/prefilter.hpp"

#include "rules/evidence.hpp"
#include "rules/literals.hpp"

#include <algorithm>
#include <array>

namespace retry_exec::rules {

namespace {

// More lines than that are not worth a list of their own.
constexpr std::size_t most_lines = 2048;

// Makes letters of both cases one. Some other bytes become one too, which costs a look at the
// pattern and nothing else.
char folded(char c) {
  return static_cast<char>(static_cast<unsigned char>(c) | 0x20U);
}

// Four bytes, letters folded, the first in the lowest place.
std::uint32_t four_at(const char* bytes) {
  const auto byte = [&](int i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  return (byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24) | 0x20202020U;
}

std::uint32_t hashed(std::uint32_t bytes, int bits) {
  return (bytes * 0x9E3779B1U) >> (32 - bits);
}

constexpr std::uint32_t three_of_four = 0xFFFFFF;

// How often a byte is met in logs, roughly: by its rank among letters; what is neither a letter nor
// a blank is rare.
int commonness(char c) {
  constexpr std::string_view common = "kqjxzvwbgyfpmcuhdlsrniotae ";
  const std::size_t rank = common.find(c);
  return rank == std::string_view::npos ? 8 : static_cast<int>(rank);
}

std::size_t rarest_window(const std::string& text, std::size_t window) {
  std::size_t best = 0;
  int least = 1000;
  for (std::size_t i = 0; i + window <= text.size(); ++i) {
    int sum = 0;
    for (std::size_t j = i; j < i + window; ++j) sum += commonness(text[j]);
    if (sum < least) {
      least = sum;
      best = i;
    }
  }
  return best;
}

// `offset` is that of the window where `text` was looked up.
bool stands_at(std::string_view word, std::size_t offset, std::string_view text, std::size_t at) {
  if (at < offset || text.size() - (at - offset) < word.size()) return false;
  return std::equal(word.begin(), word.end(),
                    text.begin() + static_cast<std::ptrdiff_t>(at - offset),
                    [](char a, char b) { return a == folded(b); });
}

}  // namespace

std::uint32_t Prefilter::Table::add(std::string literal, std::size_t pattern) {
  std::transform(literal.begin(), literal.end(), literal.begin(), folded);
  const std::size_t offset = rarest_window(literal, window);
  std::array<char, 4> bytes{};
  std::copy_n(literal.begin() + static_cast<std::ptrdiff_t>(offset), window, bytes.begin());
  const std::uint32_t key =
      window == 4 ? four_at(bytes.data()) : four_at(bytes.data()) & three_of_four;
  const std::uint32_t slot = hashed(key, slot_bits);
  words.push_back({static_cast<std::uint16_t>(slot), std::move(literal), offset, pattern});
  return key;
}

void Prefilter::Table::close() {
  std::sort(words.begin(), words.end(),
            [](const Word& a, const Word& b) { return a.slot < b.slot; });
  first.assign(slots, static_cast<std::uint32_t>(words.size()));
  for (std::size_t i = words.size(); i > 0; --i) {
    first[words[i - 1].slot] = static_cast<std::uint32_t>(i - 1);
  }
}

Prefilter::Prefilter(const std::vector<std::string_view>& patterns) : needs_(patterns.size()) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    Needs needs = needs_of(patterns[i]);
    needs_[i] = {!needs.literals.empty(), needs.one_line};
    for (std::string& literal : needs.literals) {
      Table& table = literal.size() < by_four_.window ? by_three_ : by_four_;
      const std::uint32_t key = table.add(std::move(literal), i) & three_of_four;
      const std::uint32_t bit = hashed(key, glance_bits);
      glance_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
  }
  by_four_.close();
  by_three_.close();
}

void Prefilter::note(Places& places, std::size_t pattern, std::string_view text,
                     std::size_t at) const {
  if (!needs_[pattern].one_line || places.lines.size() >= most_lines) {
    places.everywhere = true;
    return;
  }
  const std::string_view line = line_at(text, at);
  const auto begin = static_cast<std::uint32_t>(line.data() - text.data());
  if (places.lines.empty() || places.lines.back() != begin) places.lines.push_back(begin);
}

void Prefilter::scan(const Table& table, std::uint32_t slot, std::string_view text, std::size_t at,
                     std::vector<Places>& places) const {
  for (std::size_t i = table.first[slot]; i < table.words.size(); ++i) {
    const Word& word = table.words[i];
    if (word.slot != slot) return;
    Places& known = places[word.pattern];
    if (!known.everywhere && stands_at(word.text, word.offset, text, at)) {
      note(known, word.pattern, text, at);
    }
  }
}

std::vector<Places> Prefilter::places(std::string_view text) const {
  std::vector<Places> result(needs_.size());
  for (std::size_t i = 0; i < needs_.size(); ++i) result[i].everywhere = !needs_[i].literals;
  const auto look = [&](std::uint32_t bytes, std::size_t at) {
    const std::uint32_t bit = hashed(bytes & three_of_four, glance_bits);
    if (((glance_[bit / 64] >> (bit % 64)) & 1) == 0) return;
    scan(by_four_, hashed(bytes, slot_bits), text, at, result);
    scan(by_three_, hashed(bytes & three_of_four, slot_bits), text, at, result);
  };
  std::size_t at = 0;
  const std::size_t end = text.size();
  for (const char* const bytes = text.data(); at + 4 <= end; ++at) look(four_at(bytes + at), at);
  if (at + 3 <= end) {
    const std::array<char, 4> last = {text[at], text[at + 1], text[at + 2], '\0'};
    look(four_at(last.data()), at);
  }
  return result;
}

Search search_places(const Pattern& pattern, std::string_view text, const Places& places,
                     Scratch& scratch, const Budget& budget) {
  if (places.everywhere) return pattern.search(text, 0, scratch, budget);
  for (const std::uint32_t begin : places.lines) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const Search found = pattern.search(text, begin, scratch, budget, end);
    if (found != Search::nothing) return found;
  }
  return Search::nothing;
}

}  // namespace retry_exec::rules
