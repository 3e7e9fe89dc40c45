#include "yaml/reader.hpp"

#include <algorithm>

namespace retry_exec::yaml {

namespace {

Node scalar_at(const Cursor& cursor, Node::Style style) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.style = style;
  node.where = cursor.here();
  return node;
}

// Folds the line break where the cursor stands, with the blank lines after it: one break is a
// space, more are that many less one. The cursor ends at the first byte of the next text.
void fold_break(Cursor& cursor, std::string& text) {
  std::size_t breaks = 0;
  while (!cursor.at_end() && cursor.at_break()) {
    cursor.next_line();
    ++breaks;
    if (cursor.at_marker()) return;
    cursor.skip_spaces();
  }
  if (breaks == 1) {
    text += ' ';
  } else {
    text.append(breaks - 1, '\n');
  }
}

void trim_blanks(std::string& text, std::size_t least) {
  while (text.size() > least && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
}

bool flow_indicator(char c) {
  return c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
}

// True at the ':' that ends a key, in the middle of a plain scalar.
bool at_value_indicator(const Cursor& cursor, Context context) {
  return cursor.peek() == ':' &&
         (cursor.gap_at(1) || (context == Context::flow && flow_indicator(cursor.peek(1))));
}

// Appends what a plain scalar has on this line.
void plain_line(Cursor& cursor, Context context, std::string& text) {
  const std::size_t begin = cursor.offset();
  const std::string_view stops = context == Context::flow ? ":#,[]{}" : ":#";
  for (;;) {
    const std::string_view rest = cursor.rest_of_line();
    cursor.advance(std::min(rest.find_first_of(stops), rest.size()));
    if (cursor.at_break() || at_value_indicator(cursor, context)) break;
    const char c = cursor.peek();
    if (flow_indicator(c) || (c == '#' && cursor.behind_blank())) break;
    cursor.advance();
  }
  text += cursor.from(begin);
  trim_blanks(text, 0);
}

void refuse_plain_start(const Cursor& cursor) {
  const char c = cursor.peek();
  switch (c) {
    case '&':
      refuse(cursor.here(),
             "anchors (&name) are not read; a text that begins with '&' needs quotes");
    case '*':
      refuse(cursor.here(),
             "aliases (*name) are not read; a text that begins with '*' needs quotes");
    case '!':
      refuse(cursor.here(), "tags (!name) are not read; a text that begins with '!' needs quotes");
    case '%':
    case '@':
    case '`':
    case ',':
    case ']':
    case '}':
    case '|':
    case '>':
      refuse(cursor.here(), std::string("a text that begins with '") + c + "' needs quotes");
    case '?':
      if (cursor.gap_at(1))
        refuse(cursor.here(), "keys after '?' are not read; write 'key: value'");
      break;
    case ':':
      if (cursor.gap_at(1)) refuse(cursor.here(), "a ':' without a key before it");
      break;
    default:
      break;
  }
}

}  // namespace

Node read_plain(Cursor& cursor, int indent, Context context) {
  refuse_plain_start(cursor);
  Node node = scalar_at(cursor, Node::Style::plain);
  plain_line(cursor, context, node.text);
  while (!cursor.at_end() && cursor.at_break()) {
    const Cursor::State end_of_line = cursor.state();
    std::string folded = node.text;
    fold_break(cursor, folded);
    const bool goes_on = !cursor.finished() && cursor.column() > indent && cursor.peek() != '#' &&
                         !(context == Context::flow && flow_indicator(cursor.peek())) &&
                         !at_value_indicator(cursor, context);
    if (!goes_on) {
      cursor.restore(end_of_line);
      break;
    }
    const Position second_line = cursor.here();
    node.text = std::move(folded);
    node.one_line = false;
    plain_line(cursor, context, node.text);
    if (context == Context::block && at_value_indicator(cursor, context)) {
      refuse(second_line,
             "a key in the middle of a text; is the line indented too far, or a quote missing?");
    }
  }
  if (context == Context::block && node.text.empty())
    refuse(node.where, "a text was expected here");
  return node;
}

namespace {

// Folds a line break inside quotes. A next line that is not further in than the block around the
// quotes shows that the closing quote is missing.
void fold_quoted_break(Cursor& cursor, Node& node, std::size_t keep, int indent) {
  trim_blanks(node.text, keep);
  node.one_line = false;
  fold_break(cursor, node.text);
  if (cursor.finished() || cursor.column() <= indent) {
    refuse(node.where, "this quote is never closed");
  }
}

std::uint32_t hex_digits(Cursor& cursor, std::size_t count, const Position& escape) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = cursor.peek();
    const bool digit = c >= '0' && c <= '9';
    const char lower = static_cast<char>(c | 0x20);
    if (!digit && (lower < 'a' || lower > 'f')) {
      refuse(escape, "an escape that lacks hexadecimal digits");
    }
    value = value * 16 + static_cast<std::uint32_t>(digit ? c - '0' : lower - 'a' + 10);
    cursor.advance();
  }
  return value;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | (code >> 6));
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3F));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

