#include "rules/evidence/evidence.hpp"
#include "rules/evidence/json_member.hpp"

#include <algorithm>
#include <array>

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

// Nothing is known of how long a line was of which as_seen() has left the middle out.
std::string length_of(std::string_view line) {
  const bool clipped = line.size() > longest_line_seen / 2 && line.find("…") != line.npos;
  return clipped ? "a very long line" : "a line of " + std::to_string(line.size()) + " bytes";
}

}  // namespace

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
