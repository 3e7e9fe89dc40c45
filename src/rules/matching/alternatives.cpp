#include "rules/matching/alternatives.hpp"

#include "rules/matching/items.hpp"

namespace retry_exec::rules {

namespace {

// Shorter ones are as quickly tried together, and would take many times the room of their text.
constexpr std::size_t shortest_on_average = 8;

constexpr std::string_view ignore_case = "(?i)";

// Behind "(?": whether nothing in the group depends on what stands before it, nor the other way
// round. Options that end with the group do not, those at the top go on into what follows.
bool stands_alone(const Items& items, std::size_t depth) {
  for (const std::string_view sign : {":", "=", "!", "<", ">", "'", "P<"}) {
    if (items.starts_with(sign)) return true;
  }
  const std::size_t end = items.rest().find_first_not_of("im-");
  if (end == std::string_view::npos || end == 0) return false;
  return items.rest()[end] == ':' || (items.rest()[end] == ')' && depth > 0);
}

// Groups are counted from the beginning of the whole pattern; and \K moves where a match begins, by
// which the first of several is told.
bool binds_to_the_whole(std::string_view item) {
  return item.size() > 1 && item[0] == '\\' &&
         std::string_view("123456789gkK").find(item[1]) != std::string_view::npos;
}

}  // namespace

Alternatives alternatives_of(std::string_view pattern) {
  const Alternatives together{.sources = {pattern}, .ignore_case = false};
  Alternatives apart;
  std::string_view rest = pattern;
  apart.ignore_case = rest.starts_with(ignore_case);
  if (apart.ignore_case) rest.remove_prefix(ignore_case.size());
  std::size_t depth = 0;
  std::size_t begin = 0;
  for (Items items(rest); !items.done();) {
    const std::size_t at = rest.size() - items.rest().size();
    const std::string_view item = items.item();
    if (binds_to_the_whole(item) || (item == "(" && items.starts_with("*"))) return together;
    if (item == "(?" && !stands_alone(items, depth)) return together;
    if (item == "(" || item == "(?") ++depth;
    if (item == ")" && depth > 0) --depth;
    if (item != "|" || depth > 0) continue;
    apart.sources.push_back(rest.substr(begin, at - begin));
    begin = at + 1;
  }
  apart.sources.push_back(rest.substr(begin));
  if (apart.sources.size() * shortest_on_average > rest.size()) return together;
  return apart;
}

}  // namespace retry_exec::rules
