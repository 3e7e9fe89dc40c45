// retry-publish: publishes images as a plan says, through oras and soci.
//
// This file reads options, wires the rooms and returns the exit code; the codes are in
// publish_exit_code_table (retry_publish_options.cpp), which --help prints and README.md shows.
#include "command_line.hpp"
#include "publisher.hpp"
#include "retry_publish_options.hpp"

#include <retry_exec/publish.hpp>
#include <retry_exec/redact.hpp>

#include <unistd.h>

#include <algorithm>
#include <vector>

namespace retry_exec {
namespace {

constexpr std::string_view program = "retry-publish";
constexpr std::string_view usage =
    "Usage: retry-publish [options] PLAN\n"
    "       retry-publish [options] --digests FOLDER --repository NAME --tag TAG\n";

std::string help() {
  return std::string(usage) +
         "Publishes images as PLAN (YAML) says: waits until manifests that were pushed by digest\n"
         "are readable, creates their index, converts it for SOCI where asked, copies it to its\n"
         "tags and verifies them. A registry that lags, throttles or fails is waited for.\n\n"
         "Options:\n" +
         option_table(retry_publish_options()) +
         "\nDurations: 500ms, 2.5s, 1h30m, a bare number is seconds. Each long option but help "
         "and\n"
         "version has an environment variable: RETRY_PUBLISH_JOBS stands for --jobs. ORAS and "
         "SOCI\n"
         "name the tools where the plan does not.\n\nExit codes:\n" +
         publish_exit_code_table;
}

int print_commands(const publish::Plan& plan) {
  const Redactor redact;
  std::string text;
  for (const publish::Target& target : plan.targets) {
    for (const publish::PlannedCommand& command : publish::planned_commands(plan, target)) {
      text += printable(target.name) + ": " + std::string(to_string(command.phase)) + ": " +
              redact.command(command.argv) + "\n";
    }
  }
  return print(program, text);
}

// Options may stand behind the plan, too.
Result<CommandLine, Errors> read_arguments(std::span<char* const> arguments) {
  const auto read = [](std::span<char* const> words) {
    return read_command_line(retry_publish_options(), words, "RETRY_PUBLISH", from_environment);
  };
  auto line = read(arguments);
  if (!line || line->operands.size() < 2) return line;
  const std::size_t plan = arguments.size() - line->operands.size();
  std::vector<char*> plan_last(arguments.begin(), arguments.end());
  std::rotate(plan_last.begin() + static_cast<std::ptrdiff_t>(plan),
              plan_last.begin() + static_cast<std::ptrdiff_t>(plan) + 1, plan_last.end());
  return read(plan_last);
}

int run(std::span<char* const> arguments) {
  const auto line = read_arguments(arguments);
  if (!line) return fail(program, line.error());
  if (line->on("help")) return print(program, help());
  if (line->on("version")) {
    return print(program, "retry-publish " RETRY_EXEC_VERSION "\n");
  }
  const auto settings = publish_settings_from(*line);
  if (!settings) return fail(program, settings.error());
  if (settings->print_plan) return print(program, plan_text(*settings->plain));
  auto whole = settings->plain ? publish::read_plan(plan_text(*settings->plain), from_environment)
                               : publish::load_plan(settings->plan, from_environment);
  if (!whole) return fail(program, whole.error());
  const auto plan = publish::select_targets(std::move(*whole), settings->selection);
  if (!plan) return fail(program, plan.error());
  auto rule_set = publish_rules(*plan);
  if (!rule_set) return fail(program, rule_set.error());
  if (settings->matrix) {
    return print(program, publish::matrix(*plan) + "\n");
  }
  if (settings->dry_run) return print_commands(*plan);
  std::vector<RuleSet> rules;
  rules.push_back(std::move(*rule_set));
  return Publisher(*settings, *plan, Classifier(std::move(rules))).run();
}

}  // namespace
}  // namespace retry_exec

int main(int count, char** words) {
  return retry_exec::run_program(retry_exec::program, retry_exec::run, count, words);
}
