#include "rules/matching/rarity.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace retry_exec::rules {

namespace {

// How rare a byte is in logs, in bits, roughly.
constexpr auto bits_of = [] {
  std::array<std::uint8_t, 256> bits{};
  bits.fill(6);
  for (const char c : std::string_view("etaoinsrETAOINSR0123456789")) {
    bits[static_cast<unsigned char>(c)] = 4;
  }
  bits[' '] = 2;
  return bits;
}();

bool is_letter(char c) {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// Words that logs are full of.
bool is_everywhere(std::string_view literal) {
  constexpr std::array<std::string_view, 21> words = {
      "error", "errors", "http",       "https",   "status",   "failed",  "fail",
      "code",  "server", "connection", "request", "response", "message", "level",
      "time",  "from",   "registry",   "warning", "with",     "the",     "bytes"};
  while (!literal.empty() && !is_letter(literal.front())) literal.remove_prefix(1);
  while (!literal.empty() && !is_letter(literal.back())) literal.remove_suffix(1);
  const auto same = [](char a, char b) { return a == (b | 0x20); };
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return word.size() == literal.size() &&
           std::equal(word.begin(), word.end(), literal.begin(), same);
  });
}

}  // namespace

int rarity_of(std::string_view literal) {
  int bits = 0;
  for (const char c : literal) bits += bits_of[static_cast<unsigned char>(c)];
  return is_everywhere(literal) ? std::min(bits, 9) : std::min(bits, 40);
}

}  // namespace retry_exec::rules
