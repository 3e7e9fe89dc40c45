#include "rules/evidence/own_report.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>

namespace retry_exec::rules {

namespace {

// "started: 2026-11-30T20:53:07.083Z"
bool is_start_of_a_run(std::string_view line) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (!text::remove_prefix_of(line, "started: ") || line.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool fits = form[i] == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == form[i];
    if (!fits) return false;
  }
  return true;
}

bool is_json_report(std::string_view line) {
  if (!text::remove_prefix_of(line, R"({"schema":)")) return false;
  line.remove_prefix(std::min(line.find_first_not_of("0123456789"), line.size()));
  return line.starts_with(R"(,"program":"retry-exec","version":")");
}

// "result: gave up after 3 attempts in 9s: timed out after 2s": the run itself is the cause.
bool ends_at_a_limit(std::string_view line) {
  constexpr std::array<std::string_view, 3> limits = {": timed out after ",
                                                      ": printed nothing for ", ": stalled for "};
  return std::any_of(limits.begin(), limits.end(), [&](std::string_view limit) {
    return line.find(limit) != std::string_view::npos;
  });
}

}  // namespace

OwnReport::Place OwnReport::after(std::string_view line) const {
  constexpr std::array<std::string_view, 4> of_text = {"result: ", "attempt ", "  ", "not shown: "};
  constexpr std::array<std::string_view, 3> of_chart = {"    ", "gantt", "%%{init: "};
  switch (place_) {
    case Place::behind_start:
      return line.starts_with("result: ") ? Place::in_text : Place::outside;
    case Place::in_text:
      return text::starts_with_one_of(line, of_text) ? Place::in_text : Place::outside;
    case Place::in_table:
      if (line == "```mermaid") return Place::in_chart;
      return line.empty() || line.starts_with("| ") || line.ends_with(" not shown")
                 ? Place::in_table
                 : Place::outside;
    case Place::in_chart:
      if (line == "```") return Place::behind_chart;
      return text::starts_with_one_of(line, of_chart) ? Place::in_chart : Place::outside;
    case Place::behind_chart:
      return line.empty() || line.starts_with("The longest ") ? Place::behind_chart
                                                              : Place::outside;
    case Place::outside:
    case Place::behind_command:
      break;
  }
  return Place::outside;
}

OwnReport::Line OwnReport::read(std::string_view line) {
  if (place_ == Place::in_text && line.starts_with("in all: ")) {
    place_ = Place::outside;
    return Line::of_a_report;
  }
  const bool behind_command = place_ == Place::behind_command;
  place_ = after(line);
  if (place_ == Place::in_text && line.starts_with("result: ") && ends_at_a_limit(line))
    return Line::of_the_command;
  if (place_ != Place::outside) return Line::of_a_report;
  if (behind_command && is_start_of_a_run(line)) {
    place_ = Place::behind_start;
    return Line::and_the_last_one;
  }
  if (line.starts_with("**retry-exec** ")) {
    place_ = Place::in_table;
    return Line::of_a_report;
  }
  if (line.starts_with("command: ")) place_ = Place::behind_command;
  return is_json_report(line) ? Line::of_a_report : Line::of_the_command;
}

}  // namespace retry_exec::rules
