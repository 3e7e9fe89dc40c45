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
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace retry_exec {
namespace {

constexpr std::string_view program = "retry-exec";
constexpr std::string_view prefix = "RETRY_EXEC";
constexpr std::string_view usage =
    "Usage: retry-exec [options] [--] COMMAND [ARG…]\n"
    "       retry-exec [options] -c SCRIPT [ARG…]\n";

// Usually no variable stands for an option, which one pass over the environment tells faster than
// a look-up for each option.
bool has_option_variables() {
  const auto ours = [](const char* entry) {
    return std::string_view(entry).starts_with("RETRY_EXEC_");
  };
  char** end = environ;
  while (*end != nullptr) ++end;
  return std::any_of(environ, end, ours);
}

std::string help() {
  return std::string(usage) +
         "Runs COMMAND, and runs it again after a wait when it fails. With --rules, only what the\n"
         "rules know to pass by itself is tried again; every other failure stops at once. The "
         "exit\n"
         "code is the command's own.\n\n"
         "  retry-exec -- curl -fsS URL\n"
         "  retry-exec --rules ghcr -- oras cp SRC DST\n\nOptions:\n" +
         option_table(retry_exec_options()) +
         "\nDurations: 500ms, 2.5s, 1h30m, 5min, 2d, 1w; a bare number is seconds. none or 0 "
         "switches a\n"
         "time limit off, also one of a rule file.\n\n"
         "Each long option but command, help and version has an environment variable:\n"
         "RETRY_EXEC_MAX_DELAY stands for --max-delay. RETRY_EXEC_RULES takes several rule sets,\n"
         "separated by commas or spaces.\n\n"
         "Exit codes:\n" +
         exit_code_table;
}

// The options that were given, as they were: whatever changes what happens is among them.
std::string options_given(const CommandLine& line, const Redactor& redactor) {
  std::string text;
  for (const OptionDefinition& option : retry_exec_options()) {
    if (option.name == "dry-run") continue;
    for (const Given& given : line.all(option.name)) {
      std::string shown = given.where;
      if (!given.where.starts_with("--")) {
        shown += "=" + given.value;
      } else if (!option.argument.empty()) {
        shown += " " + given.value;
      }
      text += "  " + redactor(shown) + "\n";
    }
  }
  return text.empty() ? "" : "options:\n" + text;
}

// Classes of failure whose policy is not that of the run.
std::string class_policies(const RetryOptions& options, ChosenRules& rules) {
  const Policy base = policy_in_force(options, {});
  std::map<std::string, Policy> classes;  // the earlier set's word counts
  if (rules.empty()) return {};
  for (const RuleSet& set : rules.classifier().sets()) {
    for (const auto& [name, treatment] : set.classes) {
      if (treatment.retry) {
        classes.emplace(name, policy_in_force(options, layered(treatment.policy, set.policy)));
      }
    }
  }
  std::string text;
  for (const auto& [name, policy] : classes) {
    if (policy != base) text += "  " + name + ": " + describe(policy) + "\n";
  }
  return text;
}

// What would be run, and under which policy.
std::string plan(const CommandLine& line, const Settings& settings, ChosenRules& rules) {
  const std::vector<std::string> words = words_of(settings);
  const Redactor redactor(words, environ);
  const RetryOptions options = retry_options(settings, rules);
  std::string notes;
  for (const std::string& note : settings.notes) notes += "note: " + printable(note) + "\n";
  return "command: " + redactor.command(settings.command) +
         "\nrules: " + (rules.empty() ? "none" : rules.names()) +
         "\npolicy: " + describe(policy_in_force(options, {})) + "\n" +
         class_policies(options, rules) + "a failure that no rule knows: " +
         (options.retry_unmatched ? "is retried" : "stops the run") + "\n" +
         options_given(line, redactor) + notes;
}

int run(std::span<char* const> arguments) {
  const pid_t parent = ::getppid();
  const bool variables = has_option_variables();
  const Environment none = [](const std::string&) { return nullptr; };
  const auto line = read_command_line(retry_exec_options(), arguments, prefix,
                                      variables ? Environment(from_environment) : none);
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
  if (variables) settings->notes = unknown_variables(retry_exec_options(), prefix, environ);
  if (settings->dry_run) return print(program, plan(*line, *settings, *rules));
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
