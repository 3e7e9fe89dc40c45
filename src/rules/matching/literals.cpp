#include "rules/matching/literals.hpp"

#include "rules/matching/literal_run.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>

namespace retry_exec::rules {

namespace {

constexpr std::size_t most_literals = 512;
constexpr int deepest = 50;

// Reads the common part of PCRE2's syntax. Whatever else turns up ends the reading: it is then not
// known what the pattern needs.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : rest_(pattern) {}

  Needs read();
  // The set of a pattern that matches one byte, whichever comes first of what it holds.
  std::optional<ByteSet> read_one_byte();
  // Texts that a pattern matches, not all of them.
  std::vector<Bar> read_texts();

 private:
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void lose() {
    lost_ = true;
    rest_ = {};
  }
  char take() {
    const char c = peek();
    if (!rest_.empty()) rest_.remove_prefix(1);
    return c;
  }

  std::string_view plain_text();
  Known alternation(int depth);
  Known concatenation(int depth);
  Known piece(int depth);
  Known escape();
  char hex_byte();
  Known parenthesis(int depth);
  Known look_around(bool ahead, bool negative);
  bool group_options();
  Known bracket();
  void add_of_bracket(ByteSet& set);
  std::string_view skip_group();
  Repeat quantifier();
  Repeat counted_repeat();

  static Known nothing() { return Known::zero_width({}); }  // matches the empty text

