// Texts: characters and words, UTF-8, how wide a text is on a terminal, what of it may be printed.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace retry_exec::text {

// ---- UTF-8: taking a text apart by code points, and how wide they are on a terminal -----------

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;  // in bytes; 1 where the bytes are no UTF-8
  bool valid = true;
};

// The code point at the start of `text`, which is not empty.
CodePoint first_code_point(std::string_view text);

// Controls and line breaks, and what hides or reorders the text around it (Unicode TR 36, "Trojan
// Source").
bool is_unseen(char32_t value);

// Terminal columns: East Asian wide characters and emoji take two, combining marks none.
std::size_t columns_of(std::string_view text);

// `text` when it fits into `columns`, else as much of its start as does with an ellipsis.
std::string fitted(std::string_view text, std::size_t columns);

// The same, but what is cut is the middle: error messages say where at the start and what at the
// end.
std::string fitted_in_the_middle(std::string_view text, std::size_t columns);

// ---- printing ----------------------------------------------------------------------------------

// One line that is safe to print: without escape sequences, control characters and characters that
// are invisible or reorder text; line breaks and tabs are spaces, bytes that are no UTF-8 are '?'.
std::string printable(std::string_view text);

// ---- characters and words ----------------------------------------------------------------------

inline char upper_case(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

inline bool is_word_character(char c) {
  return (upper_case(c) >= 'A' && upper_case(c) <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

inline std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = upper_case(c);
  return upper;
}

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

inline bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

inline bool starts_with_one_of(std::string_view text, std::span<const std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return text.starts_with(start); });
}

inline bool ends_with_one_of(std::string_view text, std::span<const std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return text.ends_with(ending); });
}

// Whether `text` began with `prefix`, which is gone from it then.
inline bool remove_prefix_of(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A word that no sentence has: it holds digits, and is not short.
inline bool is_no_word(std::string_view text) {
  return text.size() >= 6 && text.find_first_of("0123456789") != std::string_view::npos;
}

// Calls `f` for each part of `text` between separators.
template <class F>
void for_each_part(std::string_view text, char separator, F f) {
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    f(text.substr(start, end - start));
    start = end + 1;
  }
}

// The text with each of its lines as `f` makes it.
template <class F>
std::string with_each_line(std::string_view text, F f) {
  std::string result;
  bool first = true;
  for_each_part(text, '\n', [&](std::string_view line) {
    if (!first) result += '\n';
    first = false;
    result += f(line);
  });
  return result;
}

// "a, b or c": the words with `separator` between them, before the last one `last`.
template <class Words>
std::string joined(const Words& words, std::string_view separator, std::string_view last) {
  std::string text;
  std::size_t left = words.size();
  for (const auto& word : words) {
    text += word;
    if (--left > 0) text += left == 1 ? last : separator;
  }
  return text;
}
template <class Words>
std::string joined(const Words& words, std::string_view separator = ", ") {
  return joined(words, separator, separator);
}

// Puts one more word behind those of a list.
inline void append_to(std::string& list, std::string_view word, std::string_view separator = ", ") {
  if (!list.empty()) list += separator;
  list += word;
}

// 'text', for a message; of a long one, its start.
inline std::string quoted(std::string_view text, std::size_t most = 64) {
  return "'" + std::string(text.substr(0, most)) + "'";
}

// The number that the whole of `text` is, whole or with a fraction; nothing where it is none, or
// too large.
template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace retry_exec::text
