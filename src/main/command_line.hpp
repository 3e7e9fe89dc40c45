// Reading options, for all programs alike: the command line, then the environment.
#pragma once

#include <retry_exec/error.hpp>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

// One option. Together they are the table that --help prints and that README.md shows.
struct OptionDefinition {
  std::string_view name;      // "max-delay"
  char letter = 0;            // 'm', or 0
  std::string_view argument;  // "DUR"; empty: a switch
  std::string_view help;
  bool repeatable = false;  // each value counts; its variable holds several: "ghcr, ours.yaml"
};

// An option's value, and where it was said: "--max-delay" or "RETRY_EXEC_MAX_DELAY".
struct Given {
  std::string value;
  std::string where;
};

class CommandLine {
 public:
  // The last value of an option; a switch that is on has the value "true".
  const Given* find(std::string_view name) const;
  bool on(std::string_view name) const { return find(name) != nullptr; }
  // All values, in order; of a switch, as many as it was given.
  std::span<const Given> all(std::string_view name) const;

  std::vector<std::string> operands;  // what follows the options, byte for byte
  std::map<std::string, std::vector<Given>, std::less<>> given;
};

using Environment = std::function<const char*(const std::string&)>;

// Reads `arguments` (without the program's name) up to the first operand or "--". Options that are
// not given there are looked up in the environment as PREFIX_NAME: "RETRY_EXEC_MAX_DELAY" (but for
// help, version and command). All errors at once; an unknown option names the nearest known one.
Result<CommandLine, Errors> read_command_line(std::span<const OptionDefinition> options,
                                              std::span<char* const> arguments,
                                              std::string_view prefix,
                                              const Environment& environment);

// A line for each variable of `environment` that looks like an option's and is none, with the
// nearest one. Within a retry-exec, what it sets for its command is known.
std::vector<std::string> unknown_variables(std::span<const OptionDefinition> options,
                                           std::string_view prefix, const char* const* environment);

// The variable `name` of our own environment; nullptr when it is unset.
const char* from_environment(const std::string& name);

// Tells errors of ours on stderr, behind the program's name. Returns exit_code::own_failure.
int fail(std::string_view program, const Errors& errors);

// What main() of a program that runs commands does: protects the standard streams and runs `run`
// with the arguments behind the program's name. Where the system has no descriptor left for us,
// that is said.
int run_program(std::string_view program, int (*run)(std::span<char* const> arguments), int count,
                char** words);

// Prints what was asked for in place of a run: help, a version, a plan. Returns the exit code.
int print(std::string_view program, std::string_view text);

// "  -m, --max-delay DUR   longest wait (32s)", one line or more each.
std::string option_table(std::span<const OptionDefinition> options);

}  // namespace retry_exec
