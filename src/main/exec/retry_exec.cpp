// retry-exec: runs a command, and runs it again when its failure is one that passes by itself.
//
// This file reads options, wires the rooms and returns the exit code; the codes are in
// exit_code_table (retry_exec_options.cpp), which --help prints and README.md shows.
#include "main/chosen_rules.hpp"
#include "main/exec/retry_exec_options.hpp"
#include "main/exec/retry_options.hpp"
#include "main/exec/runner.hpp"
#include "main/pages/manual_text.hpp"

#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>
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

Help help() {
  return {
      .usage =
          "Usage: retry-exec [options] [--] COMMAND [ARG…]\n"
          "       retry-exec [options] -c SCRIPT [ARG…]\n",
      .about =
          "Runs COMMAND, and runs it again after a wait when it fails. With --rules, only what "
          "the\n"
          "rules know to be temporary is tried again; every other failure stops at once. The "
          "exit\n"
          "code is the command's own.\n\n"
          "  retry-exec -- curl -fsS URL\n"
          "  retry-exec --rules ghcr -- oras cp SRC DST\n",
      .behind =
          std::string(
              "Durations: 500ms, 2.5s, 1h30m, 5min, 2d, 1w; a bare number is seconds. none or 0 "
              "switches\n"
              "the limit of a time-out, --deadline or --max-delay off, also one of a rule file.\n\n"
              "Each long option but command, help and version has an environment variable:\n"
              "RETRY_EXEC_MAX_DELAY stands for --max-delay. RETRY_EXEC_RULES takes several rule "
              "sets,\n"
              "separated by commas or spaces.\n\n"
              "Exit codes:\n") +
          exit_code_table,
      .purpose = "run a command, and run it again when its failure passes by itself",
      .more = retry_exec_manual};
}

// The options that were given, as they were: whatever changes what happens is among them.
std::string options_given(const CommandLine& line, const Redactor& redactor) {
  std::string text;
  for (const Given& given : line.all_given()) {
    if (given.where == "--dry-run") continue;
    const std::string sign = given.value.empty() ? "" : given.by_option() ? " " : "=";
    text += "  " + redactor(given.where + sign + given.value) + "\n";
  }
  return text.empty() ? "" : "options:\n" + text;
}

// Classes of failure whose policy is not that of the run.
std::string class_policies(const RetryOptions& options, ChosenRules& rules) {
  const Policy base = policy_in_force(options, {});
  std::map<std::string, Policy> classes;  // the earlier set's word counts
  if (rules.empty()) return {};
  for (const RuleSet& set : rules.classifier({}, {}).sets()) {
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
  for (const std::string& note : settings.notes) notes += "note: " + text::printable(note) + "\n";
  const std::string hook = !settings.before_retry
                               ? ""
                               : "before each retry: " +
                                     redactor.command(std::array<std::string, 3>{
                                         "/bin/sh", "-c", *settings.before_retry}) +
                                     "\n";
  return "command: " + redactor.command(settings.command) +
         "\nrules: " + (rules.empty() ? "none" : rules.names()) +
         "\npolicy: " + describe(policy_in_force(options, {})) + "\n" +
         class_policies(options, rules) + "a failure that no rule knows: " +
         (options.retry_unmatched ? "is retried" : "stops the run") + "\n" + hook +
         options_given(line, redactor) + notes;
}

// Neither the report nor the summary goes where something else is.
Errors wrong_outputs(const Settings& settings, const ChosenRules& rules) {
  std::vector<FileInUse> used;
  for (std::string& file : rules.files()) used.push_back({"a rule file", std::move(file)});
  Errors errors;
  if (settings.summary) {
    const auto safe = may_hold_summary(*settings.summary, used);
    if (!safe) errors.push_back(safe.error());
    used.push_back({"the file of --summary", *settings.summary});
  }
  if (settings.report) {
    const auto safe = may_be_replaced(settings.report->path, used);
    if (!safe) errors.push_back(safe.error());
  }
  return errors;
}

Result<ExitCode, Errors> run(const CommandLine& line, Settings& settings) {
  const Result<void, Errors> whole = complete(line, settings);
  if (!whole) return whole.error();
  auto rules = ChosenRules::open(settings.rules, settings.command);
  if (!rules) return rules.error();
  if (const Errors wrong = wrong_outputs(settings, *rules); !wrong.empty()) return wrong;
  if (settings.dry_run) return ExitCode{print(line.program(), plan(line, settings, *rules))};
  Runner runner(std::move(settings), std::move(*rules));
  // Nothing is buffered, and the kernel tidies up faster than destructors do.
  std::_Exit(runner.run());
}

}  // namespace
}  // namespace retry_exec

int main(int count, char** words) {
  using namespace retry_exec;
  protect_standard_streams();
  Settings settings;
  settings.parent = ::getppid();
  CommandLine line("retry-exec", CommandLine::Operands::last);
  declare(line, settings);
  return run_program(line, help(), &settings, count, words, [&] { return run(line, settings); });
}
