// retry-exec: runs a command, and runs it again when its failure is one that passes by itself.
//
// This file reads options, wires the rooms and returns the exit code; the codes are in
// exit_code_table (retry_exec_options.cpp), which --help prints and README.md shows.
#include "chosen_rules.hpp"
#include "command_line.hpp"
#include "retry_exec_options.hpp"
#include "runner.hpp"

#include <retry_exec/report.hpp>
#include <retry_exec/write.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace retry_exec {
namespace {

constexpr std::string_view program = "retry-exec";
constexpr std::string_view usage =
    "Usage: retry-exec [options] [--] COMMAND [ARG…]\n"
    "       retry-exec [options] -c SCRIPT [ARG…]\n";

// The variables that stand for options. Usually there is none, which one pass over the environment
// tells faster than a look-up for each option.
Environment option_variables() {
  const auto ours = [](const char* entry) {
    return std::string_view(entry).starts_with("RETRY_EXEC_");
  };
  char** end = environ;
  while (*end != nullptr) ++end;
  if (std::none_of(environ, end, ours)) return [](const std::string&) { return nullptr; };
  return from_environment;
}

std::string help() {
  return std::string(usage) +
         "Runs COMMAND, and runs it again after a wait when rules say that its failure passes by\n"
         "itself. Every other failure stops at once, with the command's own exit code.\n\n"
         "  retry-exec --rules ghcr -- oras cp SRC DST\n\nOptions:\n" +
         option_table(retry_exec_options()) +
         "\nDurations: 500ms, 2.5s, 1h30m, a bare number is seconds. Each long option but "
         "command,\n"
         "help and version has an environment variable: RETRY_EXEC_MAX_DELAY stands for "
         "--max-delay.\n\n"
         "Exit codes:\n" +
         exit_code_table;
}

// What would be run, and under which policy.
std::string plan(const Settings& settings, const ChosenRules& rules) {
  const std::vector<std::string> words = words_of(settings);
  const Redactor redactor(words, environ);
  const std::string hook = settings.before_retry ? "\nbefore each retry: " +
                                                       redactor.command(std::array<std::string, 3>{
                                                           "/bin/sh", "-c", *settings.before_retry})
                                                 : "";
  const Policy policy = policy_from(layered(settings.policy, rules.policy));
  return "command: " + redactor.command(settings.command) +
         "\nrules: " + (rules.empty() ? "none" : rules.names()) + "\npolicy: " + describe(policy) +
         hook + "\n";
}

int run(std::span<char* const> arguments) {
  const pid_t parent = ::getppid();
  const auto line =
      read_command_line(retry_exec_options(), arguments, "RETRY_EXEC", option_variables());
  if (!line) return fail(program, line.error());
  if (line->on("help")) return print(program, help());
  if (line->on("version")) return print(program, "retry-exec " RETRY_EXEC_VERSION "\n");
  if (line->operands.empty() && !line->on("command")) {
    write_all(STDERR_FILENO, std::string("retry-exec: no command given\n") + std::string(usage) +
                                 "Try 'retry-exec --help'.\n");
    return exit_code::own_failure;
  }
  const char* github = from_environment("GITHUB_ACTIONS");
  auto settings = settings_from(*line, github == nullptr ? "" : github);
  if (!settings) return fail(program, settings.error());
  auto rules = ChosenRules::open(settings->rules, settings->command);
  if (!rules) return fail(program, rules.error());
  if (settings->dry_run) return print(program, plan(*settings, *rules));
  settings->parent = parent;
  Runner runner(std::move(*settings), std::move(*rules));
  // Nothing is buffered, and the kernel tidies up faster than destructors do.
  std::_Exit(runner.run());
}

}  // namespace
}  // namespace retry_exec

int main(int count, char** words) {
  return retry_exec::run_program(retry_exec::program, retry_exec::run, count, words);
}
