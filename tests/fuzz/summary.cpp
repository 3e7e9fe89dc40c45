// Summaries are Markdown with a Mermaid chart, whatever the names and lines in them: a table's rows
// have its columns, a chart's lines are a chart's, and neither tags nor mentions come through.
#include "insist.hpp"

#include <retry_exec/publish_views.hpp>

#include <cstddef>
#include <cstdint>
#include <regex>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace std::chrono_literals;
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
  static const Redactor redact;
  std::vector<std::string> texts = fuzz::lines_of(fuzz::text_of(data, size));
  texts.resize(8);
  Verdict verdict;
  verdict.matched = true;
  verdict.class_name = texts[0];
  verdict.rule = texts[1];
  verdict.line = texts[2];
  verdict.because = texts[3];
  const WallTime noon{1777896000000ms};
  TimePoint now{};
  RunRecorder recorder({texts[4], texts[5], texts[2]}, noon, [&] { return now += 300ms; });
  recorder.take(AttemptStarted{1, 3});
  recorder.take(AttemptFinished{1, 3, NotStarted{2, texts[6]}, 800ms, verdict, {texts[7]}});
  recorder.take(WaitStarted{3s, true});
  recorder.take(AttemptStarted{2, 3});
  recorder.take(AttemptFinished{2, 3, Exited{1}, 700ms, verdict, {}});
  recorder.take(RunFinished{StopReason::exhausted, 1, 2, 4500ms, texts[3]});
  const RunRecord run = recorder.record();
  insist_on_markdown(run_summary(run, redact));

  views::PublishRecord record;
  record.plan = texts[4];
  record.started = noon;
  Step step;
  step.target = texts[0];
  step.about = texts[1];
  step.command = run.command;
  record.commands.push_back({std::make_shared<const Step>(step), 1s, run});
  TargetResult target;
  target.name = texts[0];
  target.digest = texts[5];
  target.phases = {{.phase = plan::Phase::copy, .elapsed = 2s, .succeeded = false}};
  target.lags = {{.what = texts[6], .waited = 2s, .probes = 1}};
  target.failure = TargetFailure{.what = texts[2], .command = run.command, .verdict = verdict};
  record.result.targets = {target, target};
  insist_on_markdown(views::publish_summary(record, redact));
  return 0;
}
