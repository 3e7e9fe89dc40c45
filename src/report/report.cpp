#include "report/events_json.hpp"
#include "report/wording.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

namespace retry_exec {

namespace json = boost::json;

namespace {

// Counts up when a field is renamed, removed or changes its meaning; new fields do not count.
constexpr int schema_version = 1;

std::string json_report(const RunRecord& record, const Redactor& redact) {
  json::array attempts;
  for (const AttemptRecord& attempt : record.attempts) {
    attempts.emplace_back(as_json(attempt, redact));
  }
  json::object object{
      {"schema", schema_version},
      {"program", record.program},
      {"version", RETRY_EXEC_VERSION},
      {"command", json::value_from(redact.arguments(record.command))},
      {"started", as_iso_8601(record.started)},
      {"reason", to_string(record.end.reason)},
      {"exit_code", record.end.exit_code},
      {"attempts", std::move(attempts)},
      {"totals",
       {{"attempts", record.end.attempts},
        {"omitted", record.omitted},
        {"elapsed_ms", milliseconds(record.end.elapsed)},
        {"running_ms", milliseconds(record.running)},
        {"waiting_ms", milliseconds(record.waiting)}}},
  };
  if (!record.end.why.empty()) object["why"] = redact(record.end.why);
  return json::serialize(object) + '\n';
}

std::string text_of(const AttemptRecord& attempt, const Redactor& redact) {
  std::string text = attempt_name(attempt.number, 0) + ": " + judged(as_event(attempt), redact) +
                     " in " + format_duration(attempt.elapsed) + '\n';
  if (attempt.verdict) {
    if (const std::string said = redact(attempt.verdict->line); !said.empty()) {
      text += "  " + said + '\n';
    }
    for (const Detail& detail : attempt.verdict->details) {
      text += "  " + text::printable(detail.name) + ": " + redact(detail.value) + '\n';
    }
  }
  for (const std::string& remark : attempt.remarks) text += "  " + redact(remark) + '\n';
  if (attempt.wait) {
    text += "  then a wait of " + format_duration(attempt.wait->duration);
    text += attempt.wait->asked_for ? ", as asked for\n" : "\n";
  }
  if (attempt.before_retry) text += "  then " + before_retry_text(*attempt.before_retry) + '\n';
  return text;
}

std::string text_report(const RunRecord& record, const Redactor& redact) {
  std::string text = "command: " + redact.command(record.command) +
                     "\nstarted: " + as_iso_8601(record.started) + '\n';
  std::optional<AttemptFinished> last;
  if (!record.attempts.empty()) last = as_event(record.attempts.back());
  text += "result: " + ending(record.end, last, redact) + " (exit code " +
          std::to_string(record.end.exit_code) + ")\n";
  for (const AttemptRecord& attempt : record.attempts) text += text_of(attempt, redact);
  if (record.omitted > 0) text += "not shown: " + text::counted(record.omitted, "attempt") + '\n';
  return text + "in all: " + text::counted(record.end.attempts, "attempt") + " in " +
         format_duration(record.end.elapsed) + ", " + format_duration(record.running) +
         " running and " + format_duration(record.waiting) + " waiting\n";
}

}  // namespace

std::string report(const RunRecord& record, ReportFormat format, const Redactor& redactor) {
  return format == ReportFormat::json ? json_report(record, redactor)
                                      : text_report(record, redactor);
}

}  // namespace retry_exec
