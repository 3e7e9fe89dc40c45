#include "redact/escapes.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace retry_exec::redact {

namespace {

// How much of the text stands for how much of what it says.
struct Stretch {
  std::size_t read = 0;  // 0: it does not
  std::size_t said = 0;
};

constexpr std::size_t most_backslashes = 16;

std::optional<char32_t> number(std::string_view digits, int base, std::size_t count) {
  std::uint32_t value = 0;
  if (digits.size() < count) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + count, value, base);
  if (error != std::errc() || end != digits.data() + count) return std::nullopt;
  return value;
}

// `read` bytes stand for the code point or, where it is one, the byte that `plain` begins with.
Stretch stands_for(char32_t value, std::string_view plain, std::size_t read) {
  const text::CodePoint point = text::first_code_point(plain);
  if (point.valid && point.value == value) return {read, point.length};
  return {};
}

Stretch stands_for_byte(char32_t value, std::string_view plain, std::size_t read) {
  return value == static_cast<unsigned char>(plain[0]) ? Stretch{read, 1} : Stretch{};
}

// %41, %2541
Stretch percent(std::string_view text, std::string_view plain) {
  std::size_t at = 1;
  while (at < 8 && text.substr(at).starts_with("25") && plain[0] != '%') at += 2;
  const auto value = number(text.substr(std::min(at, text.size())), 16, 2);
  return value ? stands_for_byte(*value, plain, at + 2) : Stretch{};
}

// &amp; &#38; &#x26;
Stretch entity(std::string_view text, std::string_view plain) {
  struct Named {
    std::string_view name;
    char character;
  };
  constexpr std::array names = {Named{"&amp;", '&'}, Named{"&lt;", '<'}, Named{"&gt;", '>'},
                                Named{"&quot;", '"'}, Named{"&apos;", '\''}};
  for (const Named& named : names) {
    if (text.starts_with(named.name) && plain[0] == named.character) return {named.name.size(), 1};
  }
  if (!text.starts_with("&#")) return {};
  const bool hex = text.size() > 2 && (text[2] == 'x' || text[2] == 'X');
  const std::size_t from = hex ? 3 : 2;
  const std::size_t end = text.substr(0, 12).find(';');
  if (end == std::string_view::npos || end <= from) return {};
  const auto value = number(text.substr(from), hex ? 16 : 10, end - from);
  return value ? stands_for(*value, plain, end + 1) : Stretch{};
}

// \u0041, a surrogate pair, \U00000041
Stretch unicode(std::string_view text, std::string_view plain, std::size_t at) {
  const auto value = number(text.substr(at + 1), 16, text[at] == 'u' ? 4 : 8);
  if (!value) return {};
  const std::size_t end = at + (text[at] == 'u' ? 5 : 9);
  if (*value < 0xd800 || *value > 0xdbff) return stands_for(*value, plain, end);
  const std::size_t next = text.substr(0, end + most_backslashes).find_first_not_of('\\', end);
  if (next == end || next == std::string_view::npos || text[next] != 'u') return {};
  const auto low = number(text.substr(next + 1), 16, 4);
  if (!low) return {};
  const char32_t pair = 0x10000 + ((*value - 0xd800) << 10U) + (*low - 0xdc00);
  return stands_for(pair, plain, next + 5);
}

// \", \/, \x41, \101, \n, and the same with more backslashes, in strings inside strings.
Stretch backslashes(std::string_view text, std::string_view plain) {
  const std::size_t at = text.substr(0, most_backslashes + 2).find_first_not_of('\\');
  if (at == std::string_view::npos) return {};
  const char c = text[at];
  if (c == 'u' || c == 'U') {
    if (const Stretch step = unicode(text, plain, at); step.read != 0) return step;
  }
  if (c == 'x') {
    const auto value = number(text.substr(at + 1), 16, 2);
    if (value && stands_for_byte(*value, plain, 1).read != 0) return {at + 3, 1};
  }
  if (c >= '0' && c <= '3') {
    const auto value = number(text.substr(at), 8, 3);
    if (value && stands_for_byte(*value, plain, 1).read != 0) return {at + 3, 1};
  }
  // A line break or a tab is a blank in what is looked for.
  if (plain[0] == ' ' && std::string_view("nrt").find(c) != std::string_view::npos)
    return {at + 1, 1};
  return c == plain[0] ? Stretch{at + 1, 1} : Stretch{};
}

