#include "rules/literals.hpp"

#include "rules/rarity.hpp"

#include <algorithm>
#include <iterator>

namespace retry_exec::rules {

namespace {

constexpr std::size_t shortest = 3;
constexpr std::size_t most_literals = 512;
constexpr std::size_t most_products = 64;  // of pieces that follow each other
constexpr std::size_t widest_set = 10;     // of bytes, that is written out: [0234], \d
constexpr int deepest = 50;
constexpr int rare_enough = 18;  // bits

using Literals = std::vector<std::string>;

// What is known of a part of a pattern: it matches nothing that lacks all of these. When `exact` it
// matches just these.
struct Known {
  Literals literals;
  bool exact = false;
  Literals also = {};  // nor what lacks all of these; may be empty
};

int rarity(const Literals& literals) {
  int least = literals.empty() ? 0 : 100;
  for (const std::string& literal : literals) {
    least = std::min(least, literal.size() < shortest ? 0 : rarity_of(literal));
  }
  return least;
}

// Reads the common part of PCRE2's syntax. Whatever else turns up ends the reading: it is then not
// known what the pattern needs.
class Reader {
 public:
  explicit Reader(std::string_view pattern) : rest_(pattern) {}

  Needs read() {
    Known known = alternation(0);
    if (lost_ || !rest_.empty()) return {};
    Needs needs{{}, !crosses_lines_};
    for (Literals* literals : {&known.literals, &known.also}) {
      if (rarity(*literals) == 0) continue;
      std::sort(literals->begin(), literals->end());
      literals->erase(std::unique(literals->begin(), literals->end()), literals->end());
      needs.lists.push_back(std::move(*literals));
    }
    if (needs.lists.size() == 2 && needs.lists[0] == needs.lists[1]) needs.lists.pop_back();
    return needs;
  }

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

  // The bytes from here that stand for themselves, once each.
  std::string_view plain_text() {
    const std::size_t end = std::min(rest_.find_first_of("\\[](){}|^$.*+?"), rest_.size());
    const bool repeated =
        end < rest_.size() && std::string_view("*+?{").find(rest_[end]) != std::string_view::npos;
    const std::string_view text = rest_.substr(0, end > 0 && repeated ? end - 1 : end);
    rest_.remove_prefix(text.size());
    return text;
  }
  Known alternation(int depth);
  Known concatenation(int depth);
  Known piece(int depth);
  Known escape();
  Known parenthesis(int depth);
  Known bracket();
  void skip_group();
  enum class Repeat { once, maybe, more, any };
  Repeat quantifier();

  static Known nothing() { return {{""}, true}; }  // matches the empty text, and is done with it
  static Known unknown() { return {}; }

  std::string_view rest_;
  bool lost_ = false;
  bool crosses_lines_ = false;
};

Known Reader::alternation(int depth) {
  Known all = concatenation(depth);
  if (peek() != '|') return all;
  bool known = !all.literals.empty();
  if (all.also.empty()) all.also = all.literals;
  while (skip("|")) {
    Known branch = concatenation(depth);
    known = known && !branch.literals.empty();
    all.exact = all.exact && branch.exact;
    const Literals& also = branch.also.empty() ? branch.literals : branch.also;
    all.also.insert(all.also.end(), also.begin(), also.end());
    std::move(branch.literals.begin(), branch.literals.end(), std::back_inserter(all.literals));
  }
  if (!known || all.literals.size() > most_literals) return unknown();
  if (all.exact || all.also.size() > most_literals) all.also.clear();
  return all;
}

// The run of exact pieces that a concatenation is in the middle of, and the best of what stood
// before it.
class Run {
 public:
  void append(std::string_view text) {
    for (std::string& literal : literals_) literal += text;
  }
  void append(const Literals& pieces) {
    if (pieces.size() == 1) return append(std::string_view(pieces.front()));
    if (literals_.size() * pieces.size() > most_products) end();
    Literals longer;
    for (const std::string& before : literals_) {
      for (const std::string& piece : pieces) longer.push_back(before + piece);
    }
    literals_ = std::move(longer);
  }
  void end() {
    consider(literals_);
    literals_ = {""};
    whole_ = false;
  }
  void consider(Literals literals) {
    int rare = rarity(literals);
    if (rare > best_rarity_) {
      std::swap(literals, best_);
      std::swap(rare, best_rarity_);
    }
    if (rare <= second_rarity_) return;
    second_ = std::move(literals);
    second_rarity_ = rare;
  }
  Known known() {
    if (whole_) return {std::move(literals_), true};
    consider(literals_);
    // What is rare enough tells by itself; a common word beside it would only be one more.
    if (best_rarity_ >= rare_enough) second_.clear();
    return {std::move(best_), false, std::move(second_)};
  }

