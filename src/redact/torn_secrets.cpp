#include "redact/torn_secrets.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec::redact {

namespace {

constexpr std::size_t shortest = 8;
constexpr std::size_t longest = 4096;  // as of all that is shown

bool is_lower_case(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper_case(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_of_a_word(char c) {
  return (c >= '0' && c <= '9') || is_lower_case(c) || is_upper_case(c);
}

// A word or a number: postgres of postgres123. Such a half stands in texts that know nothing of the
// secret, and hidden there it would tell what the secret begins with. Letters that were drawn at
// random change their case more often than a word does.
bool is_plain(std::string_view half) {
  constexpr std::string_view digits = "0123456789";
  constexpr std::size_t longest_word = 15;
  if (half.size() > longest_word) return false;
  if (half.find_first_not_of(digits) == std::string_view::npos) return true;
  if (half.find_first_of(digits) != std::string_view::npos) return false;
  int rises = 0;
  for (std::size_t i = 1; i < half.size(); ++i) {
    if (is_lower_case(half[i - 1]) && is_upper_case(half[i])) ++rises;
  }
  return rises < 2;
}

// Where a secret parts into words of its own, such as a host, either may stand in any text.
bool is_torn(std::string_view half, char last_before, char first_behind) {
  if (is_plain(half)) return false;
  const bool within_a_word = is_of_a_word(last_before) && is_of_a_word(first_behind);
  return within_a_word ||
         (text::is_no_word(half) && half.find_first_of("/:@. \"'{}") == std::string_view::npos);
}

}  // namespace

std::size_t torn_at_start(std::string_view text, std::string_view secret) {
  if (text.size() < shortest) return 0;
  const std::size_t first = secret.size() - std::min(secret.size(), longest);
  for (std::size_t at = secret.find(text[0], std::max<std::size_t>(first, 1));
       at != std::string_view::npos; at = secret.find(text[0], at + 1)) {
    const std::string_view half = secret.substr(at);
    if (half.size() < shortest) return 0;
    if (text.starts_with(half) && is_torn(half, secret[at - 1], half.front())) return half.size();
  }
  return 0;
}

std::size_t torn_at_end(std::string_view text, std::string_view secret) {
  if (text.size() < shortest) return 0;
  for (std::size_t size = std::min({secret.size() - 1, text.size(), longest}); size >= shortest;
       --size) {
    if (secret[size - 1] != text.back()) continue;
    const std::string_view half = secret.substr(0, size);
    if (text.ends_with(half) && is_torn(half, half.back(), secret[size])) return size;
  }
  return 0;
}

}  // namespace retry_exec::redact
