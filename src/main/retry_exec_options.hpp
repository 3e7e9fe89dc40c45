// What retry-exec was asked to do.
#pragma once

#include "command_line.hpp"

#include <retry_exec/policy.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/retry.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace retry_exec {

struct Settings {
  std::vector<std::string> command;
  std::vector<std::string> rules;  // names and paths, in order
  PolicyFields policy;             // from options and environment
  CodeSet retry_on;
  CodeSet stop_on;
  std::optional<bool> retry_unmatched;
  std::optional<int> exhausted_code;
  std::optional<std::string> before_retry;  // a script
  bool accept_done = false;
  bool keep_step_files = false;
  int signal = 15;
  Duration drain_grace{};
  Duration drain_limit{};
  std::uint64_t capture_limit = 0;
  bool replay_stdin = false;
  bool go_on_without_input = false;
  bool hold_stdout = false;
  bool hold_stderr = false;
  bool pseudo_terminal = false;
  bool end_with_parent = false;
  pid_t parent = 0;  // of ours, at our start
  std::optional<ReportTarget> report;
  std::optional<std::string> summary;
  std::optional<std::string> github_output;  // the start of the outputs' names
  LogFormat log = LogFormat::text;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> notes;  // what the user should know of the environment
  bool dry_run = false;
  bool explain = false;
  bool quiet = false;
  unsigned verbose = 0;
};

// All that the user wrote and that may hold secrets, for a Redactor.
std::vector<std::string> words_of(const Settings& settings);

// The table of options, as --help prints it.
std::span<const OptionDefinition> retry_exec_options();

// The exit codes, as --help and README.md show them.
extern const char* const exit_code_table;

// Checks every value; all errors at once, each with the option or variable that it came from.
// `github_actions` is that variable of the environment, by which --log auto decides.
Result<Settings, Errors> settings_from(const CommandLine& line, std::string_view github_actions);

}  // namespace retry_exec
