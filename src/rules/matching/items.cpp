#include "rules/matching/items.hpp"

#include <algorithm>

namespace retry_exec::rules {

std::string_view Items::take(std::size_t length) {
  const std::string_view taken = rest_.substr(0, length);
  rest_.remove_prefix(taken.size());
  return taken;
}

std::string_view Items::item() {
  if (starts_with("\\Q")) return take_past("\\E", 2);
  if (starts_with("\\c")) return take(3);
  if (starts_with("\\")) return take(2);
  if (starts_with("[")) return take(class_length());
  if (starts_with("(?#")) return take_past(")", 3);
  return take(starts_with("(?") ? 2 : 1);
}

std::string_view Items::quantifier() {
  std::size_t length = 0;
  if (!rest_.empty() && std::string_view("*+?").find(rest_.front()) != std::string_view::npos) {
    length = 1;
  } else if (starts_with("{")) {
    const std::size_t end = rest_.find_first_not_of("0123456789, ", 1);
    if (end == 1 || end == std::string_view::npos || rest_[end] != '}') return {};
    length = end + 1;
  }
  if (length > 0 && length < rest_.size() && (rest_[length] == '?' || rest_[length] == '+'))
    ++length;
  return take(length);
}

std::string_view Items::take_past(std::string_view end, std::size_t from) {
  const std::size_t found = rest_.find(end, from);
  return take(found == std::string_view::npos ? rest_.size() : found + end.size());
}

std::size_t Items::class_length() const {
  std::size_t at = starts_with("[^") ? 2 : 1;
  for (bool first = true; at < rest_.size() && (first || rest_[at] != ']'); first = false) {
    const bool named = rest_.substr(at).starts_with("[:");
    const std::size_t end = named ? rest_.find(":]", at) : std::string_view::npos;
    at = end != std::string_view::npos ? end + 2 : at + (rest_[at] == '\\' ? 2 : 1);
  }
  return std::min(at + 1, rest_.size());
}

}  // namespace retry_exec::rules
