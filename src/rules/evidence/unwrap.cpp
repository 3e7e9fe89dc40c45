#include "rules/evidence/evidence.hpp"

#include <algorithm>

namespace retry_exec::rules {

namespace {

// Terraform breaks at 78 columns, its box included; most others at 80.
constexpr std::size_t widest = 80;
constexpr std::size_t narrowest = 75;

std::string_view first_word(std::string_view line) {
  return line.substr(0, line.find_first_of(" \t"));
}

// How many columns the text takes, near enough: UTF-8's continuation bytes take none.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// Neither a capital nor a time stamp.
bool goes_on(std::string_view line) {
  constexpr std::string_view digits = "0123456789";
  const std::string_view word = first_word(line);
  if (word.empty()) return false;
  if (digits.find(word.front()) != std::string_view::npos) {
    return word.find_first_not_of(digits) == std::string_view::npos;
  }
  return std::string_view("abcdefghijklmnopqrstuvwxyz\"'(/").find(word.front()) !=
         std::string_view::npos;
}

// "fatal:" and "java.io.IOException:" begin a message, and so does whatever the line before began
// with.
bool begins_message(std::string_view line, std::string_view before) {
  const std::string_view word = first_word(line);
  if (word == first_word(before)) return true;
  constexpr std::string_view of_names =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.$-_:";
  return word.ends_with(':') && word.find_first_not_of(of_names) == std::string_view::npos;
}

// Did a tool break a line of text between `line` and `next`? It does so where the next word would
// not have found room.
bool broken_between(std::string_view line, std::string_view next) {
  if (line.empty() || next.empty() || line.size() > 4 * widest) return false;
  if (line.size() + 1 + next.size() <= narrowest) return false;  // at a glance
  if (!goes_on(next) || line.front() == ' ' || line.back() == '.') return false;
  if (begins_message(next, line)) return false;
  const std::size_t width = columns(line);
  return width <= widest && width + 1 + columns(first_word(next)) > narrowest;
}

}  // namespace

void unwrap(std::string& text) {
  constexpr std::size_t longest = 4096;  // nobody writes a paragraph that long
  std::size_t first = 0;                 // where what is joined begins
  std::size_t begin = 0;
  std::size_t end = text.find('\n');
  while (end != std::string::npos && end + 1 < text.size()) {
    const std::string_view all = text;
    const std::size_t next_end = all.find('\n', end + 1);
    const std::string_view next = all.substr(end + 1, next_end - end - 1);
    if (end - first < longest && broken_between(all.substr(begin, end - begin), next)) {
      text[end] = ' ';
    } else {
      first = end + 1;
    }
    begin = end + 1;
    end = next_end;
  }
}

}  // namespace retry_exec::rules
