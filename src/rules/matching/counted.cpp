#include "rules/matching/counted.hpp"

#include <algorithm>
#include <vector>

namespace retry_exec::rules {

namespace {

constexpr std::string_view counter = "(?C)";

// Takes items of a pattern off its front.
class Items {
 public:
  explicit Items(std::string_view pattern) : rest_(pattern) {}

  bool done() const { return rest_.empty(); }
  std::string_view take(std::size_t length) {
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  bool starts_with(std::string_view text) const { return rest_.starts_with(text); }
  // Behind "(?".
  bool looks_around() const {
    return starts_with("=") || starts_with("!") || starts_with("<=") || starts_with("<!");
  }

  // A quoted text, an escape, a class, or one byte.
  std::string_view item() {
    if (starts_with("\\Q")) return take_past("\\E", 2);
    if (starts_with("\\c")) return take(3);
    if (starts_with("\\")) return take(2);
    if (starts_with("[")) return take(class_length());
    if (starts_with("(?#")) return take_past(")", 3);
    return take(starts_with("(?") ? 2 : 1);
  }

  std::string_view quantifier() {
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

 private:
  std::string_view take_past(std::string_view end, std::size_t from) {
    const std::size_t found = rest_.find(end, from);
    return take(found == std::string_view::npos ? rest_.size() : found + end.size());
  }

  std::size_t class_length() const {
    std::size_t at = starts_with("[^") ? 2 : 1;
    for (bool first = true; at < rest_.size() && (first || rest_[at] != ']'); first = false) {
      const bool named = rest_.substr(at).starts_with("[:");
      const std::size_t end = named ? rest_.find(":]", at) : std::string_view::npos;
      at = end != std::string_view::npos ? end + 2 : at + (rest_[at] == '\\' ? 2 : 1);
    }
    return std::min(at + 1, rest_.size());
  }

  std::string_view rest_;
};

}  // namespace

std::string with_counters(std::string_view pattern) {
  if (pattern.find("(*") != std::string_view::npos) return {};
  std::string counted;
  std::vector<bool> simple;  // by open group: a look around at what takes no time
  Items items(pattern);
  while (!items.done()) {
    const std::string_view item = items.item();
    const bool group = item == "(" || item == "(?";
    const bool opens = group || item == "|" || item.starts_with("(?#");
    const std::string_view quantifier = opens ? std::string_view() : items.quantifier();
    const bool runs_on = quantifier.find_first_of("*+,") != std::string_view::npos;
    if (group || !quantifier.empty()) simple.assign(simple.size(), false);
    if (group) simple.push_back(item == "(?" && items.looks_around());
    bool closes_simple = false;
    if (item == ")" && !simple.empty()) {
      closes_simple = simple.back();
      simple.pop_back();
    }
    if (runs_on && item != ")") counted += counter;
    counted += item;
    counted += quantifier;
    if ((item == ")" && !closes_simple) || !quantifier.empty()) counted += counter;
  }
  return counted;
}

}  // namespace retry_exec::rules
