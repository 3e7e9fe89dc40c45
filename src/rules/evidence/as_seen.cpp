#include "rules/evidence/evidence.hpp"
#include "rules/evidence/own_lines.hpp"
#include "rules/evidence/own_report.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace retry_exec::rules {

namespace {

constexpr std::size_t most_of_tail = std::size_t{4} << 20;

// Bytes that are not simply shown.
constexpr auto controls = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = c != '\t';
  table[0x7F] = true;
  return table;
}();

bool is_control(char c) {
  return controls[static_cast<unsigned char>(c)];
}

// Whether some of eight bytes might be one: tabs are taken for one, and DEL.
bool may_hold_controls(const char* eight) {
  constexpr std::uint64_t each = 0x0101010101010101;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, eight, sizeof bytes);
  const std::uint64_t not_del = bytes ^ (each * 0x7F);
  return (((bytes - each * 0x20) & ~bytes) | ((not_del - each) & ~not_del)) & (each * 0x80);
}

const char* find_control(const char* begin, const char* end) {
  while (end - begin >= 8 && !may_hold_controls(begin)) begin += 8;
  return std::find_if(begin, end, is_control);
}

bool between(char c, char first, char last) {
  return c >= first && c <= last;
}

// How many bytes the escape sequence at the start of `text` (an ESC) has. `text` ends with its
// line, so that a broken sequence cannot swallow an error.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  std::size_t at = 2;
  const auto past = [&](auto belongs) {
    while (at < text.size() && belongs(text[at])) ++at;
  };
  const char kind = text[1];
  if (kind == '[') {  // CSI: parameters, intermediates, one final byte
    past([](char c) { return between(c, 0x20, 0x3F); });
    return std::min(at + 1, text.size());
  }
  if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {  // up to BEL or ST
    past([](char c) { return c != '\a' && c != '\x1b'; });
    const bool string_end = at + 1 < text.size() && text[at] == '\x1b' && text[at + 1] == '\\';
    return std::min(at + (string_end ? 2U : 1U), text.size());
  }
  if (between(kind, 0x20, 0x2F)) {  // intermediates, one final byte
    past([](char c) { return between(c, 0x20, 0x2F); });
    return std::min(at + 1, text.size());
  }
  return at;
}

// One line, without its line break.
void append_line(std::string& seen, std::string_view line) {
  const std::size_t begin = seen.size();
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  while (!line.empty()) {
    const char* const control = find_control(line.data(), line.data() + line.size());
    const auto plain = static_cast<std::size_t>(control - line.data());
    seen += line.substr(0, plain);
    line.remove_prefix(plain);
    if (line.empty()) break;
    if (line.front() == '\r') seen.resize(begin);
    line.remove_prefix(line.front() == '\x1b' ? escape_length(line) : 1);
  }
  const std::string_view shown = std::string_view(seen).substr(begin);
  seen.erase(begin, shown.size() - without_line_prefix(shown).size());
}

void shorten(std::string& seen, std::size_t begin) {
  if (const std::size_t length = seen.size() - begin; length > longest_line_seen) {
    seen.replace(begin + longest_line_seen / 2, length - longest_line_seen, "…");
  }
}

// Takes out what a retry-exec inside the command says of how its run goes.
class OwnLines {
 public:
  // Whether the line that begins at `begin`, the last one, stays; if not, it is gone.
  bool keeps(std::string& seen, std::size_t begin) {
    const std::string_view text = std::string_view(seen).substr(begin);
    const OwnReport::Line of_report = report_.read(text);
    if (of_report != OwnReport::Line::of_the_command) {
      seen.resize(of_report == OwnReport::Line::and_the_last_one ? last_ : begin);
      return false;
    }
    last_ = begin;
    const OwnLine line = own_line(text);
    if (line == OwnLine::attempt_at_limit) at_limit_ = begin;
    const bool stays = line == OwnLine::cause || line == OwnLine::attempt_at_limit;
    if (!stays) seen.resize(begin);
    if (line == OwnLine::another_attempt && at_limit_) {
      seen.erase(*at_limit_, seen.find('\n', *at_limit_) + 1 - *at_limit_);
    }
    if (line == OwnLine::another_attempt || line == OwnLine::end_of_run) at_limit_.reset();
    return stays;
  }

 private:
  OwnReport report_;
  std::size_t last_ = 0;                 // where the last line begins that is of no report
  std::optional<std::size_t> at_limit_;  // where the line begins that tells of an attempt's limit
};

// Is this the first line of a private key in PEM (RFC 7468, also OpenSSH's and PGP's)?
bool begins_private_key(std::string_view line) {
  const std::size_t begin = line.find("-----BEGIN ");
  return begin != std::string_view::npos &&
         line.find("PRIVATE KEY", begin) != std::string_view::npos &&
         line.find("-----END ", begin) == std::string_view::npos;
}

// The lines of a private key are not evidence, and must not end up in a log.
void append_seen(std::string& seen, std::string_view text) {
  const bool has_key = text.find("PRIVATE KEY") != std::string_view::npos;
  OwnLines own_lines;
  bool in_private_key = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    in_private_key = in_private_key && line.find("-----END ") == std::string_view::npos;
    if (!in_private_key) {
      const std::size_t begin = seen.size();
      append_line(seen, line);
      if (own_lines.keeps(seen, begin)) {
        shorten(seen, begin);
        if (end != std::string_view::npos) seen += '\n';
      }
      in_private_key = has_key && begins_private_key(line);
    }
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string as_seen(std::string_view text) {
  std::string seen;
  seen.reserve(text.size());
  append_seen(seen, text);
  unwrap(seen);
  return seen;
}

std::string as_seen(const CapturedStream& stream) {
  std::string_view tail = stream.tail;
  const std::size_t cut = tail.size() - std::min(tail.size(), most_of_tail);
  if (stream.omitted == 0 && cut == 0) return as_seen(stream.head + stream.tail);
  std::string seen = as_seen(stream.head);
  seen += '\n';
  tail.remove_prefix(cut);
  append_seen(seen, tail);
  unwrap(seen);
  return seen;
}

}  // namespace retry_exec::rules
