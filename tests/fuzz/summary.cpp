// Summaries are Markdown with a Mermaid chart, whatever the names and lines in them: a table's rows
// have its columns, a chart's lines are a chart's, and neither tags nor mentions come through.
#include "insist.hpp"
#include "summaries.hpp"

#include <cstddef>
#include <cstdint>
#include <regex>
#include <string>
#include <vector>

using fuzz::insist;

namespace {

std::size_t columns_of(std::string_view row) {
  std::size_t bars = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '\\')
      ++i;
    else if (row[i] == '|')
      ++bars;
  }
  return bars;
}

void insist_on_chart_line(const std::string& line, std::string_view whole) {
  static const std::regex form(
      "%%\\{init: \\{\"gantt\": \\{\"leftPadding\": \\d+\\}\\}\\}%%|gantt|    dateFormat x|"
      "    axisFormat [%A-Z:. s]+|    section [^:;,#%<>`]+|"
      "    (✓|✗|▸|·) [^:;,#%<>`]+ :(done, |crit, |active, )?\\d+, [1-9]\\d*ms");
  insist(std::regex_match(line, form), "not a line of a chart",
         line + "\nin\n" + std::string(whole));
}

void insist_on_markdown(const std::string& text) {
  bool chart = false;
  std::size_t columns = 0;
  for (const std::string& line : fuzz::lines_of(text)) {
    fuzz::insist_on_printable(line, false);
    if (line.starts_with("```")) {
      insist(line == (chart ? "```" : "```mermaid"), "a fence of another's", text);
      chart = !chart;
    } else if (chart) {
      insist_on_chart_line(line, text);
    } else {
      insist(line.find('<') == std::string::npos, "a tag", text);
      insist(line.find('@') == std::string::npos, "a mention", text);
      insist(!line.starts_with('#') && !line.starts_with("::"), "a heading or command", text);
      const std::size_t found = line.starts_with('|') ? columns_of(line) : 0;
      insist(columns == 0 || found == 0 || found == columns, "a row of other columns", text);
      columns = found;
    }
  }
  insist(!chart, "a fence that is never closed", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> texts = fuzz::lines_of(fuzz::text_of(data, size));
  texts.resize(8);
  const fuzz::Summaries summaries = fuzz::summaries_of(texts);
  insist_on_markdown(summaries.of_run);
  insist_on_markdown(summaries.of_publish);
  return 0;
}
