#include "rules/matching/literals.hpp"
#include "rules/matching/prefilter.hpp"
#include "rules/matching/prefilter_hash.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>

namespace retry_exec::rules {

namespace {

// How often a byte is met in logs, roughly: by its rank among letters; digits are common, what is
// neither is rare.
int commonness(char c) {
  if (c >= '0' && c <= '9') return 18;
  constexpr std::string_view common = "kqjxzvwbgyfpmcuhdlsrniotae ";
  const std::size_t rank = common.find(c);
  return rank == std::string_view::npos ? 8 : static_cast<int>(rank);
}

// Three bytes of what logs are full of, by their hash.
constexpr int common_bits = 12;
constexpr auto common_threes = [] {
  constexpr std::string_view words =
      "error: http https:// status connection request response failed server warning timeout ing "
      "ion the and for with from not rror to of done layer file read";
  std::array<bool, std::size_t{1} << common_bits> table{};
  for (std::size_t i = 0; i + 4 <= words.size(); ++i)
    table[hashed(four_at(words.data() + i) & three_of_four) >> (32 - common_bits)] = true;
  return table;
}();

// Of the `size` bytes.
int commonness(std::string_view window, std::uint32_t bytes) {
  int sum = common_threes[hashed(bytes & three_of_four) >> (32 - common_bits)] ? 40 : 0;
  for (const char c : window) sum += commonness(c);
  return sum;
}

class Builder {
 public:
  explicit Builder(PrefilterTables& tables) : tables_(tables) {
    for (PrefilterTables::Table* table : {&tables.by_four, &tables.by_three})
      table->first.resize((std::size_t{1} << PrefilterTables::slot_bits) + 1);
  }

  void add(std::uint32_t pattern, const Needs& needs);
  void close();

 private:
  std::uint32_t word_of(const Literal& literal);
  std::uint16_t set_of(const ByteSet& set);
  std::uint16_t bars_of(const Bars& bars);
  std::uint32_t filter_of(const std::vector<Literal>& literals);
  void add_entry(std::uint32_t number);

