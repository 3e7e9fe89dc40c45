// What retry-publish was asked to do.
#pragma once

#include "main/program.hpp"
#include "main/publish/plain_target.hpp"

#include <retry_exec/publish_plan.hpp>
#include <retry_exec/quantity.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace retry_exec {

struct PublishSettings : OutputSettings {
  std::string plan;  // a file; empty: `plain` stands for it
  PlainTarget plain;
  bool print_plan = false;
  std::optional<std::string> digests_file;
  publish::plan::Selection selection;
  unsigned jobs = 16;
  std::optional<Duration> deadline;
  std::vector<std::string> notes;  // what the user should know of the environment
  bool dry_run = false;
  bool matrix = false;
};

// The exit codes, as --help and README.md show them.
extern const char* const publish_exit_code_table;

// Declares the options, each with what it sets.
void declare(CommandLine& line, PublishSettings& settings);

}  // namespace retry_exec
