#include "rules/matching/literal_run.hpp"

#include "rules/matching/rarity.hpp"

#include <algorithm>
#include <utility>

namespace retry_exec::rules {

namespace {

constexpr std::size_t shortest = 3;
constexpr std::size_t most_products = 100;    // of pieces that follow each other
constexpr std::size_t some_products = 32;     // where they tell enough by themselves
constexpr std::size_t widest_set = 10;        // of bytes, that is written out: [0234], \d
constexpr std::uint32_t longest_reach = 512;  // what reaches further might as well be anywhere
constexpr int rare_enough = 18;               // bits
constexpr int rare_by_itself = 30;

std::uint32_t plus(std::uint32_t a, std::uint32_t b) {
  return a > longest_reach || b > longest_reach - a ? any_reach : a + b;
}

std::uint32_t times(std::uint32_t length, std::uint32_t count) {
  if (length == 0 || count == 0) return 0;
  return length > longest_reach / count ? any_reach : length * count;
}

// What all of them may begin with; of what matches the empty text nothing can be said.
ByteSet first_of(const Fragments& fragments) {
  ByteSet set = ByteSet::of({});
  for (const Fragment& fragment : fragments) {
    if (fragment.text.empty()) return ByteSet::all();
    set.add(fragment.text.front());
  }
  return set.in_both_cases();
}

ByteSet first_of(const Known& known) {
  return known.exact ? first_of(known.fragments) : known.first;
}

ByteSet last_of(const Fragments& fragments) {
  ByteSet set = ByteSet::of({});
  for (const Fragment& fragment : fragments) {
    if (fragment.text.empty()) return ByteSet::all();
    set.add(fragment.text.back());
  }
  return set.in_both_cases();
}

ByteSet last_of(const Known& known) {
  return known.exact ? last_of(known.fragments) : known.last;
}

}  // namespace

// What bounds the one towards the other lies within, and is let go of.
Fragment joined(const Fragment& left, const Fragment& right) {
  Fragment whole = left;
  whole.text += right.text;
  if (left.text.empty()) {
    whole.before = left.before & right.before;
    whole.edge_before = left.edge_before || right.edge_before;
  }
  if (!right.text.empty()) {
    whole.after = right.after;
    whole.edge_after = right.edge_after;
    whole.bars = right.bars;
  } else {
    whole.after = left.after & right.after;
    whole.edge_after = left.edge_after || right.edge_after;
    if (right.bars) whole.bars = right.bars;  // of two lists the last is enough
  }
  return whole;
}

ByteSet beyond_edge(char c) {
  static const ByteSet word = ByteSet::word();
  return word.has(c) ? ~word : word;
}

std::vector<Literal> resolved(const Fragments& fragments) {
  std::vector<Literal> literals;
  literals.reserve(fragments.size());
  for (const Fragment& fragment : fragments) {
    Literal& literal = literals.emplace_back(
        Literal{fragment.text, fragment.before, fragment.after, fragment.bars, fragment.reach});
    if (fragment.edge_before) literal.before = literal.before & beyond_edge(literal.text.front());
    if (fragment.edge_after) literal.after = literal.after & beyond_edge(literal.text.back());
    literal.before = literal.before.in_both_cases();
    literal.after = literal.after.in_both_cases();
  }
  return literals;
}

int rarity_of(const Fragments& fragments) {
  int least = fragments.empty() ? 0 : 100;
  for (const Fragment& fragment : fragments) {
    least = std::min(least, fragment.text.size() < shortest ? 0 : rarity_of(fragment.text));
  }
  return least;
}

Known Known::text(std::string_view text) {
  Known known{{{std::string(text)}}, true};
  known.longest = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), any_reach));
  if (text.size() != 1) return known;
  known.one_byte = true;
  known.first = known.last = ByteSet::of(text);
  return known;
}

Known Known::byte_of(const ByteSet& set) {
  Known known;
  known.one_byte = true;
  known.first = known.last = set;
  known.longest = 1;
  if (set.bytes() > widest_set) return known;
  known.exact = true;
  for (int c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    if (set.has(byte)) known.fragments.push_back({std::string(1, byte)});
  }
  return known;
}

