#include "main/publish/outputs.hpp"

#include <retry_exec/report.hpp>

#include <string>
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

}  // namespace

Errors wrong_outputs(const PublishSettings& settings, const publish::plan::Plan& plan,
                     const RuleSet& rules) {
  std::vector<FileInUse> used = inputs(settings, plan, rules);
  Errors errors;
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
  // Where a step has no file for its outputs, nobody waits for any.
  const char* output = from_environment("GITHUB_OUTPUT");
  if (output != nullptr && *output != '\0') check(can_be_added_to(output));
  return errors;
}

}  // namespace retry_exec
