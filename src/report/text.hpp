// Small tools for texts, of this room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace retry_exec {

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

inline bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
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

}  // namespace retry_exec
