// What people and programs see of a run: log lines, annotations, the final report, the summary.
//
// This room listens to events and nothing depends on it. Everything that can be is a pure function
// from values to text; whoever calls writes it. Every text of a command's making goes through a
// Redactor first (redact.hpp).
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/redact.hpp>
#include <retry_exec/retry.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

using WallTime = std::chrono::system_clock::time_point;

// Takes whole lines and writes them with one write each, so that the lines of programs side by side
// are never mixed.
using Writer = std::function<void(std::string_view)>;

// ---- the log ---------------------------------------------------------------------------------

enum class LogFormat { text, json, github };

// "text", "json", "github" and "auto": github under GitHub Actions (GITHUB_ACTIONS=true), else
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
};

// The log of one run. It says something only when there is something to say: of a run that succeeds
// at once, nothing.
class RunLog {
 public:
  // `redactor` must outlive the log.
  RunLog(LogOptions options, const Redactor& redactor);

  // The lines that `event` calls for, each with its line feed; often none.
  std::string lines(const Event& event);

 private:
  std::string text_lines(const Event& event);
  std::string prefix() const;
  std::string line(std::string_view text) const;
  std::string with_excerpt(std::string text, const AttemptFinished& failed,
                           std::size_t columns) const;
  std::string starting(const AttemptStarted& started) const;
  std::string failure_text(const AttemptFinished& failed, std::size_t columns) const;
  std::string failure(const AttemptFinished& failed) const;
  std::string remarks(const AttemptFinished& failed) const;
  std::string waiting(const WaitStarted& wait) const;
  std::string finished(const RunFinished& end);
  std::string annotation(std::string_view level, std::string_view message);

  LogOptions options_;
  const Redactor& redactor_;
  std::optional<AttemptFinished> last_;
  unsigned max_attempts_ = 0;
  unsigned warnings_ = 0;
};

// A sink that writes a RunLog.
EventSink log_events(LogOptions options, const Redactor& redactor, Writer write);

// "up to 5 attempts, waits from 2s growing by 2 up to 32s, jitter equal; 30s an attempt".
std::string describe(const Policy& policy);

}  // namespace retry_exec
