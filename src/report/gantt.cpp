// Mermaid's Gantt charts: https://mermaid.js.org/syntax/gantt.html

#include "report/events_json.hpp"
#include "report/wording.hpp"

#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec {

namespace {

constexpr std::size_t most_rows = 250;  // GitHub draws no chart of more than 50,000 characters
constexpr std::size_t widest_label = 60;

// Names in a chart cannot be quoted: a colon ends one, and ';', '#' and '%%' begin something else.
std::string chart_name(std::string_view text) {
  std::string name;
  for (const char c : text::fitted(text::printable(text), widest_label)) {
    switch (c) {
      case ':':
        name += "∶";
        break;
      case ';':
      case ',':
        name += ' ';
        break;
      case '#':
        name += "♯";
        break;
      case '%':
        name += "٪";
        break;
      case '<':
        name += "‹";
        break;
      case '>':
        name += "›";
        break;
      case '`':
        name += '\'';
        break;
      default:
        name += c;
    }
  }
  return name.empty() ? "unnamed" : name;
}

struct RowStyle {
  std::string_view mark;  // also keeps a name from being read as a keyword or a date
  std::string_view tags;
};

RowStyle look_of(ChartRow::Status status) {
  switch (status) {
    case ChartRow::Status::succeeded:
      return {"✓ ", "done, "};
    case ChartRow::Status::failed:
      return {"✗ ", "crit, "};
    case ChartRow::Status::running:
      return {"▸ ", "active, "};
    case ChartRow::Status::waited:
      return {"· ", ""};
  }
  return {};
}

// Mermaid draws about ten ticks: where they are less than a second apart, seconds alone would
// repeat.
std::string_view axis_for(std::span<const ChartRow* const> rows) {
  Duration begin = rows.front()->start;
  Duration end = begin;
  for (const ChartRow* row : rows) {
    begin = std::min(begin, row->start);
    end = std::max(end, row->start + row->length);
  }
  constexpr Duration fractions = std::chrono::seconds(10);
  constexpr Duration minutes = std::chrono::hours(1);
  return end - begin < fractions ? "%S.%L s" : end - begin < minutes ? "%H:%M:%S" : "%H:%M";
}

// Mermaid leaves room for names of ten letters beside the bars; longer ones would lie over them.
std::string margin_for(std::span<const ChartRow* const> rows) {
  std::size_t longest = 0;
  for (const ChartRow* row : rows) longest = std::max(longest, row->section.size());
  constexpr std::size_t fits = 10;
  constexpr std::size_t pixels_a_letter = 7;
  if (longest <= fits) return {};
  const std::size_t margin = 25 + pixels_a_letter * std::min(longest, std::size_t{40});
  return "%%{init: {\"gantt\": {\"leftPadding\": " + std::to_string(margin) + "}}}%%\n";
}

// The rows to show, in their order: all, or the longest.
std::vector<const ChartRow*> shown_rows(std::span<const ChartRow> rows) {
  std::vector<const ChartRow*> shown;
  for (const ChartRow& row : rows) shown.push_back(&row);
  if (shown.size() <= most_rows) return shown;
  std::stable_sort(shown.begin(), shown.end(),
                   [](const ChartRow* a, const ChartRow* b) { return a->length > b->length; });
  shown.resize(most_rows);
  std::sort(shown.begin(), shown.end());  // all point into one span
  return shown;
}

}  // namespace

std::string gantt_chart(WallTime origin, std::span<const ChartRow> rows) {
  if (rows.empty()) return {};
  // Times are milliseconds since 1970, so that the axis shows the reader's own time of day.
  const std::vector<const ChartRow*> shown = shown_rows(rows);
  std::string chart =
      "```mermaid\n" + margin_for(shown) + "gantt\n    dateFormat x\n    axisFormat ";
  chart.append(axis_for(shown)).append("\n");
  const std::int64_t start =
      std::chrono::floor<std::chrono::milliseconds>(origin.time_since_epoch()).count();
  const std::string* section = nullptr;
  for (const ChartRow* row : shown) {
    if (section == nullptr || *section != row->section) {
      section = &row->section;
      chart += "    section " + chart_name(row->section) + '\n';
    }
    const RowStyle look = look_of(row->status);
    chart.append("    ").append(look.mark).append(chart_name(row->label)).append(" :");
    chart.append(look.tags).append(std::to_string(start + milliseconds(row->start))).append(", ");
    chart += std::to_string(std::max<std::int64_t>(1, milliseconds(row->length))) + "ms\n";
  }
  chart += "```\n";
  if (shown.size() < rows.size()) {
    chart += "\nThe longest " + std::to_string(shown.size()) + " of " +
             std::to_string(rows.size()) + " are shown.\n";
  }
  return chart;
}

std::vector<ChartRow> chart_rows(const RunRecord& record, std::string_view section,
                                 Duration start) {
  std::vector<ChartRow> rows;
  for (const AttemptRecord& attempt : record.attempts) {
    const Duration ended = start + attempt.started + attempt.elapsed;
    const bool good = succeeded(attempt.outcome);
    const std::string known = class_and_rule(attempt.verdict);
    rows.push_back({.section = std::string(section),
                    .label = attempt_name(attempt.number, 0) + (known.empty() ? "" : " " + known),
                    .start = start + attempt.started,
                    .length = attempt.elapsed,
                    .status = good ? ChartRow::Status::succeeded : ChartRow::Status::failed});
    if (attempt.wait) {
      rows.push_back({.section = std::string(section),
                      .label = "wait " + format_duration(attempt.wait->duration),
                      .start = ended,
                      .length = attempt.wait->duration,
                      .status = ChartRow::Status::waited});
    }
  }
  return rows;
}

}  // namespace retry_exec
