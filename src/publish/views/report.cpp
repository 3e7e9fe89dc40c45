#include "publish/views/failures.hpp"
#include "report/events_json.hpp"
#include "report/wording.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/publish_views.hpp>
#include <retry_exec/text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <algorithm>

namespace retry_exec::publish::views {

namespace json = boost::json;
namespace {

// Counts up when a field is renamed, removed or changes its meaning; new fields do not count.
constexpr int schema_version = 1;

json::object as_json(const PhaseResult& phase, const Redactor& redact) {
  json::object object{{"phase", to_string(phase.phase)},
                      {"started_ms", milliseconds(phase.start)},
                      {"elapsed_ms", milliseconds(phase.elapsed)},
                      {"succeeded", phase.succeeded}};
  if (!phase.note.empty()) object["note"] = redact(phase.note);
  return object;
}

json::object as_json(const Lag& lag, const Redactor& redact) {
  return {{"phase", to_string(lag.phase)},
          {"what", redact(lag.what)},
          {"waited_ms", milliseconds(lag.waited)},
          {"probes", lag.probes}};
}

json::object as_json(const AfterResult& after, const Redactor& redact) {
  return {{"command", json::value_from(redact.arguments(after.command))},
          {"about", redact(after.about)},
          {"done", after.done},
          {"was_done", after.was_done}};
}

json::object as_json(const publish::TargetFailure& failure, const Redactor& redact) {
  json::object object{{"phase", to_string(failure.phase)},
                      {"reason", to_string(failure.reason)},
                      {"what", redact(failure.what)}};
  if (failure.verdict) object["verdict"] = as_json(*failure.verdict, redact);
  if (!failure.command.empty()) {
    object["command"] = json::value_from(redact.arguments(failure.command));
  }
  return object;
}

json::object as_json(const CommandRecord& command, const Redactor& redact) {
  json::array attempts;
  for (const AttemptRecord& attempt : command.run.attempts) {
    attempts.emplace_back(as_json(attempt, redact));
  }
  return {{"phase", to_string(command.step->phase)},
          {"about", redact(command.step->about)},
          {"command", json::value_from(redact.arguments(command.step->command))},
          {"started_ms", milliseconds(command.start)},
          {"elapsed_ms", milliseconds(command.run.end.elapsed)},
          {"reason", to_string(command.run.end.reason)},
          {"attempts", std::move(attempts)}};
}

json::object as_json(const TargetResult& target, const PublishRecord& record,
                     const Redactor& redact) {
  json::array tags;
  for (const TagResult& tag : target.tags) {
    tags.emplace_back(json::object{
        {"tag", redact(to_string(tag.tag))}, {"copied", tag.copied}, {"verified", tag.verified}});
    if (tag.newer) tags.back().as_object()["newer"] = true;
    if (tag.may_have_moved) tags.back().as_object()["may_have_moved"] = true;
  }
  json::array phases;
  for (const PhaseResult& phase : target.phases) phases.emplace_back(as_json(phase, redact));
  json::array lags;
  for (const Lag& lag : target.lags) lags.emplace_back(as_json(lag, redact));
  json::array after;
  for (const AfterResult& result : target.after) after.emplace_back(as_json(result, redact));
  json::array commands;
  for (const CommandRecord& command : record.commands) {
    if (command.step->target == target.name) commands.emplace_back(as_json(command, redact));
  }
  json::object object{{"target", redact(target.name)}, {"succeeded", !target.failure},
                      {"tags", std::move(tags)},       {"phases", std::move(phases)},
                      {"lags", std::move(lags)},       {"commands", std::move(commands)}};
  if (!target.platforms.empty()) {
    json::array& platforms = object["platforms"].emplace_array();
    for (const oci::Platform& platform : target.platforms) {
      platforms.emplace_back(redact(to_string(platform)));
    }
    object["attestations"] = target.attestations;
  }
  if (!after.empty()) object["after"] = std::move(after);
  if (target.left_out) object["left_out"] = true;
  if (target.left_alone()) {
    object["left_alone"] = true;
  } else {
    if (!target.index.empty()) object["index"] = target.index;
    if (!target.digest.empty()) object["digest"] = target.digest;
  }
  if (target.failure) object["failure"] = as_json(*target.failure, redact);
  return object;
}

std::string json_report(const PublishRecord& record, const Redactor& redact) {
  json::array targets;
  for (const TargetResult& target : record.result.targets) {
    targets.emplace_back(as_json(target, record, redact));
  }
  const json::object object{{"schema", schema_version},
                            {"program", "retry-publish"},
                            {"version", RETRY_EXEC_VERSION},
                            {"plan", redact(record.plan)},
                            {"started", as_iso_8601(record.started)},
                            {"elapsed_ms", milliseconds(record.result.elapsed)},
                            {"exit_code", record.exit_code},
                            {"targets", std::move(targets)}};
  return json::serialize(object) + '\n';
}

std::string text_report(const PublishRecord& record, const Redactor& redact) {
  std::string text =
      "plan: " + redact(record.plan) + "\nstarted: " + as_iso_8601(record.started) + "\n";
  for (const TargetResult& target : record.result.targets) {
    text += text::printable(target.name) + ": " +
            (target.failure        ? "failed: " + redact(target.failure->what)
             : target.left_out     ? "left out"
             : target.left_alone() ? "left alone"
                                   : target.digest) +
            "\n";
    for (const TagResult& tag : target.tags) {
      text += "  " + redact(to_string(tag.tag)) + ": " +
              (tag.newer            ? "left alone: what is there is newer"
               : tag.may_have_moved ? "may have moved"
               : tag.had_it         ? "had it already"
               : tag.verified       ? "copied"
                                    : "not verified") +
              "\n";
    }
    for (const PhaseResult& phase : target.phases) {
      text += "  " + std::string(to_string(phase.phase)) + ": " + format_duration(phase.elapsed) +
              (phase.note.empty() ? "" : ": " + redact(phase.note)) + "\n";
    }
    for (const Lag& lag : target.lags) {
      text += "  lagged " + format_duration(lag.waited) + " (" +
              text::counted(lag.probes, "probe") + "): " + redact(lag.what) + "\n";
    }
    for (const AfterResult& after : target.after) {
      text += "  after: " + after_told(after, target, redact) +
              (after.was_done ? ": was done"
               : after.done   ? ": done"
               : after.failed ? ": failed"
                              : ": not run") +
              "\n";
    }
    text += "  in all: " + text::counted(target.commands, "command") + ", " +
            text::counted(target.attempts, "attempt") + "\n";
  }
  return text + publish_failures(record.result, redact) +
         "in all: " + format_duration(record.result.elapsed) + ", exit code " +
         std::to_string(record.exit_code) + "\n";
}

// ---- the summary -----------------------------------------------------------------------------

std::string cell(const std::string& text) {
  return ' ' + markdown_escaped(text) + " |";
}

std::string table_row(const TargetResult& target, const Redactor& redact) {
  Duration lagged{};
  for (const Lag& lag : target.lags) lagged = std::max(lagged, lag.waited);
  return '|' + cell(target.name) +
         cell(target.failure ? (target.is_published() ? "published, failed: " : "failed: ") +
                                   std::string(to_string(target.failure->phase))
              : target.left_out     ? "left out"
              : target.left_alone() ? "left alone"
                                    : "published") +
         cell(target.left_alone() ? "" : with_short_digests(redact(target.digest))) +
         cell(std::to_string(target.tags.size())) + cell(format_duration(target.elapsed())) +
         cell(std::to_string(target.attempts)) +
         cell(target.lags.empty() ? "" : format_duration(lagged)) + '\n';
}

// All probes of one digest or tag: "tmp@sha256:3f9a0c1b… waited 7.9s (11 probes)".
ChartRow lag_row(const CommandRecord& command) {
  const bool came = command.run.end.reason == StopReason::success;
  const std::string about = with_short_digests(command.step->about);
  return {.section = command.step->target,
          .label = about.substr(about.rfind('/') + 1) + " waited " +
                   format_duration(command.run.end.elapsed) + " (" +
                   text::counted(command.run.attempts.size(), "probe") + ")",
          .start = command.start,
          .length = command.run.end.elapsed,
          .status = came ? ChartRow::Status::waited : ChartRow::Status::failed};
}

std::vector<ChartRow> chart_rows_of(const PublishRecord& record) {
  std::vector<ChartRow> rows;
  for (const TargetResult& target : record.result.targets) {
    for (const PhaseResult& phase : target.phases) {
      rows.push_back(
          {.section = target.name,
           .label = std::string(to_string(phase.phase)),
           .start = phase.start,
           .length = phase.elapsed,
           .status = phase.succeeded ? ChartRow::Status::succeeded : ChartRow::Status::failed});
    }
    // Of commands, only those that took more than one attempt have something to tell.
    for (const CommandRecord& command : record.commands) {
      if (command.step->target != target.name || command.run.attempts.size() < 2) continue;
      if (command.step->waits) {
        rows.push_back(lag_row(command));
        continue;
      }
      const std::vector<ChartRow> attempts = chart_rows(command.run, target.name, command.start);
      rows.insert(rows.end(), attempts.begin(), attempts.end());
    }
  }
  return rows;
}

}  // namespace

std::string publish_report(const PublishRecord& record, ReportFormat format,
                           const Redactor& redactor) {
  return format == ReportFormat::json ? json_report(record, redactor)
                                      : text_report(record, redactor);
}

std::string publish_summary(const PublishRecord& record, const Redactor& redactor) {
  const std::vector<TargetResult>& targets = record.result.targets;
  const auto published =
      std::count_if(targets.begin(), targets.end(),
                    [](const TargetResult& target) { return target.is_published(); });
  std::string text = "**retry-publish** published " + std::to_string(published) + " of " +
                     text::counted(targets.size(), "target") + " in " +
                     format_duration(record.result.elapsed) + "\n\n";
  text +=
      "| target | state | digest | tags | took | attempts | longest lag |\n"
      "| --- | --- | --- | ---: | ---: | ---: | ---: |\n";
  for (const TargetResult& target : targets) text += table_row(target, redactor);
  text += '\n';
  for (const TargetResult& target : targets) {
    if (!target.failure) continue;
    text += "- " + markdown_escaped(target.name) + ": " +
            std::string(to_string(target.failure->phase)) + ": " +
            markdown_escaped(redactor(target.failure->what));
    for (const std::string& line : left_to_people(target, redactor)) {
      text += "  \n  " + markdown_escaped(line);
    }
    text += '\n';
  }
  return text + '\n' + gantt_chart(record.started, chart_rows_of(record)) + '\n';
}

}  // namespace retry_exec::publish::views