// JSON writes what is beyond U+FFFF as two escapes, a surrogate pair.
std::uint32_t code_point(Cursor& cursor, std::size_t digits, const Position& escape) {
  std::uint32_t code = hex_digits(cursor, digits, escape);
  const auto is_low = [](std::uint32_t c) { return c >= 0xDC00 && c <= 0xDFFF; };
  if (code >= 0xD800 && code <= 0xDBFF && cursor.peek() == '\\' && cursor.peek(1) == 'u') {
    cursor.advance(2);
    const std::uint32_t low = hex_digits(cursor, 4, escape);
    if (!is_low(low)) refuse(escape, "half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) {
    refuse(escape, "an escape that is no character");
  }
  if (code == 0) refuse(escape, "a NUL character");
  return code;
}

// The cursor stands behind the backslash.
void read_escape(Cursor& cursor, Node& node, const Position& escape) {
  constexpr std::string_view letters = "abtnvfre \"/\\\t";
  constexpr std::string_view values = "\a\b\t\n\v\f\r\x1b \"/\\\t";
  const char c = cursor.peek();
  cursor.advance();
  if (const auto at = letters.find(c); at != std::string_view::npos) {
    node.text += values[at];
    return;
  }
  switch (c) {
    case 'N':
      return append_utf8(node.text, 0x85);
    case '_':
      return append_utf8(node.text, 0xA0);
    case 'L':
      return append_utf8(node.text, 0x2028);
    case 'P':
      return append_utf8(node.text, 0x2029);
    case 'x':
      return append_utf8(node.text, code_point(cursor, 2, escape));
    case 'u':
      return append_utf8(node.text, code_point(cursor, 4, escape));
    case 'U':
      return append_utf8(node.text, code_point(cursor, 8, escape));
    default:
      refuse(escape, std::string("unknown escape '\\") + c +
                         "' in double quotes; single quotes take a backslash as it is");
  }
}

}  // namespace

Node read_single_quoted(Cursor& cursor, int indent) {
  Node node = scalar_at(cursor, Node::Style::single_quoted);
  cursor.advance();
  for (;;) {
    const std::string_view rest = cursor.rest_of_line();
    const std::string_view more = rest.substr(0, rest.find('\''));
    node.text += more;
    cursor.advance(more.size());
    if (cursor.at_end()) refuse(node.where, "this quote is never closed");
    if (cursor.at_break()) {
      fold_quoted_break(cursor, node, 0, indent);
    } else if (cursor.peek(1) == '\'') {
      node.text += '\'';
      cursor.advance(2);
    } else {
      cursor.advance();
      return node;
    }
  }
}

