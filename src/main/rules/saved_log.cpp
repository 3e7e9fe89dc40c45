#include "main/rules/saved_log.hpp"

#include "rules/evidence/evidence.hpp"
#include "rules/evidence/own_lines.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace retry_exec::retry_rules {

namespace {

// "2026-11-23T06:59:16.1234567Z " is 29 bytes: GitHub puts it before each line of a saved log.
std::string without_time_stamps(std::string text) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddddddZ ";
  const auto stamped = [&](std::string_view line) {
    return line.size() >= form.size() &&
           std::equal(form.begin(), form.end(), line.begin(),
                      [](char f, char c) { return f == 'd' ? c >= '0' && c <= '9' : f == c; });
  };
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (!stamped(text)) return text;
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    const std::string_view line = rest.substr(0, end);
    result += stamped(line) ? line.substr(form.size()) : line;
    rest.remove_prefix(end);
  }
  return result;
}

// Behind any other "##[error]" stands what a command or an action has reported. None of these lines
// is there yet when a command is judged while it runs.
bool is_of_the_runner(std::string_view line) {
  constexpr std::array<std::string_view, 14> starts = {
      "##[group]",
      "##[endgroup]",
      "##[section]",
      "##[command]",
      "##[debug]",
      "##[error]Process completed with exit code",
      "##[error]Bash exited with code",
      "##[error]PowerShell exited with code",
      "##[error]The operation was canceled",
      "##[error]The job running on runner",
      "##[error]The job was not started",
      "##[error]The runner has received a shutdown signal",
      "##[error]The hosted runner",
      "##[warning]Failed to download action"};
  return text::starts_with_one_of(line, starts) ||
         (line.starts_with("##[error]The action '") &&
          line.find("' has timed out after") != line.npos);
}

// "attempt 1/5 failed in 0.8s: …", "gave up after 5 attempts in 29s: …"
bool tells_how_a_run_went(std::string_view text) {
  constexpr std::array<std::string_view, 5> endings = {
      "gave up after ", "gave up at the deadline after ",
      "not retried: ", "not retried again: ", "interrupted by SIG"};
  if (text::starts_with_one_of(text, endings)) return true;
  if (!text::remove_prefix_of(text, "attempt ")) return false;
  const std::size_t number = text.find_first_not_of("0123456789/");
  return number != 0 && number != text.npos && text.substr(number).starts_with(" failed in ");
}

// An annotation of ours as it was written, or as the runner shows it: without its title.
bool is_our_annotation(std::string_view line) {
  for (const std::string level : {"error", "warning"}) {
    std::string_view said = line;
    if (text::remove_prefix_of(said, "::" + level + " title=retry-exec"))
      return said.starts_with("%3A") || said.starts_with("::");
    if (text::remove_prefix_of(said, "##[" + level + "]")) return tells_how_a_run_went(said);
  }
  return false;
}

// retry-publish keeps what its commands print to itself: only it says what a target failed of.
bool is_of_a_publish(std::string_view line) {
  if (rules::is_json_of("retry-publish", line))
    return line.find(R"("event":"target-finished")") == line.npos;
  return line.starts_with("retry-publish: ") && line.find(": failed: ") == line.npos;
}

bool is_ours(std::string_view line) {
  if (is_our_annotation(line)) return true;
  line = rules::without_line_prefix(line);
  text::remove_prefix_of(line, "\033[0m");  // the end of the command's colours
  return line.starts_with("retry-exec: ") || rules::is_json_of("retry-exec", line) ||
         is_of_a_publish(line);
}

}  // namespace

std::string printed_according_to(std::string log) {
  const std::string text = without_time_stamps(std::move(log));
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1);
    rest.remove_prefix(line.size());
    if (!is_ours(line) && !is_of_the_runner(line)) result += line;
  }
  return result;
}

}  // namespace retry_exec::retry_rules
