#include "rules/prefilter.hpp"

#include "rules/evidence.hpp"
#include "rules/literals.hpp"

#include <algorithm>
#include <cstring>

namespace retry_exec::rules {

namespace {

constexpr std::size_t window = 3;

// More lines than that are not worth a list of their own.
constexpr std::size_t most_lines = 2048;

// Makes letters of both cases one. Some other bytes become one too, which costs a look at the
// pattern and nothing else.
char folded(char c) {
  return static_cast<char>(static_cast<unsigned char>(c) | 0x20U);
}

// How often a byte is met in logs, roughly: by its rank among letters; what is neither a letter nor
// a blank is rare.
int commonness(char c) {
  constexpr std::string_view common = "kqjxzvwbgyfpmcuhdlsrniotae ";
  const std::size_t rank = common.find(c);
  return rank == std::string_view::npos ? 8 : static_cast<int>(rank);
}

std::size_t rarest_window(const std::string& text) {
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

std::uint16_t Prefilter::slot_of(const char* three) {
  const auto byte = [&](int i) { return std::uint32_t{static_cast<unsigned char>(three[i])}; };
  const std::uint32_t bytes = (byte(0) | byte(1) << 8 | byte(2) << 16) | 0x202020U;
  return static_cast<std::uint16_t>((bytes * 0x9E3779B1U) >> (32 - slot_bits));
}

Prefilter::Prefilter(const std::vector<std::string_view>& patterns) : needs_(patterns.size()) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const Needs needs = needs_of(patterns[i]);
    needs_[i] = {!needs.literals.empty(), needs.one_line};
    for (const std::string& literal : needs.literals) add(literal, i);
  }
  std::sort(words_.begin(), words_.end(),
            [](const Word& a, const Word& b) { return a.slot < b.slot; });
  first_.resize(slots);
  for (std::size_t i = words_.size(); i > 0; --i) {
    first_[words_[i - 1].slot] = static_cast<std::uint32_t>(i - 1);
  }
}

void Prefilter::add(const std::string& literal, std::size_t pattern) {
  Word word{0, literal, 0, pattern};
  std::transform(word.text.begin(), word.text.end(), word.text.begin(), folded);
  word.offset = rarest_window(word.text);
  word.slot = slot_of(word.text.data() + word.offset);
  occupied_[word.slot / 64U] |= std::uint64_t{1} << (word.slot % 64U);
  words_.push_back(std::move(word));
}

void Prefilter::note(std::vector<Places>& places, std::size_t pattern, std::string_view text,
                     std::size_t at) const {
  Places& known = places[pattern];
  if (!needs_[pattern].one_line || known.lines.size() >= most_lines) {
    known.everywhere = true;
    return;
  }
  const std::string_view line = line_at(text, at);
  const auto begin = static_cast<std::uint32_t>(line.data() - text.data());
  if (known.lines.empty() || known.lines.back() != begin) known.lines.push_back(begin);
}

std::vector<Places> Prefilter::places(std::string_view text) const {
  std::vector<Places> result(needs_.size());
  for (std::size_t i = 0; i < needs_.size(); ++i) result[i].everywhere = !needs_[i].literals;
  for (std::size_t at = 0; at + window <= text.size(); ++at) {
    const std::uint16_t slot = slot_of(text.data() + at);
    if (((occupied_[slot / 64U] >> (slot % 64U)) & 1U) == 0) continue;
    for (auto word = words_.begin() + first_[slot]; word != words_.end() && word->slot == slot;
         ++word) {
      if (result[word->pattern].everywhere) continue;
      if (stands_at(word->text, word->offset, text, at)) note(result, word->pattern, text, at);
    }
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