  std::string_view rest_;
  bool lost_ = false;
  bool reads_texts_ = false;
  bool crosses_lines_ = false;
};

// The bytes from here that stand for themselves, once each.
std::string_view PatternReader::plain_text() {
  const std::size_t end = std::min(rest_.find_first_of("\\[](){}|^$.*+?"), rest_.size());
  const bool repeated =
      end < rest_.size() && std::string_view("*+?{").find(rest_[end]) != std::string_view::npos;
  const std::string_view text = rest_.substr(0, end > 0 && repeated ? end - 1 : end);
  rest_.remove_prefix(text.size());
  return text;
}

Needs PatternReader::read() {
  Needs needs;
  do {
    Known known = concatenation(0);
    Fragments* window = rarity_of(known.fragments) > 0 ? &known.fragments : nullptr;
    Fragments* with = rarity_of(known.also) > 0 ? &known.also : nullptr;
    if (lost_ || (window == nullptr && with == nullptr)) return {};
    if (window == nullptr) std::swap(window, with);
    const auto reach = [](const Fragments& fragments) {
      const auto farther = [](const Fragment& a, const Fragment& b) { return a.reach < b.reach; };
      return std::max_element(fragments.begin(), fragments.end(), farther)->reach;
    };
    // The nearer to where a match begins, the fewer places are to be tried.
    if (with != nullptr && reach(*with) < reach(*window)) std::swap(window, with);
    Need& need = needs.any_of.emplace_back();
    need.any_of = resolved(*window);
    if (with != nullptr) need.with = resolved(*with);
  } while (skip("|"));
  if (lost_ || !rest_.empty()) return {};
  needs.one_line = !crosses_lines_;
  return needs;
}

std::optional<ByteSet> PatternReader::read_one_byte() {
  if (rest_.empty()) return std::nullopt;
  const Known known = piece(0);
  if (lost_ || !rest_.empty() || !known.one_byte) return std::nullopt;
  return known.first;
}

// Elsewhere it does no harm to take what these hold for less than it asks for.
bool matches_just_what_is_read(std::string_view pattern) {
  for (const std::string_view sign : {"\\B", "\\K", "?+", "(*"}) {
    if (pattern.find(sign) != std::string_view::npos) return false;
  }
  for (std::size_t at = 0; (at = pattern.find("(?", at)) != std::string_view::npos; at += 2) {
    if (!pattern.substr(at).starts_with("(?:")) return false;
  }
  return true;
}

std::vector<Bar> PatternReader::read_texts() {
  std::vector<Bar> texts;
  reads_texts_ = true;
  if (!matches_just_what_is_read(rest_)) return texts;
  do {
    const Known known = concatenation(0);
    if (!known.exact) continue;
    for (const Fragment& fragment : known.fragments) {
      const bool bounded = fragment.before != ByteSet::all() || fragment.edge_before ||
                           fragment.after != ByteSet::all();
      if (fragment.text.empty() || bounded) continue;
      Bar& bar = texts.emplace_back(Bar{fragment.text});
      if (fragment.edge_after) bar.after = beyond_edge(bar.text.back());
    }
  } while (skip("|"));
  if (lost_ || !rest_.empty()) texts.clear();
  return texts;
}

Known PatternReader::alternation(int depth) {
  Known all = concatenation(depth);
  if (peek() != '|') return all;
  bool known = !all.fragments.empty();
  bool also_known = !all.also.empty();  // else it would say the same once more
  if (all.also.empty()) all.also = all.fragments;
  while (skip("|")) {
    Known branch = concatenation(depth);
    known = known && !branch.fragments.empty();
    also_known = also_known || !branch.also.empty();
    all.exact = all.exact && branch.exact;
    all.longest = std::max(all.longest, branch.longest);
    const Fragments& also = branch.also.empty() ? branch.fragments : branch.also;
    all.also.insert(all.also.end(), also.begin(), also.end());
    std::move(branch.fragments.begin(), branch.fragments.end(), std::back_inserter(all.fragments));
  }
  const std::uint32_t longest = all.longest;
  if (!known || all.fragments.size() > most_literals) all = Known::unknown();
  all.longest = longest;
  if (all.exact || !also_known || all.also.size() > most_literals) all.also.clear();
  return all;
}

Known PatternReader::concatenation(int depth) {
  Run run(reads_texts_);
  while (!rest_.empty() && peek() != '|' && peek() != ')') {
    if (const std::string_view text = plain_text(); !text.empty()) {
      if (text.find('\n') != std::string_view::npos) crosses_lines_ = true;
      run.add(Known::text(text), {});
      continue;
    }
    Known known = piece(depth);
    run.add(std::move(known), quantifier());
  }
  return run.known();
}

Known PatternReader::piece(int depth) {
  const ByteSet line_break = ByteSet::of("\n\r");
  switch (const char c = take()) {
    case '\\':
      return escape();
    case '[':
      return bracket();
    case '(':
      return parenthesis(depth);
    case '.':
      return Known::byte_of(~ByteSet::edge() & ~line_break);
    case '^':
      return Known::zero_width({.text = {}, .before = line_break | ByteSet::edge()});
    case '$':
      return Known::zero_width({.text = {}, .after = line_break | ByteSet::edge()});
    case '*':
    case '+':
    case '?':
      lose();
      return Known::unknown();
    default:
      return Known::text(std::string_view(&c, 1));
  }
}

Known PatternReader::escape() {
  switch (const char c = take()) {
    case 'b':
      return Known::zero_width({.text = {}, .edge_before = true, .edge_after = true});
    case 'A':
      return Known::zero_width({.text = {}, .before = ByteSet::edge()});
    case 'B':
    case 'K':
      return nothing();
    case 'R':
      crosses_lines_ = true;
      return Known::unknown();
    case 'x': {
      const char byte = hex_byte();
      if (byte == '\n') crosses_lines_ = true;
      return Known::text(std::string_view(&byte, 1));
    }
    default: {
      if (c >= '1' && c <= '9' && !is_alphanumeric(peek())) {  // what a group has matched, any text
        crosses_lines_ = true;
        return Known::unknown();
      }
      const std::optional<ByteSet> set = set_of_escape(c);
      if (!set) {
        lose();
        return Known::unknown();
      }
      if (set->has('\n')) crosses_lines_ = true;
      return Known::byte_of(*set);
    }
  }
}

// Behind "\x": "{22}", or up to two digits.
char PatternReader::hex_byte() {
  const bool braces = skip("{");
  const std::size_t length =
      std::min(rest_.find_first_not_of("0123456789abcdefABCDEF"), rest_.size());
  const std::string_view digits =
      rest_.substr(0, braces ? length : std::min<std::size_t>(length, 2));
  unsigned value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  rest_.remove_prefix(digits.size());
  if (digits.empty() || value > 0xff || (braces && !skip("}"))) lose();
  return static_cast<char>(value);
}

// One byte, range or escape of what stands between brackets.
void PatternReader::add_of_bracket(ByteSet& set) {
  if (rest_.starts_with("[:") || rest_.starts_with("[.") || rest_.starts_with("[=")) return lose();
  char first = take();
  if (first == '\\' && skip("x")) {
    first = hex_byte();
  } else if (first == '\\') {
    const char c = take();
    const std::optional<ByteSet> escaped = c == 'N' ? std::nullopt : set_of_escape(c);
    if (!escaped) return lose();
    set = set | *escaped;
    if (escaped->bytes() != 1 || is_alphanumeric(c)) {
      if (peek() == '-' && !rest_.starts_with("-]")) lose();
      return;
    }
    first = c;
  }
  set.add(first);
  if (peek() != '-' || rest_.size() < 2 || rest_[1] == ']') return;
  rest_.remove_prefix(1);
  char last = take();
  const bool escaped = last == '\\';
  if (escaped && !skip("x")) return lose();
  if (escaped) last = hex_byte();
  if (lost_ || static_cast<unsigned char>(last) < static_cast<unsigned char>(first)) return lose();
  for (char c = first; c != last; ++c) set.add(c);
  set.add(last);
}

// Behind '[': to behind its ']'.
Known PatternReader::bracket() {
  const bool negated = skip("^");
  ByteSet set = ByteSet::of({});
  for (bool first = true; !rest_.empty() && (first || peek() != ']'); first = false) {
    add_of_bracket(set);
  }
  if (!skip("]")) lose();
  if (negated) set = ~(set | ByteSet::edge());
  if (set.has('\n')) crosses_lines_ = true;
  return Known::byte_of(set);
}

// Behind the '(' of a group that does not say what must be there: to behind its ')'. What it holds.
std::string_view PatternReader::skip_group() {
  const std::string_view begin = rest_;
  for (int open = 1; !rest_.empty() && open > 0;) {
    if (skip("[")) {
      bracket();
    } else if (skip("\\")) {
      if (std::string_view("nsvDWHR").find(take()) != std::string_view::npos) crosses_lines_ = true;
    } else {
      open += peek() == '(' ? 1 : peek() == ')' ? -1 : 0;
      rest_.remove_prefix(1);
    }
  }
  const std::size_t length = begin.size() - rest_.size();
  return begin.substr(0, length > 0 ? length - 1 : 0);
}

// What may not stand there: one byte, or texts behind the place. Of what must stand behind the
// place nothing is made here.
Known PatternReader::look_around(bool ahead, bool negative) {
  const std::string_view body = skip_group();
  if (!negative) return nothing();
  const std::optional<ByteSet> set = PatternReader(body).read_one_byte();
  if (!set && ahead) {
    std::vector<Bar> texts = PatternReader(body).read_texts();
    if (texts.empty()) return nothing();
    return Known::zero_width(
        {.text = {}, .bars = std::make_shared<const std::vector<Bar>>(std::move(texts))});
  }
  if (!set) return nothing();
  return ahead ? Known::zero_width({.text = {}, .after = ~*set})
               : Known::zero_width({.text = {}, .before = ~*set});
}

// Behind "(?": "(?i)" for what follows, or "(?i:" as the beginning of a group. False where the
// group ended with it.
bool PatternReader::group_options() {
  while (peek() == 'i' || peek() == 'm' || peek() == '-') rest_.remove_prefix(1);
  if (skip(")")) return false;
  if (!skip(":")) lose();
  return true;
}

// Behind '('.
Known PatternReader::parenthesis(int depth) {
  if (depth > deepest || peek() == '*') {
    lose();
    return Known::unknown();
  }
  bool looks_ahead = false;
  if (skip("?")) {
    if (skip("!")) return look_around(true, true);
    if (skip("<!")) return look_around(false, true);
    if (skip("<=")) return look_around(false, false);
    looks_ahead = skip("=");
    if (skip("<") || skip("P<") || skip("'")) {
      rest_.remove_prefix(std::min(rest_.find_first_of(">'") + 1, rest_.size()));
    } else if (!looks_ahead && !skip(":") && !skip(">") && !group_options()) {
      return nothing();
    }
  }
  Known group = alternation(depth + 1);
  if (!skip(")")) lose();
  if (looks_ahead) {  // what follows stands in the same place
    group.exact = group.one_byte = false;
    group.first = group.last = ByteSet::all();
    group.longest = 0;
  }
  return group;
}

Repeat PatternReader::quantifier() {
  using Kind = Repeat::Kind;
  Repeat repeat;
  if (skip("*")) {
    repeat = {Kind::any, any_reach};
  } else if (skip("?")) {
    repeat = {Kind::maybe, 1};
  } else if (skip("+")) {
    repeat = {Kind::more, any_reach};
  } else if (peek() == '{' && rest_.size() > 1 && rest_[1] >= '0' && rest_[1] <= '9') {
    repeat = counted_repeat();
  } else if (rest_.starts_with("{,")) {
    lose();  // a quantifier since PCRE2 10.43, three literal bytes before
  }
  if (repeat.kind != Kind::once && !skip("?")) skip("+");
  return repeat;
}

// "{3}", "{0,200}", "{2,}"; "{3" stands for itself.
Repeat PatternReader::counted_repeat() {
  const std::size_t end = rest_.find('}');
  if (end == std::string_view::npos) return {};
  const std::string_view counts = rest_.substr(1, end - 1);
  const std::size_t comma = counts.find(',');
  const std::string_view most = comma == std::string_view::npos ? counts : counts.substr(comma + 1);
  Repeat repeat{counts.front() == '0' ? Repeat::Kind::any : Repeat::Kind::more, any_reach};
  std::from_chars(most.data(), most.data() + most.size(), repeat.most);
  rest_.remove_prefix(end + 1);
  return repeat;
}

}  // namespace

Needs needs_of(std::string_view pattern) {
  return PatternReader(pattern).read();
}

}  // namespace retry_exec::rules
