// A plan of one target, said by options of retry-publish.
#pragma once

#include <retry_exec/error.hpp>

#include <string>
#include <vector>

namespace retry_exec {

struct PlainTarget {
  std::vector<std::string> digests;  // folders
  std::vector<std::string> metadata;
  std::string repository;
  std::vector<std::string> tags;
  std::vector<std::string> platforms;
  std::string metadata_action;

  bool has_sources() const { return !digests.empty() || !metadata.empty(); }
};

// What has to be said as well, if anything.
Errors missing_in(const PlainTarget& plain);

// The plan that it stands for.
std::string plan_text(const PlainTarget& plain);

// Errors of that plan, as read_plan() tells them, with the options in place of lines and columns.
Errors by_option(Errors errors, const PlainTarget& plain);

}  // namespace retry_exec
