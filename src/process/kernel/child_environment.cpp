#include "child_environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace retry_exec {

ChildEnvironment::ChildEnvironment(const Command& command) {
  const auto goes = [&command](std::string_view name) {
    const auto& set = command.environment;
    const auto& unset = command.unset;
    return std::any_of(set.begin(), set.end(), [name](const auto& s) { return s.first == name; }) ||
           std::find(unset.begin(), unset.end(), name) != unset.end();
  };
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!goes(text.substr(0, text.find('=')))) entries_.push_back(*entry);
  }
  changed_.reserve(command.environment.size());  // pointers into it must stay good
  for (const auto& [name, value] : command.environment) {
    changed_.emplace_back(name).append("=").append(value);
    entries_.push_back(changed_.back().c_str());
  }
  entries_.push_back(nullptr);
}

}  // namespace retry_exec