  PrefilterTables& tables_;
  std::unordered_map<std::string, std::uint32_t> words_;
  std::map<std::vector<std::uint32_t>, std::uint32_t> filters_;
};

std::uint16_t Builder::set_of(const ByteSet& set) {
  const auto known = std::find(tables_.sets.begin(), tables_.sets.end(), set);
  if (known != tables_.sets.end()) return static_cast<std::uint16_t>(known - tables_.sets.begin());
  if (tables_.sets.size() > std::numeric_limits<std::uint16_t>::max()) return 0;
  tables_.sets.push_back(set);
  return static_cast<std::uint16_t>(tables_.sets.size() - 1);
}

std::uint16_t Builder::bars_of(const Bars& bars) {
  const auto same = [&](const Bars& other) {
    return other == bars || (other && bars && *other == *bars);
  };
  const auto known = std::find_if(tables_.bars.begin(), tables_.bars.end(), same);
  if (known != tables_.bars.end()) return static_cast<std::uint16_t>(known - tables_.bars.begin());
  if (tables_.bars.size() > std::numeric_limits<std::uint16_t>::max()) return 0;
  tables_.bars.push_back(bars);
  return static_cast<std::uint16_t>(tables_.bars.size() - 1);
}

std::uint32_t Builder::word_of(const Literal& literal) {
  PrefilterTables::Word word;
  word.text = literal.text;
  std::transform(word.text.begin(), word.text.end(), word.text.begin(), folded);
  word.before = set_of(literal.before);
  word.after = set_of(literal.after);
  word.bars = bars_of(literal.bars);
  std::string key = word.text;
  for (const std::uint16_t set : {word.before, word.after, word.bars}) {
    key += {static_cast<char>(set & 0xFF), static_cast<char>(set >> 8)};
  }
  const auto number = static_cast<std::uint32_t>(tables_.words.size());
  const auto [known, is_new] = words_.try_emplace(std::move(key), number);
  if (is_new) {
    tables_.words.push_back(std::move(word));
    add_entry(number);
  }
  return known->second;
}

// Under the bytes that are met least; the fewer of all words there are, the better.
void Builder::add_entry(std::uint32_t number) {
  constexpr int price_of_the_first = 10;
  constexpr int price_of_another = 3;
  PrefilterTables::Word& word = tables_.words[number];
  const bool four = word.text.size() >= 4;
  PrefilterTables::Table& table = four ? tables_.by_four : tables_.by_three;
  const std::string text = word.text + '\0';  // of three bytes four are read
  const std::size_t window = four ? 4 : 3;
  int least = std::numeric_limits<int>::max();
  PrefilterTables::Entry entry{.word = number};
  for (std::size_t i = 0; i + window <= word.text.size(); ++i) {
    const std::uint32_t bytes = four_at(text.data() + i) & (four ? ~0U : three_of_four);
    const std::uint32_t slot = hashed(bytes) >> (32 - PrefilterTables::slot_bits);
    const auto neighbours = static_cast<int>(table.first[slot]);
    const int price = commonness(std::string_view(text).substr(i, window), bytes) +
                      (neighbours == 0 ? price_of_the_first : price_of_another * neighbours);
    if (price >= least) continue;
    least = price;
    word.offset = i;
    entry.slot = slot;
    entry.bytes = bytes;
  }
  if (four) {
    const std::size_t other = word.offset >= 4 ? 0 : word.text.size() - 4;
    entry.more = four_at(text.data() + other);
    entry.more_at = static_cast<std::int32_t>(other) - static_cast<std::int32_t>(word.offset);
  }
  ++table.first[entry.slot];  // until it is closed, how many there are
  const std::uint32_t bit = hashed(entry.bytes) >> (32 - PrefilterTables::glance_bits);
  table.glance[bit / 64] |= std::uint64_t{1} << (bit % 64);
  table.entries.push_back(entry);
}

std::uint32_t Builder::filter_of(const std::vector<Literal>& literals) {
  std::vector<std::uint32_t> numbers;
  for (const Literal& literal : literals) numbers.push_back(word_of(literal));
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  const auto [known, is_new] = filters_.try_emplace(std::move(numbers), tables_.filters);
  if (is_new) {
    for (const std::uint32_t word : known->first)
      tables_.words[word].filters.push_back(tables_.filters);
    ++tables_.filters;
  }
  return known->second;
}

void Builder::add(std::uint32_t pattern, const Needs& needs) {
  tables_.patterns.push_back({.everywhere = needs.any_of.empty(), .one_line = needs.one_line});
  for (const Need& need : needs.any_of) {
    // On which line a match ends is not known where it may hold a line break.
    const bool filters = needs.one_line && !need.with.empty();
    const std::uint32_t filter = filters ? filter_of(need.with) : 0;
    for (const Literal& literal : need.any_of) {
      PrefilterTables::Word& word = tables_.words[word_of(literal)];
      const PrefilterTables::Use use{pattern, literal.reach, filter};
      if (!word.uses.empty() && word.uses.back() == use) continue;
      word.uses.push_back(use);
      word.once = word.once && literal.reach == any_reach;
    }
  }
}

void Builder::close() {
  for (PrefilterTables::Word& word : tables_.words) {
    const auto unfiltered = std::stable_partition(word.uses.begin(), word.uses.end(),
                                                  [](const auto& use) { return use.filter == 0; });
    word.unfiltered = static_cast<std::size_t>(unfiltered - word.uses.begin());
  }
  for (PrefilterTables::Table* table : {&tables_.by_four, &tables_.by_three}) {
    const auto by_slot = [](const auto& a, const auto& b) { return a.slot < b.slot; };
    std::stable_sort(table->entries.begin(), table->entries.end(), by_slot);
    std::exclusive_scan(table->first.begin(), table->first.end(), table->first.begin(), 0U);
  }
}

}  // namespace

Prefilter::Prefilter(const std::vector<std::string_view>& patterns) {
  Builder builder(tables_);
  for (std::uint32_t i = 0; i < patterns.size(); ++i) builder.add(i, needs_of(patterns[i]));
  builder.close();
}

}  // namespace retry_exec::rules
