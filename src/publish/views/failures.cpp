#include "publish/views/failures.hpp"

#include "report/wording.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <utility>

namespace retry_exec::publish::views {

namespace {

using Lines = std::vector<std::string>;

// What a failure in the middle left where. Before the copy nothing can have moved, which needs no
// words unless a tag had it already.
Lines moves_told(const TargetResult& result, const Redactor& redactor) {
  std::vector<std::pair<std::string, std::string>> lists = {
      {"moved", ""},
      {"moved, but not verified", ""},
      {"may have moved", ""},
      {"had it already", ""},
      {"left alone, what is there is newer", ""},
      {"not moved", ""}};
  bool tells = result.failure->phase >= plan::Phase::copy;
  for (const TagResult& tag : result.tags) {
    const std::size_t list = tag.copied           ? (tag.verified ? 0 : 1)
                             : tag.may_have_moved ? 2
                             : tag.had_it         ? 3
                             : tag.newer          ? 4
                                                  : 5;
    text::append_to(lists[list].second, redactor(to_string(tag.tag)));
    tells = tells || tag.had_it;
  }
  Lines lines;
  for (const auto& [what, list] : lists) {
    if (tells && !list.empty()) lines.push_back(what + ": " + list);
  }
  return lines;
}

// An index that is pushed from a file of ours comes to the command by hand through a pipe; other
// files of ours are gone by then, and no command can be given them.
Lines by_hand(const publish::TargetFailure& failure, const Redactor& redactor) {
  if (failure.command.empty() || failure.needs_scratch) return {};
  if (failure.manifest.empty()) return {"by hand: " + redactor.command(failure.command)};
  const Lines print = {"printf", "%s", failure.manifest};
  Lines push = failure.command;
  push.back() = "-";
  return {"by hand: " + redactor.command(print) + " | " + redactor.command(push)};
}

// Of the commands that were to run after publishing, all that are left, at whatever destination:
// the failure tells of the first.
Lines not_done(const TargetResult& result, const Redactor& redactor) {
  Lines lines;
  if (result.failure->phase != plan::Phase::after) return lines;
  for (const AfterResult& after : result.after) {
    if (!after.done) lines.push_back("not done: " + after_told(after, result, redactor));
  }
  return lines;
}

std::string failure_told(const TargetResult& target, const Redactor& redactor) {
  const publish::TargetFailure& failure = *target.failure;
  const std::string known = class_and_rule(failure.verdict);
  std::string text = "  " + text::printable(target.name) + ": " +
                     std::string(to_string(failure.phase)) + ": " +
                     std::string(to_string(failure.reason)) + (known.empty() ? "" : ", " + known) +
                     ": " + redactor(failure.what) + "\n";
  for (const std::string& line : left_to_people(target, redactor)) text += "    " + line + "\n";
  return text;
}

}  // namespace

std::string after_told(const AfterResult& after, const TargetResult& result,
                       const Redactor& redactor) {
  const auto same_words =
      std::count_if(result.after.begin(), result.after.end(),
                    [&](const AfterResult& other) { return other.command == after.command; });
  const std::string command = redactor.command(after.command);
  return same_words > 1 ? command + " (for " + redactor(after.about) + ")" : command;
}

Lines left_to_people(const TargetResult& result, const Redactor& redactor) {
  Lines lines = moves_told(result, redactor);
  const Lines left = not_done(result, redactor);
  lines.insert(lines.end(), left.begin(), left.end());
  const Lines commands = by_hand(*result.failure, redactor);
  lines.insert(lines.end(), commands.begin(), commands.end());
  return lines;
}

std::string publish_failures(const PublishResult& result, const Redactor& redactor,
                             std::string_view speaker) {
  std::string not_published;
  std::string not_done;
  for (const TargetResult& target : result.targets) {
    if (!target.failure) continue;
    (target.is_published() ? not_done : not_published) += failure_told(target, redactor);
  }
  std::string text;
  const auto add = [&](std::string_view heading, const std::string& failures) {
    if (!failures.empty()) text += std::string(speaker) + std::string(heading) + ":\n" + failures;
  };
  add("not published", not_published);
  add("published, but not all that was to follow is done", not_done);
  return text;
}

}  // namespace retry_exec::publish::views