 private:
  Literals literals_ = {""};
  Literals best_;
  Literals second_;
  int best_rarity_ = 0;
  int second_rarity_ = 0;
  bool whole_ = true;
};

Known Reader::concatenation(int depth) {
  Run run;
  while (!rest_.empty() && peek() != '|' && peek() != ')') {
    if (const std::string_view text = plain_text(); !text.empty()) {
      if (text.find('\n') != std::string_view::npos) crosses_lines_ = true;
      run.append(text);
      continue;
    }
    Known known = piece(depth);
    switch (quantifier()) {
      case Repeat::maybe:
        if (known.exact) {
          known.literals.emplace_back();
          run.append(known.literals);
          continue;
        }
        [[fallthrough]];
      case Repeat::any:
        run.end();
        continue;
      case Repeat::more:
        if (known.exact) run.append(known.literals);
        run.end();
        break;
      case Repeat::once:
        if (known.exact) {
          run.append(known.literals);
          continue;
        }
        run.end();
        break;
    }
    if (!known.exact) {
      run.consider(std::move(known.literals));
      run.consider(std::move(known.also));
    }
  }
  return run.known();
}

Known Reader::piece(int depth) {
  const char c = peek();
  rest_.remove_prefix(1);
  switch (c) {
    case '\\':
      return escape();
    case '[':
      return bracket();
    case '(':
      return parenthesis(depth);
    case '.':
      return unknown();
    case '^':
    case '$':
      return nothing();
    case '*':
    case '+':
    case '?':
      lose();
      return unknown();
    default:
      return {{std::string(1, c)}, true};
  }
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Known Reader::escape() {
  const char c = peek();
  if (!rest_.empty()) rest_.remove_prefix(1);
  if (c != '\0' && !is_alphanumeric(c)) return {{std::string(1, c)}, true};
  switch (c) {
    case 'b':
    case 'B':
      return nothing();
    case 't':
      return {{"\t"}, true};
    case 'd': {
      Known digits{{}, true};
      for (char digit = '0'; digit <= '9'; ++digit) digits.literals.emplace_back(1, digit);
      return digits;
    }
    case 'w':
    case 'S':
    case 'h':
    case 'N':
      return unknown();
    case 'n':
    case 's':
    case 'D':
    case 'W':
    case 'H':
    case 'v':
    case 'R':
      crosses_lines_ = true;
      return unknown();
    default:
      lose();
      return unknown();
  }
}

// Behind '[': to behind its ']'. A set of few single bytes is written out.
Known Reader::bracket() {
  const bool negated = skip("^");
  std::string bytes;
  bool plain = true;
  bool excludes_line_feed = false;
  bool takes_line_feed = false;
  for (bool first = true; !rest_.empty() && (first || peek() != ']'); first = false) {
    if (rest_.starts_with("[:") || rest_.starts_with("[.") || rest_.starts_with("[=")) {
      lose();
      return unknown();
    }
    char c = peek();
    rest_.remove_prefix(1);
    if (c == '\\') {
      c = peek();
      if (!rest_.empty()) rest_.remove_prefix(1);
      const bool line_feed = c == 'n' || c == 's' || c == 'v' || c == 'R';
      excludes_line_feed = excludes_line_feed || line_feed;
      takes_line_feed = takes_line_feed || line_feed || c == 'W' || c == 'D' || c == 'H';
      if (is_alphanumeric(c)) plain = false;
      if (is_alphanumeric(c) &&
          std::string_view("dwshvtnrDWSHVR").find(c) == std::string_view::npos)
        lose();
    }
    if (peek() == '-' && rest_.size() > 1 && rest_[1] != ']') {
      const char last = rest_[1];
      rest_.remove_prefix(2);
      // A range that starts below the blank might hold a line feed.
      if (static_cast<unsigned char>(c) < ' ' || last == '\\') takes_line_feed = true;
      plain = plain && last != '\\' && c < last && last - c < static_cast<int>(widest_set);
      for (char next = c; plain && next < last; ++next) bytes += next;
      c = last;
    }
    if (c == '\n') takes_line_feed = excludes_line_feed = true;
    bytes += c;
  }
  if (!skip("]")) lose();
  if (negated ? !excludes_line_feed : takes_line_feed) crosses_lines_ = true;
  if (negated || !plain || bytes.size() > widest_set) return unknown();
  Known known{{}, true};
  for (const char c : bytes) known.literals.emplace_back(1, c);
  return known;
}

// Behind the '(' of a group that does not say what must be there: to behind its ')'.
void Reader::skip_group() {
  for (int open = 1; !rest_.empty() && open > 0;) {
    if (skip("[")) {
      bracket();
    } else if (peek() == '\\') {
      rest_.remove_prefix(std::min<std::size_t>(2, rest_.size()));
    } else {
      open += peek() == '(' ? 1 : peek() == ')' ? -1 : 0;
      rest_.remove_prefix(1);
    }
  }
}

// Behind '('.
Known Reader::parenthesis(int depth) {
  if (depth > deepest || peek() == '*') {
    lose();
    return unknown();
  }
  bool looks_ahead = false;
  if (skip("?")) {
    if (skip("!") || skip("<=") || skip("<!")) {
      skip_group();
      return nothing();
    }
    looks_ahead = skip("=");
    if (skip("<") || skip("P<") || skip("'")) {
      rest_.remove_prefix(std::min(rest_.find_first_of(">'") + 1, rest_.size()));
    } else if (!looks_ahead && !skip(":") && !skip(">")) {
      while (peek() == 'i' || peek() == 'm' || peek() == '-') rest_.remove_prefix(1);
      if (skip(")")) return nothing();  // (?i), for what follows
      if (!skip(":")) {
        lose();
        return unknown();
      }
    }
  }
  Known group = alternation(depth + 1);
  if (!skip(")")) lose();
  if (looks_ahead) group.exact = false;  // what follows stands in the same place
  return group;
}

Reader::Repeat Reader::quantifier() {
  Repeat repeat = Repeat::once;
  if (skip("*")) {
    repeat = Repeat::any;
  } else if (skip("?")) {
    repeat = Repeat::maybe;
  } else if (skip("+")) {
    repeat = Repeat::more;
  } else if (peek() == '{' && rest_.size() > 1 && rest_[1] >= '0' && rest_[1] <= '9') {
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) return repeat;
    repeat = rest_[1] == '0' ? Repeat::any : Repeat::more;
    rest_.remove_prefix(end + 1);
  } else if (rest_.starts_with("{,")) {
    lose();  // a quantifier since PCRE2 10.43, three literal bytes before
  }
  if (repeat != Repeat::once && !skip("?")) skip("+");
  return repeat;
}

}  // namespace

Needs needs_of(std::string_view pattern) {
  return Reader(pattern).read();
}

}  // namespace retry_exec::rules
