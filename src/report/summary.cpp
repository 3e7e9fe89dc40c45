#include "report/wording.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>

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

// Whether the character at `at` would make a point of a list of the text: "- a", "+ a", "1. a".
bool is_list_mark(std::string_view text, std::size_t at) {
  const std::string_view marks = at == 0 ? "-+" : ".)";
  const bool alone = at + 1 == text.size() || text[at + 1] == ' ';
  return alone && marks.find(text[at]) != std::string_view::npos &&
         text.substr(0, at).find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_behind_www(std::string_view text, std::size_t at) {
  return at >= 3 && text::upper_case(text.substr(at - 3, 3)) == "WWW";
}

}  // namespace

std::string markdown_escaped(std::string_view text) {
  std::string shown = text::printable(text);
  shown.erase(0, shown.find_first_not_of(' '));  // four of them would make code of it
  std::string escaped;
  for (std::size_t at = 0; at < shown.size(); ++at) {
    const char c = shown[at];
    const std::string_view rest = std::string_view(shown).substr(at);
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '@') {
      escaped += "&#64;";  // else it mentions a user
    } else if (rest.starts_with("://")) {
      escaped += "&#58;";  // else it begins a link, in which an escape would be a backslash
    } else if (c == '.' && is_behind_www(shown, at)) {
      escaped += "&#46;";
    } else {
      if (std::string_view("\\`*_[]#|~>$").find(c) != std::string_view::npos ||
          is_list_mark(shown, at)) {
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