Known Known::zero_width(const Fragment& fragment) {
  Known known{{fragment}, true};
  known.longest = 0;
  return known;
}

// A set of signs where the run begins tells as much as what stands before it.
bool Run::begins_with_signs(const Known& piece) const {
  const ByteSet digits = ByteSet::of("0123456789");
  return !wants_whole_ && piece.fragments.size() > 2 && (piece.first & digits).bytes() == 0 &&
         fragments_.size() == 1 && fragments_.front().text.empty();
}

void Run::add(Known piece, const Repeat& repeat) {
  const std::uint32_t start = length_;
  length_ = plus(length_, times(piece.longest, repeat.most));
  const ByteSet first = piece.one_byte ? piece.first.in_both_cases() : first_of(piece);
  const ByteSet last = piece.one_byte ? first : last_of(piece);
  using Kind = Repeat::Kind;
  if (piece.exact && repeat.kind == Kind::maybe) piece.fragments.emplace_back();
  const bool once = repeat.kind == Kind::once;
  if (once && piece.one_byte && begins_with_signs(piece)) return cut(first, last, length_);
  if (piece.exact && (once || repeat.kind == Kind::maybe)) {
    return append(piece.fragments, start);
  }
  if (repeat.kind == Kind::any || repeat.kind == Kind::maybe) {
    return cut(ByteSet::all(), ByteSet::all(), length_);
  }
  // What is still too short to be looked for takes one more byte; else it is enough to know it.
  if (piece.exact && (!piece.one_byte || shortest_text() + 1 == shortest)) {
    append(piece.fragments, start);
    return cut(ByteSet::all(), last, length_);
  }
  cut(first, last, length_);
  consider(std::move(piece.fragments), start);
  consider(std::move(piece.also), start);
}

std::size_t Run::shortest_text() const {
  std::size_t least = fragments_.front().text.size();
  for (const Fragment& fragment : fragments_) least = std::min(least, fragment.text.size());
  return least;
}

// All that the run and one of the pieces make together?
bool Run::worth_writing_out(const Fragments& pieces) const {
  if (pieces.size() == 1) return true;
  const std::size_t products = fragments_.size() * pieces.size();
  if (wants_whole_) return products <= most_products;
  const bool long_enough = shortest_text() > shortest;
  return products <= (long_enough ? some_products : most_products) &&
         rarity_of(fragments_) < rare_by_itself;
}

void Run::append(const Fragments& pieces, std::uint32_t start) {
  if (!worth_writing_out(pieces)) cut(first_of(pieces), last_of(fragments_), start);
  Fragments longer;
  longer.reserve(fragments_.size() * pieces.size());
  for (const Fragment& before : fragments_) {
    for (const Fragment& piece : pieces) longer.push_back(joined(before, piece));
  }
  fragments_ = std::move(longer);
}

void Run::cut(const ByteSet& next, const ByteSet& previous, std::uint32_t start) {
  for (Fragment& fragment : fragments_) fragment.after = fragment.after & next;
  consider(std::move(fragments_), start_);
  fragments_ = {{.text = {}, .before = previous}};
  start_ = start;
  whole_ = false;
}

void Run::consider(Fragments fragments, std::uint32_t start) {
  for (Fragment& fragment : fragments) fragment.reach = plus(fragment.reach, start);
  int rare = rarity_of(fragments);
  if (rare > best_rarity_) {
    std::swap(fragments, best_);
    std::swap(rare, best_rarity_);
  }
  if (rare <= second_rarity_) return;
  second_ = std::move(fragments);
  second_rarity_ = rare;
}

Known Run::known() {
  Known known;
  known.longest = length_;
  if (whole_) {
    known.fragments = std::move(fragments_);
    known.exact = true;
    return known;
  }
  consider(std::move(fragments_), start_);
  // What is rare enough tells by itself; a common word beside it would only be one more.
  if (best_rarity_ >= rare_enough) second_.clear();
  known.fragments = std::move(best_);
  known.also = std::move(second_);
  return known;
}

}  // namespace retry_exec::rules
