// What retry-publish was asked to do.
#pragma once

#include "command_line.hpp"

#include <retry_exec/publish.hpp>
#include <retry_exec/quantity.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace retry_exec {

// What stands for a plan of one target on the command line.
struct PlainTarget {
  std::string digests;  // a folder
  std::vector<std::string> metadata;
  std::string repository;
  std::vector<std::string> tags;
  std::vector<std::string> platforms;
  std::string metadata_action;
};

struct PublishSettings {
  std::string plan;  // a file; empty: `plain` stands for it
  std::optional<PlainTarget> plain;
  bool print_plan = false;
  std::optional<std::string> digests_file;
  publish::Selection selection;
  unsigned jobs = 8;
  std::optional<Duration> deadline;
  std::optional<std::string> report;
  std::optional<std::string> summary;
  std::string log = "auto";
  std::optional<std::uint64_t> seed;
  bool dry_run = false;
  bool matrix = false;
  bool quiet = false;
  unsigned verbose = 0;
};

// The table of options, as --help prints it.
std::span<const OptionDefinition> retry_publish_options();

// The exit codes, as --help and README.md show them.
extern const char* const publish_exit_code_table;

// The plan that a plain target stands for.
std::string plan_text(const PlainTarget& plain);

// Checks every value; all errors at once, each with the option or variable that it came from.
Result<PublishSettings, Errors> publish_settings_from(const CommandLine& line);

}  // namespace retry_exec
