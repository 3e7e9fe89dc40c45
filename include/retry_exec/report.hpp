// What people and programs see of a run: log lines, annotations, the final report, the summary.
//
// This room listens to events and nothing depends on it. Everything that can be is a pure function
// from values to text; the caller writes it. Every text of a command's making goes through a
// Redactor first (redact.hpp).
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/events.hpp>
#include <retry_exec/policy.hpp>
#include <retry_exec/redact.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retry_exec {

using WallTime = std::chrono::system_clock::time_point;

// Takes whole lines and writes them with one write each, so that the lines of programs side by side
// are never mixed.
using Writer = std::function<void(std::string_view)>;

// ---- the log ---------------------------------------------------------------------------------

enum class LogFormat { text, json, github };
inline constexpr std::array log_formats = {
    std::pair(LogFormat::text, std::string_view("text")),
    std::pair(LogFormat::json, std::string_view("json")),
    std::pair(LogFormat::github, std::string_view("github"))};

// "text, json, github or auto".
std::string log_format_words();

// The words of these formats, and "auto": github under GitHub Actions (GITHUB_ACTIONS=true), else
// text.
Result<LogFormat> parse_log_format(std::string_view text, std::string_view github_actions);

enum class Verbosity { quiet, normal, verbose };

struct LogOptions {
  LogFormat format = LogFormat::text;
  Verbosity verbosity = Verbosity::normal;
  std::string program = "retry-exec";
  std::string subject;  // what is being done, where one program does much: "workbench: copy"
  std::span<const std::string> command;  // for annotations and JSON; must outlive the log
  std::function<WallTime()> now;         // for JSON; empty: lines carry no time
  std::size_t columns = 200;             // a text line is at most about so wide
  bool coloured = false;                 // verdicts, where the format is text
};

// Of verdicts: failed for good, succeeded, tried again. By the numbers of ECMA-48.
enum class Colour { red = 31, green = 32, yellow = 33 };

// In that colour, where the log has colours.
std::string painted(std::string_view text, Colour colour, const LogOptions& options);

// The log of one run. It speaks only when there is something to say: of a run that succeeds at
// once, nothing, unless it is verbose or JSON. `redactor` must outlive the sink.
EventSink log_events(LogOptions options, const Redactor& redactor, Writer write);

// Lines of the log that no event calls for (an explanation, the chosen rules): those of `text`,
// each with the program's name before it, or as a JSON object {"event": "note", "text": …}.
std::string note_lines(std::string_view text, const LogOptions& options, const Redactor& redact);

// ---- what happened, kept ---------------------------------------------------------------------

struct AttemptRecord {
  unsigned number = 1;
  Duration started{};  // since the run's start
  Duration elapsed{};
  Outcome outcome;
  std::optional<Verdict> verdict;
  std::vector<std::string> remarks;
  std::optional<WaitStarted> wait;                  // that followed
  std::optional<BeforeRetryFinished> before_retry;  // behind that wait
};

struct RunRecord {
  std::string program = "retry-exec";
  std::vector<std::string> command;
  WallTime started{};
  std::vector<AttemptRecord> attempts;
  unsigned omitted = 0;  // attempts out of the middle of a very long run, not kept
  Duration running{};    // all attempts
  Duration waiting{};    // all waits, as planned
  RunFinished end;
};

// Keeps a run's events. A run without end keeps its first and its last attempts only.
class RunRecorder {
 public:
  RunRecorder(std::vector<std::string> command, WallTime started, std::function<TimePoint()> now);

  void take(const Event& event);
  const RunRecord& record() const { return record_; }

 private:
  std::function<TimePoint()> now_;
  TimePoint start_;
  Duration attempt_started_{};
  RunRecord record_;
};

// ---- the final report ------------------------------------------------------------------------

enum class ReportFormat { text, json };

// What -R names.
struct ReportTarget {
  ReportFormat format = ReportFormat::text;
  std::string path;  // "-": standard output
  bool operator==(const ReportTarget&) const = default;
};

// "json:FILE", "text:FILE", "FILE" or "-". A bare FILE is JSON when it ends in ".json". Another
// word before a colon is an error: a file of that name is "./word:…".
Result<ReportTarget> parse_report_target(std::string_view text);

// One JSON document as report.schema.json describes it, or the same for people.
std::string report(const RunRecord& record, ReportFormat format, const Redactor& redactor);

// Writes a report where it shall go. A regular file is there whole or not at all; anything else
// (a pipe, /dev/stderr) is written to as it is, and its reader waited for no longer than `give_up`.
Result<void> write_report(const std::string& path, std::string_view text,
                          TimePoint give_up = TimePoint::max());

// A file that is read, or written to, for something else: "$GITHUB_OUTPUT" and where it is.
struct FileInUse {
  std::string name;
  std::string path;
};

// Before anything is written: is the file there, or the one that there will be, one of `files`?
// Pipes and devices take what several write to them.
Result<void> is_none_of(const std::string& path, std::span<const FileInUse> files);

// The same; and would a report there replace the file that our stdout, our stderr or a descriptor
// that the command inherits writes to, with all that is in it?
Result<void> spares_what_is_written(const std::string& path, std::span<const FileInUse> files);

// As far as can be known before there is anything to write: the folder is there, and it or the file
// may be written to. write_report() replaces a file, append_summary() adds to one.
Result<void> can_be_replaced(const std::string& path);
Result<void> can_be_added_to(const std::string& path);

// ---- the summary -----------------------------------------------------------------------------

// A bar of a chart.
struct ChartRow {
  enum class Status { succeeded, failed, waited, running };
  std::string section;
  std::string label;
  Duration start{};  // since the chart's origin
  Duration length{};
  Status status = Status::succeeded;
};

// A Mermaid Gantt chart in a Markdown fence: one section for each run of rows of the same section.
// Of very many rows the longest are shown, and it is said that others are not.
std::string gantt_chart(WallTime origin, std::span<const ChartRow> rows);

// The rows of one run. `start` is the run's own start since the chart's origin.
std::vector<ChartRow> chart_rows(const RunRecord& record, std::string_view section,
                                 Duration start = {});

// `text` for the inside of a Markdown line or table cell, where it means nothing but itself.
std::string markdown_escaped(std::string_view text);

// A heading, a table of the attempts and a chart. A run that succeeds at once is one line.
std::string run_summary(const RunRecord& record, const Redactor& redactor);

// Adds to the end of a file such as $GITHUB_STEP_SUMMARY, on a line of its own.
Result<void> append_summary(const std::string& path, std::string_view text,
                            TimePoint give_up = TimePoint::max());

// ---- live status -----------------------------------------------------------------------------

// Some lines at the bottom of a terminal that are redrawn in place, with log lines scrolling above.
// Pure: gives the bytes to write. A terminal that is resized in between is drawn over, not erased.
class StatusBlock {
 public:
  // Draws `rows` in the place of the last ones. Rows are made printable and cut to the terminal's
  // width; those beyond its height are counted in a last row.
  std::string draw(std::span<const std::string> rows, std::size_t columns, std::size_t lines);

  // Erases the block; what is written next stands in its place. Before log lines, and at the end.
  std::string erase();

 private:
  std::size_t drawn_ = 0;
};

}  // namespace retry_exec