// Quotes are doubled in YAML and SQL, and leave their quotes in shells.
Stretch quote(std::string_view text, std::string_view plain) {
  if (text.starts_with("'\\''")) return {4, 1};
  if (text.starts_with("'\"'\"'")) return {5, 1};
  const bool doubled = text.size() > 1 && text[1] == plain[0];
  const bool twice = plain.size() > 1 && plain[1] == plain[0];
  return doubled && !twice ? Stretch{2, 1} : Stretch{1, 1};
}

Stretch step(std::string_view text, std::string_view plain) {
  const char c = text[0];
  if (c == plain[0]) {
    const Stretch escaped = c == '%'   ? percent(text, plain)
                            : c == '&' ? entity(text, plain)
                                       : Stretch{};
    if (escaped.read != 0) return escaped;
    return c == '\'' || c == '"' ? quote(text, plain) : Stretch{1, 1};
  }
  if (c == '%') return percent(text, plain);
  if (c == '&') return entity(text, plain);
  if (c == '\\') return backslashes(text, plain);
  return plain[0] == ' ' && (c == '+' || c == '\t' || c == '\n') ? Stretch{1, 1} : Stretch{};
}

}  // namespace

bool may_begin_an_escape(std::string_view text) {
  if (text[0] != '\\') return text[0] == '%' || text[0] == '&';
  return text.substr(0, most_backslashes + 2).find_first_not_of('\\') != std::string_view::npos;
}

namespace {

// The length of the break at the start of `text` where a line was wrapped, its line feed as it is,
// escaped or made a blank.
std::size_t length_of_break(std::string_view text) {
  constexpr std::size_t longest = 32;
  const bool escaped = text.starts_with("\\n");
  const std::size_t from = escaped || text.starts_with('\n') ? (escaped ? 2 : 1) : 0;
  std::size_t end = std::min(text.substr(0, longest).find_first_not_of(" \t", from), text.size());
  if (from == 0 && end < text.size() && text[end] == '\n')
    end = std::min(text.substr(0, longest).find_first_not_of(" \t", end + 1), text.size());
  return end < longest ? end : 0;
}

// One place after another, of which only the first is near the start of the text that was wrapped.
class Breaks {
 public:
  explicit Breaks(bool allowed) : allowed_(allowed) {}

  // The length of the break at `read`, which is more than 0; 0 where there is none.
  std::size_t length_at(std::string_view text, std::size_t read) {
    constexpr std::size_t narrowest = 40;
    if (!allowed_ || read == 0 || (last_ != 0 && read - last_ < narrowest)) return 0;
    const std::size_t length = length_of_break(text.substr(read));
    if (length != 0) last_ = read + length;
    return length;
  }

 private:
  bool allowed_;
  std::size_t last_ = 0;
};

// A backslash may be written by any number of them, of which some may belong to what follows: each
// is tried, at most `tries` in all.
std::size_t length_within(std::string_view text, std::string_view plain, Breaks breaks,
                          unsigned& tries) {
  std::size_t read = 0;
  while (!plain.empty()) {
    if (read >= text.size()) return 0;
    const std::string_view rest = text.substr(read);
    Stretch taken = step(rest, plain);
    if (plain[0] == '\\' && rest[0] == '\\') {
      const Stretch spelled = backslashes(rest, plain);
      taken = spelled.read > 1 && rest[spelled.read - 1] != '\\' ? spelled : Stretch{};
      const std::string_view behind = plain.substr(1);
      for (std::size_t n = 1; taken.read == 0 && n <= most_backslashes && tries > 0; ++n) {
        if (n > rest.size() || rest[n - 1] != '\\') break;
        if (behind.empty()) return read + n;
        --tries;
        if (const std::size_t more = length_within(rest.substr(n), behind, breaks, tries))
          return read + n + more;
      }
    }
    if (taken.read == 0) taken.read = breaks.length_at(text, read);
    if (taken.read == 0) return 0;
    read += taken.read;
    plain.remove_prefix(taken.said);
  }
  return read;
}

// A word, or a short number, may stand in parts in an innocent text.
bool may_be_broken(std::string_view plain) {
  constexpr std::size_t no_accident = 16;
  constexpr std::size_t shortest = 8;
  const bool number = plain.find_first_not_of("0123456789.:-/ ") == std::string_view::npos;
  return plain.size() >= no_accident ||
         (plain.size() >= shortest && text::is_no_word(plain) && !number);
}

}  // namespace

std::size_t length_of_escaped(std::string_view text, std::string_view plain) {
  unsigned tries = 64;
  return length_within(text, plain, Breaks(may_be_broken(plain)), tries);
}

}  // namespace retry_exec::redact
