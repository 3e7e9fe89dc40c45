#include "report/wording.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>

namespace retry_exec {

namespace {

constexpr std::size_t excerpt_columns = 200;

std::string cell(const std::string& text) {
  return ' ' + markdown_escaped(text) + " |";
}

std::string table_row(const AttemptRecord& attempt, const Redactor& redact) {
  const bool known = attempt.verdict && attempt.verdict->matched;
  return '|' + cell(std::to_string(attempt.number)) + cell(format_duration(attempt.elapsed)) +
         cell(redact(to_string(attempt.outcome))) +
         cell(known ? attempt.verdict->class_name : std::string()) +
         cell(known ? attempt.verdict->rule : std::string()) +
         cell(attempt.verdict ? excerpt(*attempt.verdict, redact, excerpt_columns)
                              : std::string()) +
         cell(attempt.wait ? format_duration(attempt.wait->duration) : std::string()) + '\n';
}

}  // namespace

std::string markdown_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text::printable(text)) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '@') {
      escaped += "&#64;";  // else it mentions a user
    } else {
      if (std::string_view("\\`*_[]#|~>$").find(c) != std::string_view::npos) {
        escaped += '\\';
      }
      escaped += c;
    }
  }
  return escaped;
}

std::string run_summary(const RunRecord& record, const Redactor& redactor) {
  std::optional<AttemptFinished> last;
  if (!record.attempts.empty()) last = as_event(record.attempts.back());
  std::string text = "**" + markdown_escaped(record.program) + "** " +
                     markdown_escaped(ending(record.end, last, redactor)) + ": " +
                     markdown_escaped(redactor.command(record.command)) + "\n\n";
  if (record.attempts.size() == 1 && record.end.reason == StopReason::success) return text;
  text +=
      "| attempt | took | outcome | class | rule | what it said | then waited |\n"
      "| ---: | ---: | --- | --- | --- | --- | ---: |\n";
  for (const AttemptRecord& attempt : record.attempts) text += table_row(attempt, redactor);
  if (record.omitted > 0) text += "\n" + text::counted(record.omitted, "attempt") + " not shown\n";
  return text + '\n' + gantt_chart(record.started, chart_rows(record, "attempts")) + '\n';
}

}  // namespace retry_exec