Node read_double_quoted(Cursor& cursor, int indent) {
  Node node = scalar_at(cursor, Node::Style::double_quoted);
  cursor.advance();
  std::size_t keep = 0;  // blanks up to here were escaped: they stay
  for (;;) {
    const std::string_view rest = cursor.rest_of_line();
    const std::string_view more = rest.substr(0, rest.find_first_of("\"\\"));
    node.text += more;
    cursor.advance(more.size());
    if (cursor.at_end()) refuse(node.where, "this quote is never closed");
    if (cursor.at_break()) {
      fold_quoted_break(cursor, node, keep, indent);
    } else if (cursor.peek() == '"') {
      cursor.advance();
      return node;
    } else {
      const Position escape = cursor.here();
      cursor.advance();
      if (cursor.at_end()) refuse(node.where, "this quote is never closed");
      if (cursor.at_break()) {  // the line goes on, without a space
        keep = node.text.size();
        fold_quoted_break(cursor, node, keep, indent);
        if (node.text.size() > keep && node.text.back() == ' ') node.text.pop_back();
      } else {
        read_escape(cursor, node, escape);
      }
      keep = node.text.size();
    }
  }
}

namespace {

struct BlockHeader {
  bool folded = false;
  char chomp = ' ';     // '-' strips the last line breaks, '+' keeps them all
  int indentation = 0;  // 0: that of the first line
};

BlockHeader read_header(Cursor& cursor) {
  BlockHeader header;
  header.folded = cursor.peek() == '>';
  cursor.advance();
  for (; !cursor.gap_at(0); cursor.advance()) {
    const char c = cursor.peek();
    if (c == '-' || c == '+') {
      header.chomp = c;
    } else if (c >= '1' && c <= '9') {
      header.indentation = c - '0';
    } else {
      refuse(cursor.here(),
             "after '|' or '>' comes the end of the line; a text that begins so needs quotes");
    }
  }
  cursor.skip_spaces();
  if (cursor.peek() == '#') {
    cursor.advance(cursor.rest_of_line().size());
  }
  if (!cursor.at_break()) {
    refuse(cursor.here(),
           "after '|' or '>' comes the end of the line; a text that begins so needs quotes");
  }
  return header;
}

// The indentation of the first line that is not blank.
int first_indentation(Cursor cursor) {
  while (!cursor.at_end()) {
    cursor.next_line();
    while (cursor.peek() == ' ') cursor.advance();
    if (!cursor.at_break()) return cursor.column();
  }
  return 0;
}

void chomp(std::string& text, char how) {
  if (how == '+') return;
  const auto last = text.find_last_not_of('\n');
  if (last == std::string::npos) {
    text.clear();
  } else {
    text.resize(last + 1);
    if (how != '-') text += '\n';
  }
}

}  // namespace

Node read_block_scalar(Cursor& cursor, int indent) {
  Node node = scalar_at(cursor, Node::Style::block);
  node.one_line = false;
  const BlockHeader header = read_header(cursor);
  const int base = std::max(indent, 0);
  const int least = header.indentation > 0 ? (indent < 0 ? 0 : base) + header.indentation
                                           : std::max(first_indentation(cursor), indent + 1);
  bool folds = false;  // the line before is one that a break may be folded after
  std::size_t breaks = 0;
  while (!cursor.at_end()) {
    const Cursor::State end_of_line = cursor.state();
    cursor.next_line();
    if (cursor.at_marker()) {
      cursor.restore(end_of_line);
      break;
    }
    while (cursor.peek() == ' ' && cursor.column() < least) cursor.advance();
    if (cursor.at_break()) {
      if (cursor.at_end()) break;
      ++breaks;
      continue;
    }
    if (cursor.column() < least) {
      cursor.restore(end_of_line);
      break;
    }
    const bool further_in = cursor.at_space();
    const bool fold_here = header.folded && folds && !further_in;
    if (fold_here && breaks == 0) {
      node.text.back() = ' ';
    } else {
      node.text.append(breaks, '\n');
      if (fold_here) node.text.erase(node.text.size() - breaks - 1, 1);
    }
    breaks = 0;
    const std::string_view line = cursor.rest_of_line();
    node.text += line;
    node.text += '\n';
    cursor.advance(line.size());
    folds = !further_in;
  }
  node.text.append(breaks, '\n');
  chomp(node.text, header.chomp);
  return node;
}

}  // namespace retry_exec::yaml
