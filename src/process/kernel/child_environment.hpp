// The environment of a child: ours, with the command's changes on top.
#pragma once

#include <retry_exec/process.hpp>

#include <string>
#include <vector>

namespace retry_exec {

class ChildEnvironment {
 public:
  explicit ChildEnvironment(const Command& command);

  // As execve(2) wants it; valid as long as this and our own environment are unchanged.
  const char* const* entries() const { return entries_.data(); }

 private:
  std::vector<std::string> changed_;
  std::vector<const char*> entries_;
};

}  // namespace retry_exec
