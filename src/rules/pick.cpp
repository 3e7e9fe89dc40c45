#include "rules/glob.hpp"

#include <retry_exec/rules.hpp>

#include <algorithm>
#include <set>

namespace retry_exec {

namespace {

constexpr std::string_view general_set = "generic";
constexpr std::size_t longest_host = 255;
constexpr std::size_t longest_look = std::size_t{64} << 10;  // a cause stands near the end

// The host of "docker://user@ghcr.io:443/o/r:tag".
std::string host_of(std::string_view word) {
  if (const auto scheme = word.find("://"); scheme != std::string_view::npos) {
    word.remove_prefix(scheme + 3);
  }
  word = word.substr(0, word.find('/'));
  if (const auto user = word.rfind('@'); user != std::string_view::npos)
    word.remove_prefix(user + 1);
  word = word.substr(0, word.find(':'));
  if (word.size() > longest_host || word.find('.') == std::string_view::npos) return {};
  while (word.ends_with('.')) word.remove_suffix(1);
  std::string host(word);
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return host;
}

constexpr std::string_view between_words = "=, \t\r\n\"'`<>()[]{};|&";

// Adds hosts in the order in which they are named; "--output=type=image,name=ghcr.io/o/r" names
// one.
void add_hosts(std::vector<std::string>& hosts, std::string_view text) {
  std::set<std::string> seen(hosts.begin(), hosts.end());
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(between_words);
    const std::string host = host_of(text.substr(0, end));
    if (!host.empty() && seen.insert(host).second) hosts.push_back(host);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

void add_sets(std::vector<std::string>& picked, std::string_view word,
              std::span<const std::string_view> BuiltinSet::*list) {
  for (const BuiltinSet& set : builtin_sets()) {
    const auto serves = [&](std::string_view glob) { return rules::glob_matches(glob, word); };
    const auto& globs = set.*list;
    if (std::any_of(globs.begin(), globs.end(), serves) &&
        std::find(picked.begin(), picked.end(), set.name) == picked.end()) {
      picked.emplace_back(set.name);
    }
  }
}

}  // namespace

std::vector<std::string> pick_rule_sets(std::span<const std::string> command,
                                        std::string_view printed) {
  std::vector<std::string> asked_for;
  for (const std::string& argument : command.empty() ? command : command.subspan(1)) {
    add_hosts(asked_for, argument);
  }
  std::vector<std::string> picked;
  for (const std::string& host : asked_for) add_sets(picked, host, &BuiltinSet::hosts);
  for (const std::string& name : command_names(command)) {
    add_sets(picked, name, &BuiltinSet::commands);
  }
  picked.emplace_back(general_set);
  std::vector<std::string> mentioned;
  add_hosts(mentioned, printed.substr(printed.size() - std::min(printed.size(), longest_look)));
  for (const std::string& host : mentioned) add_sets(picked, host, &BuiltinSet::hosts);
  return picked;
}

}  // namespace retry_exec
