#include "rules/evidence/evidence.hpp"
#include "rules/evidence/json_member.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace retry_exec::rules {

namespace {

constexpr std::size_t longest_whole = 2048;
constexpr std::size_t most_before = 240;
constexpr std::size_t most_after = 600;
constexpr std::size_t most_around_member = 60;

std::string_view last_word(std::string_view text) {
  return text.substr(text.rfind(' ') + 1);
}

// Of a word that is cut off: whether the one behind it could only be known for a secret by it, as
// in
// "--password x" and "Authorization: Bearer x".
bool may_name_a_secret(std::string_view word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyz,";
  constexpr std::array<std::string_view, 7> names = {"pass",   "token", "secret", "key",
                                                     "bearer", "basic", "user"};
  return word.find_first_not_of(plain) != std::string_view::npos ||
         std::any_of(names.begin(), names.end(), [&](std::string_view name) {
           return word.find(name) != std::string_view::npos;
         });
}

// The first place in [first, at) where the line can be cut so that what names a secret stays with
// it; `at` when there is none.
std::size_t first_cut(std::string_view line, std::size_t first, std::size_t at) {
  for (std::size_t i = first; i < at; ++i) {
    if (begins_member(line, i)) return i;
    if (i > first && line[i - 1] == ' ' && !may_name_a_secret(last_word(line.substr(0, i - 1))))
      return i;
  }
  return at;
}

// The last place in (kept, last] where it can end.
std::size_t last_cut(std::string_view line, std::size_t kept, std::size_t last) {
  for (std::size_t i = last; i > kept; --i) {
    if (line[i] == ' ') return i;
    if (begins_member(line, i)) return std::max(kept, line.find_last_of("{,", i));
  }
  return kept;
}

std::size_t depth_of(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

bool has_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

// Whether a text in three quotes begins or ends in a line, but not both.
bool turns_quotes(std::string_view line) {
  std::size_t count = 0;
  for (const std::string_view quotes : {"\"\"\"", "'''"}) {
    for (std::size_t at = 0; (at = line.find(quotes, at)) != line.npos; at += quotes.size())
      ++count;
  }
  return count % 2 == 1;
}

// What may say that lines below it are a secret: `password: |`, `"token":`, `Authorization:
// Bearer`, `key = """`.
struct Opening {
  bool next = false;    // the next one
  bool block = false;   // those that are indented deeper
  bool quotes = false;  // those up to the same quotes
};

Opening opening_of(std::string_view line) {
  constexpr std::array<std::string_view, 10> names = {
      "pass", "token", "secret", "key", "pwd", "credential", "jwt", "psk", "auth", "_pw"};
  constexpr std::array<std::string_view, 4> blocks = {": |", ": >", ":|", ":>"};
  std::string lower(line.substr(line.size() - std::min<std::size_t>(line.size(), 200)));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  if (!has_one_of(lower, names)) return {};
  const bool scheme =
      lower.find("authorization") != lower.npos &&
      (lower.ends_with("bearer") || lower.ends_with("basic") || lower.ends_with("token"));
  return {.next = scheme || lower.ends_with(':') || lower.ends_with('=') || lower.ends_with("=>"),
          .block = has_one_of(lower, blocks) || lower.ends_with(" |") || lower.ends_with(" >"),
          .quotes = turns_quotes(lower)};
}

// The line above `line`, of the same text, that may make a secret of it; empty where there is none.
std::string_view name_above(std::string_view text, std::string_view line) {
  constexpr std::size_t farthest = 400;
  if (line.empty() || line.data() <= text.data()) return {};
  std::string_view above = text.substr(0, static_cast<std::size_t>(line.data() - text.data()) - 1);
  std::size_t depth = depth_of(line);
  bool quotes_turned = false;
  bool next = true;
  for (std::size_t n = 0; n < farthest && !above.empty(); ++n) {
    const std::size_t begin = above.rfind('\n') + 1;  // npos + 1 is 0
    std::string_view candidate = above.substr(begin);
    above = above.substr(0, begin == 0 ? 0 : begin - 1);
    candidate = candidate.substr(0, candidate.find_last_not_of(" \t") + 1);
    if (candidate.empty()) continue;
    const Opening opening = opening_of(candidate);
    const bool deeper = depth_of(candidate) < depth;
    if ((opening.next && next) || (opening.block && deeper) || (opening.quotes && !quotes_turned))
      return candidate;
    quotes_turned = quotes_turned || turns_quotes(candidate);
    depth = std::min(depth, depth_of(candidate));
    next = false;
  }
  return {};
}

// Nothing is known of how long a line was of which as_seen() has left the middle out.
std::string length_of(std::string_view line) {
  const bool clipped = line.size() > longest_line_seen / 2 && line.find("…") != line.npos;
  return clipped ? "a very long line" : "a line of " + std::to_string(line.size()) + " bytes";
}

}  // namespace

std::string excerpt_below(std::string_view text, std::string_view line, std::string_view matched) {
  const std::string excerpt = excerpt_of(line, matched);
  const std::string_view name = name_above(text, line);
  if (name.empty()) return excerpt;
  // What was cut off at its beginning is below the name all the same.
  return std::string(name) + "\n" + (excerpt.starts_with("…") ? std::string(80, ' ') : "") +
         excerpt;
}

std::string excerpt_of(std::string_view line, std::string_view matched) {
  if (line.size() <= longest_whole) return std::string(line);
  std::size_t at = matched.empty() ? std::string_view::npos : line.find(matched);
  std::size_t kept = at + matched.size();
  std::size_t before = most_before;
  std::size_t after = most_after;
  if (at == std::string_view::npos) {
    const std::string_view member = telling_member(line);
    at = kept = line.size();
    if (!member.empty()) {
      at = static_cast<std::size_t>(member.data() - line.data());
      kept = at + std::min(member.size(), most_after);
      before = after = most_around_member;
    }
  }
  const std::size_t begin = at <= before ? 0 : first_cut(line, at - before, at);
  const std::size_t end =
      kept + after >= line.size() ? line.size() : last_cut(line, kept, kept + after);
  std::string text = begin > 0 ? "… " : "";
  text += line.substr(begin, end - begin);
  if (end < line.size()) text += " …";
  return text + " (of " + length_of(line) + ")";
}

}  // namespace retry_exec::rules
