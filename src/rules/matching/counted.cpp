#include "rules/matching/counted.hpp"

#include "rules/matching/items.hpp"

#include <vector>

namespace retry_exec::rules {

namespace {

constexpr std::string_view counter = "(?C)";

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
