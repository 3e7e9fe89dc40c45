#include "main/publish/outputs.hpp"

#include <retry_exec/report.hpp>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace retry_exec {

namespace {

// By their names, what the run reads.
std::vector<FileInUse> inputs(const PublishSettings& settings, const publish::plan::Plan& plan,
                              const RuleSet& rules) {
  std::vector<FileInUse> files;
  for (const std::string& file : rules.files) files.push_back({"a rule file", file});
  if (!settings.plan.empty()) files.push_back({"the plan", settings.plan});
  for (const std::string& file : plan.files) files.push_back({"a file that the plan names", file});
  return files;
}

// What a step's variable names is written to without an option's saying so.
Errors wrong_step_files(const PublishSettings& settings, const std::vector<FileInUse>& read) {
  Errors errors;
  const auto check = [&](const std::string& name, auto wrong) {
    const char* path = from_environment(name);
    if (path == nullptr || *path == '\0') return;
    const Result<void> checked = wrong(path);
    if (!checked) errors.push_back({{}, "$" + name + ": " + to_string(checked.error())});
  };
  const auto is_read = [&](const std::string& path) { return is_none_of(path, read); };
  check("GITHUB_OUTPUT", [&](const std::string& path) {
    const Result<void> spared = is_read(path);
    return spared ? can_be_added_to(path) : spared;
  });
  if (!settings.summary) check("GITHUB_STEP_SUMMARY", is_read);
  return errors;
}

}  // namespace

Errors wrong_outputs(const PublishSettings& settings, const publish::plan::Plan& plan,
                     const RuleSet& rules) {
  std::vector<FileInUse> used = inputs(settings, plan, rules);
  Errors errors = wrong_step_files(settings, used);
  const auto check = [&](const Result<void>& checked) {
    if (!checked) errors.push_back(checked.error());
    return checked.has_value();
  };
  const auto take = [&](const char* option, const std::string& path) {
    if (path != "-") used.push_back({std::string("the file of ") + option, path});
  };
  if (settings.report) {
    check(may_be_replaced(settings.report->path, used));
    take("--report", settings.report->path);
  }
  if (settings.digests_file) {
    const std::string& path = *settings.digests_file;
    if (check(may_be_replaced(path, used))) check(can_be_replaced(path));
    take("--digests-file", path);
  }
  if (settings.summary) check(may_hold_summary(*settings.summary, used));
  return errors;
}

std::vector<std::string> notes_on_files(const PublishSettings& settings,
                                        const publish::plan::Plan& plan) {
  std::vector<std::string> notes;
  const auto look_at = [&](const std::string& path) {
    if (path == "-" || !publish::plan::would_be_read(plan, path)) return;
    notes.push_back(path + ": the next run would take this file for an input of the plan");
  };
  if (settings.report) look_at(settings.report->path);
  if (settings.digests_file) look_at(*settings.digests_file);
  if (settings.summary) look_at(*settings.summary);
  std::error_code ignored;
  if (!plan.targets.empty() && !std::filesystem::exists(plan.scratch, ignored)) {
    notes.push_back("the scratch folder " + plan.scratch + " is not there, and is made if need be");
  }
  return notes;
}

}  // namespace retry_exec
