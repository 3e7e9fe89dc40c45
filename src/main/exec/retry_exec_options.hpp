// What retry-exec was asked to do.
#pragma once

#include "main/program.hpp"

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

struct Settings : OutputSettings {
  std::vector<std::string> command;
  std::optional<std::string> script;  // in place of a command
  std::vector<std::string> rules;     // names and paths, in order
  PolicyFields policy;                // from options and environment
  bool forever = false;
  CodeSet retry_on;
  CodeSet stop_on;
  std::optional<bool> retry_unmatched;
  std::optional<int> exhausted_code;
  std::optional<std::string> before_retry;  // a script
  bool accept_done = false;
  bool keep_step_files = false;
  int signal = 15;
  Duration drain_grace = AttemptOptions{}.drain_grace;
  Duration drain_limit = AttemptOptions{}.drain_limit;
  std::uint64_t capture_limit = AttemptOptions{}.capture_limit;
  bool replay_stdin = false;
  bool go_on_without_input = false;
  bool hold_stdout = false;
  bool hold_stderr = false;
  bool pseudo_terminal = false;
  bool end_with_parent = false;
  pid_t parent = 0;                          // of ours, at our start
  std::optional<std::string> github_output;  // the start of the outputs' names
  std::vector<std::string> notes;            // what the user should know of the environment
  bool dry_run = false;
  bool explain = false;
};

// All that the user wrote and that may hold secrets, for a Redactor.
std::vector<std::string> words_of(const Settings& settings);

// The exit codes, as --help and README.md show them.
extern const char* const exit_code_table;

// Declares the options, each with what it sets.
void declare(CommandLine& line, Settings& settings);

// What follows from several options, and from the operands, once they are read.
Result<void, Errors> complete(const CommandLine& line, Settings& settings);

}  // namespace retry_exec
