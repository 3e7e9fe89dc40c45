#include "rules/glob.hpp"

#include <retry_exec/rules.hpp>

#include <algorithm>

namespace retry_exec {

namespace {

constexpr std::string_view general_set = "generic";
constexpr std::size_t longest_host = 255;

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
  std::string host(word);
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return host;
}

// Hosts in the order in which they are named; "--output=type=image,name=ghcr.io/o/r" names one.
std::vector<std::string> hosts_among(std::span<const std::string> arguments) {
  std::vector<std::string> hosts;
  for (const std::string& argument : arguments) {
    for (std::string_view rest = argument; !rest.empty();) {
      const std::size_t end = rest.find_first_of("=, \t\n\"'`;|&()<>");
      const std::string host = host_of(rest.substr(0, end));
      if (!host.empty() && std::find(hosts.begin(), hosts.end(), host) == hosts.end()) {
        hosts.push_back(host);
      }
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }
  return hosts;
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

std::vector<std::string> pick_rule_sets(std::span<const std::string> command) {
  std::vector<std::string> picked;
  for (const std::string& host : hosts_among(command.empty() ? command : command.subspan(1))) {
    add_sets(picked, host, &BuiltinSet::hosts);
  }
  const std::size_t by_host = picked.size();
  const std::vector<std::string> names = command_names(command);
  for (const std::string& name : names) add_sets(picked, name, &BuiltinSet::commands);
  const bool all_known = names.size() == 1 && picked.size() > by_host;
  if (!all_known) picked.emplace_back(general_set);
  return picked;
}

}  // namespace retry_exec
