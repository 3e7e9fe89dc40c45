// retry-publish: publishes images as a plan says, through oras and soci.
//
// This file reads options, wires the rooms and returns the exit code; the codes are in
// publish_exit_code_table (retry_publish_options.cpp), which --help prints and README.md shows.
#include "main/pages/manual_text.hpp"
#include "main/publish/outputs.hpp"
#include "main/publish/publisher.hpp"
#include "main/publish/retry_publish_options.hpp"

#include <retry_exec/publish_plan.hpp>
#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>

#include <unistd.h>

#include <algorithm>
#include <vector>

namespace retry_exec {
namespace {

Help help() {
  return {
      .usage =
          "Usage: retry-publish [options] PLAN\n"
          "       retry-publish [options] --digests FOLDER --repository NAME --tag TAG\n",
      .about =
          "Publishes images as PLAN (YAML) says: waits until manifests that were pushed by digest\n"
          "are readable, creates their index, converts it for SOCI where asked, copies it to its\n"
          "tags and verifies them. A registry that lags, throttles or fails is waited for.\n",
      .behind = std::string("Durations: 500ms, 2.5s, 1h30m, a bare number is seconds. Each long "
                            "option but help and\n"
                            "version has an environment variable: RETRY_PUBLISH_JOBS stands for "
                            "--jobs. ORAS and SOCI\n"
                            "name the tools where the plan does not.\n\nExit codes:\n") +
                publish_exit_code_table,
      .purpose = "publish container images as a plan says, through a registry that lags",
      .more = retry_publish_manual,
      .format_purpose = "plan of what retry-publish publishes",
      .format = plan_format};
}

// Of a shard that has nothing to do, as there are fewer targets than shards.
std::string nothing_in_shard(const publish::plan::Selection& selection) {
  return "shard " + std::to_string(selection.shard) + "/" + std::to_string(selection.shards) +
         " has no target: nothing is published";
}

// What cannot succeed counts as it does in a run.
ExitCode rehearsed(const CommandLine& line, const PublishSettings& settings,
                   const publish::plan::Plan& plan) {
  const Redactor redact({}, environ);
  std::string text;
  if (plan.targets.empty()) text = "# " + nothing_in_shard(settings.selection) + "\n";
  bool fails = false;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const publish::Rehearsal rehearsal = publish::rehearse(plan, i);
    const std::string name = text::printable(plan.targets[i].name) + ": ";
    for (const publish::RehearsedCommand& command : rehearsal.commands) {
      text +=
          name + std::string(to_string(command.phase)) + ": " + redact.command(command.argv) + "\n";
    }
    if (rehearsal.ends.empty()) continue;
    text += name + (rehearsal.fails ? "# fails: " : "# nothing is published: ") +
            redact(rehearsal.ends) + "\n";
    fails = fails || rehearsal.fails;
  }
  const int printed = print(line.program(), text);
  return ExitCode{printed == exit_code::success && fails ? 1 : printed};
}

// What would not be looked at, as it was given: whoever says which platforms there must be counts
// on it.
std::vector<std::string> said_beside_a_plan(const CommandLine& line,
                                            const PublishSettings& settings) {
  std::vector<std::string> said;
  for (const char* option :
       {"digests", "metadata", "repository", "tag", "platform", "metadata-action"}) {
    if (const Given* given = line.find(option)) said.push_back(given->where);
  }
  if (settings.print_plan) said.push_back(line.find("print-plan")->where);
  return said;
}

// A plan, or what stands for one.
Errors read_what_to_publish(const CommandLine& line, PublishSettings& settings) {
  if (line.operands.empty()) return missing_in(settings.plain);
  if (line.operands.size() > 1) {
    return Errors{{{}, "more than one plan given: '" + line.operands[1] + "'"}};
  }
  settings.plan = line.operands.front();
  if (settings.plan.empty()) {
    return Errors{{{}, "the plan's name is empty; is a variable set to nothing?"}};
  }
  const std::vector<std::string> idle = said_beside_a_plan(line, settings);
  if (idle.empty()) return {};
  return Errors{{{},
                 text::joined(idle) + (idle.size() == 1 ? " is" : " are") +
                     " for runs without a plan, not with '" + settings.plan + "'"}};
}

// What a run would refuse is not printed either: there may be a password in it.
Result<ExitCode, Errors> printed_plan(const CommandLine& line, const PlainTarget& plain) {
  const std::string text = plan_text(plain);
  const Errors errors = publish::plan::check_text(text);
  if (!errors.empty()) return by_option(errors, plain);
  return ExitCode{print(line.program(), text, Form::yaml)};
}

Result<ExitCode, Errors> run(const CommandLine& line, PublishSettings& settings) {
  if (const Errors errors = read_what_to_publish(line, settings); !errors.empty()) return errors;
  settings.notes = line.notes();
  const bool plain = settings.plan.empty();
  if (settings.print_plan) return printed_plan(line, settings.plain);
  auto whole = plain ? publish::plan::read_plan(plan_text(settings.plain), from_environment)
                     : publish::plan::load_plan(settings.plan, from_environment);
  if (!whole) return by_option(whole.error(), settings.plain);
  const auto plan = publish::plan::select_targets(std::move(*whole), settings.selection);
  if (!plan) return by_option(plan.error(), settings.plain);
  auto rule_set = publish_rules(*plan);
  if (!rule_set) return rule_set.error();
  if (settings.matrix)
    return ExitCode{print(line.program(), publish::plan::matrix(*plan) + "\n", Form::json)};
  if (plan->targets.empty()) settings.notes.push_back(nothing_in_shard(settings.selection));
  if (settings.dry_run) return rehearsed(line, settings, *plan);
  Errors wrong = publish::plan::check_registry_files(*plan);
  append(wrong, wrong_outputs(settings, *plan, *rule_set));
  if (!wrong.empty()) return wrong;
  for (std::string& note : notes_on_files(settings, *plan)) {
    settings.notes.push_back(std::move(note));
  }
  std::vector<RuleSet> rules;
  rules.push_back(std::move(*rule_set));
  return ExitCode{Publisher(settings, *plan, Classifier(std::move(rules))).run()};
}

}  // namespace
}  // namespace retry_exec

int main(int count, char** words) {
  using namespace retry_exec;
  protect_standard_streams();
  PublishSettings settings;
  CommandLine line("retry-publish", CommandLine::Operands::anywhere);
  declare(line, settings);
  return run_program(line, help(), &settings, count, words, [&] { return run(line, settings); });
}
