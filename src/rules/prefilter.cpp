#include "rules/prefilter.hpp"

#include "rules/evidence.hpp"
#include "rules/literals.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <unordered_map>

namespace retry_exec::rules {

namespace {

// More lines than that are not worth a list of their own.
constexpr std::size_t most_lines = 8192;

// More looks at words than so many, and four for each byte of the text, are not worth it either;
// but few of them at one place are always.
constexpr std::size_t some_looks = std::size_t{64} << 10;
constexpr std::size_t few_looks = 4;

// Makes letters of both cases one. Some other bytes become one too, which costs a look at the
// pattern and nothing else.
char folded(char c) {
  return static_cast<char>(static_cast<unsigned char>(c) | 0x20U);
}

// Four bytes, letters folded, the first in the lowest place.
constexpr std::uint32_t four_at(const char* bytes) {
  const auto byte = [&](int i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  return (byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24) | 0x20202020U;
}

constexpr std::uint32_t hashed(std::uint32_t bytes, int bits) {
  return (bytes * 0x9E3779B1U) >> (32 - bits);
}

constexpr std::uint32_t three_of_four = 0xFFFFFF;

// How often a byte is met in logs, roughly: by its rank among letters; digits are common, what is
// neither is rare.
int commonness(char c) {
  if (c >= '0' && c <= '9') return 18;
  constexpr std::string_view common = "kqjxzvwbgyfpmcuhdlsrniotae ";
  const std::size_t rank = common.find(c);
  return rank == std::string_view::npos ? 8 : static_cast<int>(rank);
}

// Four bytes of `window`, or three and nothing.
constexpr std::uint32_t key_of(std::string_view window) {
  std::array<char, 4> bytes{};
  std::copy(window.begin(), window.end(), bytes.begin());
  return window.size() == 4 ? four_at(bytes.data()) : four_at(bytes.data()) & three_of_four;
}

constexpr int common_bits = 12;

// Windows of words that logs are full of, by their hash.
constexpr auto common_windows = [] {
  constexpr std::string_view words =
      "error: http https:// status connection request response failed server warning timeout ing ";
  std::array<bool, std::size_t{1} << common_bits> table{};
  for (const std::size_t window : {3, 4}) {
    for (std::size_t i = 0; i + window <= words.size(); ++i)
      table[hashed(key_of(words.substr(i, window)), common_bits)] = true;
  }
  return table;
}();

int commonness(std::string_view window) {
  int sum = common_windows[hashed(key_of(window), common_bits)] ? 40 : 0;
  for (const char c : window) sum += commonness(c);
  return sum;
}

// `offset` is that of the window where `text` was looked up.
bool stands_at(std::string_view word, std::size_t offset, std::string_view text, std::size_t at) {
  if (at < offset || text.size() - (at - offset) < word.size()) return false;
  return std::equal(word.begin(), word.end(),
                    text.begin() + static_cast<std::ptrdiff_t>(at - offset),
                    [](char a, char b) { return a == folded(b); });
}

}  // namespace

// Under the window that is met least and has the fewest other words.
std::uint32_t Prefilter::Table::add(std::string word, std::uint32_t number) {
  constexpr int price_of_a_neighbour = 4;
  first.resize(slots);  // until it is closed, how many words there are
  const std::string_view text = word;
  int least = std::numeric_limits<int>::max();
  std::size_t offset = 0;
  for (std::size_t i = 0; i + window <= text.size(); ++i) {
    const std::uint32_t others = first[hashed(key_of(text.substr(i, window)), slot_bits)];
    const int price =
        commonness(text.substr(i, window)) + price_of_a_neighbour * static_cast<int>(others);
    if (price >= least) continue;
    least = price;
    offset = i;
  }
  const std::uint32_t key = key_of(text.substr(offset, window));
  const std::uint32_t slot = hashed(key, slot_bits);
  ++first[slot];
  words.push_back({static_cast<std::uint16_t>(slot), number, std::move(word), offset});
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
  std::unordered_map<std::string, std::uint32_t> numbers;
  const auto number_of = [&](std::string word) {
    std::transform(word.begin(), word.end(), word.begin(), folded);
    const auto [known, is_new] = numbers.try_emplace(std::move(word), words_);
    if (!is_new) return known->second;
    Table& table = known->first.size() < by_four_.window ? by_three_ : by_four_;
    const std::uint32_t key = table.add(known->first, words_) & three_of_four;
    const std::uint32_t bit = hashed(key, glance_bits);
    glance_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    return words_++;
  };
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    Needs needs = needs_of(patterns[i]);
    needs_[i].one_line = needs.one_line;
    for (std::vector<std::string>& list : needs.lists) {
      std::vector<std::uint32_t>& words = needs_[i].lists.emplace_back();
      for (std::string& word : list) words.push_back(number_of(std::move(word)));
    }
  }
  by_four_.close();
  by_three_.close();
}

void Prefilter::Found::note(std::size_t word, std::size_t at, std::string_view text) {
  if (at >= line_end_) {
    const std::size_t feed = text.substr(line_end_, at - line_end_).rfind('\n');
    if (feed != std::string_view::npos) line_ = line_end_ + feed + 1;
    line_end_ = std::min(text.find('\n', at), text.size());
  }
  OfWord& known = words_[word];
  known.known_until = line_end_;
  known.places.lines.push_back(static_cast<std::uint32_t>(line_));
  if (known.places.lines.size() < most_lines) return;
  known.places.everywhere = true;
  known.known_until = text.size();
}

void Prefilter::give_up(const Table& table, std::uint32_t slot, Found& found) {
  for (std::size_t i = table.first[slot]; i < table.words.size(); ++i) {
    if (table.words[i].slot != slot) return;
    Found::OfWord& word = found.words_[table.words[i].number];
    word.given_up = word.places.everywhere = true;
  }
}

void Prefilter::scan(const Table& table, std::uint32_t slot, std::string_view text, std::size_t at,
                     Found& found) const {
  const std::size_t first = table.first[slot];
  if (first == table.words.size() || found.words_[table.words[first].number].given_up) return;
  std::size_t i = first;
  for (; i < table.words.size() && table.words[i].slot == slot; ++i) {
    const Word& word = table.words[i];
    if (at >= found.words_[word.number].known_until && stands_at(word.text, word.offset, text, at))
      found.note(word.number, at, text);
  }
  found.looks_ += i - first;
  if (i - first > few_looks && found.looks_ > 4 * text.size() + some_looks)
    give_up(table, slot, found);
}

Prefilter::Found Prefilter::find(std::string_view text) const {
  Found found(*this);
  found.words_.resize(words_);
  const auto look = [&](std::uint32_t bytes, std::size_t at) {
    const std::uint32_t bit = hashed(bytes & three_of_four, glance_bits);
    if (((glance_[bit / 64] >> (bit % 64)) & 1) == 0) return;
    scan(by_four_, hashed(bytes, slot_bits), text, at, found);
    scan(by_three_, hashed(bytes & three_of_four, slot_bits), text, at, found);
  };
  std::size_t at = 0;
  const std::size_t end = words_ == 0 ? 0 : text.size();
  for (const char* const bytes = text.data(); at + 4 <= end; ++at) look(four_at(bytes + at), at);
  if (at + 3 == end) {
    const std::array<char, 4> last = {text[at], text[at + 1], text[at + 2], '\0'};
    look(four_at(last.data()), at);
  }
  return found;
}

Places Prefilter::Found::of_list(const std::vector<std::uint32_t>& words) const {
  Places all;
  for (const std::uint32_t word : words) {
    const Places& places = words_[word].places;
    all.everywhere = all.everywhere || places.everywhere;
    all.lines.insert(all.lines.end(), places.lines.begin(), places.lines.end());
  }
  if (all.everywhere) all.lines.clear();
  std::sort(all.lines.begin(), all.lines.end());
  all.lines.erase(std::unique(all.lines.begin(), all.lines.end()), all.lines.end());
  return all;
}

Places Prefilter::Found::places(std::size_t number) const {
  const Need& need = prefilter_->needs_[number];
  Places common{.everywhere = true, .lines = {}};
  const auto is_met = [&](std::uint32_t word) { return !words_[word].places.none(); };
  for (const std::vector<std::uint32_t>& list : need.lists) {
    if (std::none_of(list.begin(), list.end(), is_met)) return {};
  }
  for (const std::vector<std::uint32_t>& list : need.lists) {
    Places places = of_list(list);
    if (places.everywhere || !need.one_line) continue;
    if (common.everywhere) {
      common = std::move(places);
      continue;
    }
    std::vector<std::uint32_t> both;
    std::set_intersection(common.lines.begin(), common.lines.end(), places.lines.begin(),
                          places.lines.end(), std::back_inserter(both));
    common.lines = std::move(both);
  }
  return common;
}

Search search_places(const Pattern& pattern, std::string_view text, const Places& places,
                     Scratch& scratch, WorkBudget& budget, std::size_t from) {
  if (places.everywhere) return pattern.search(text, from, scratch, budget);
  auto line = std::upper_bound(places.lines.begin(), places.lines.end(), from);
  if (line != places.lines.begin()) --line;  // `from` may be in the middle of it
  for (; line != places.lines.end(); ++line) {
    const std::size_t end = std::min(text.find('\n', *line), text.size());
    if (end < from) continue;
    const Search found =
        pattern.search(text, std::max<std::size_t>(*line, from), scratch, budget, end);
    if (found != Search::nothing) return found;
  }
  return Search::nothing;
}

}  // namespace retry_exec::rules
