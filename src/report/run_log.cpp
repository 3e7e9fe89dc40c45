#include "report/events_json.hpp"
#include "report/github.hpp"
#include "report/wording.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace retry_exec {

namespace {

// GitHub shows ten warnings a step and drops the rest.
constexpr unsigned most_annotations = 10;

constexpr std::string_view how_to_go_on =
    "save the output to a file: 'retry-rules explain FILE' shows what was looked at, "
    "'retry-rules suggest FILE' writes a rule for it";

constexpr std::size_t wide = 600;  // columns of what is shown outside a log

class RunLog {
 public:
  RunLog(LogOptions options, const Redactor& redactor)
      : options_(std::move(options)), redactor_(redactor) {}

  // The lines that `event` calls for, each with its line feed; often none.
  std::string lines(const Event& event);

 private:
  std::string text_lines(const Event& event);
  std::string prefix() const;
  std::string line(std::string_view text) const;
  std::string with_excerpt(const std::string& text, Colour colour, const AttemptFinished& failed,
                           std::size_t columns) const;
  std::string starting(const AttemptStarted& started) const;
  std::string failure_text(const AttemptFinished& failed, std::size_t columns) const;
  std::string left_out(const std::vector<std::string>& rules) const;
  std::string remarks(const AttemptFinished& failed) const;
  std::string waiting(const WaitStarted& wait) const;
  std::string finished(const RunFinished& end);
  template <class Text>
  std::string told(std::string_view level, const Text& text);

  LogOptions options_;
  const Redactor& redactor_;
  std::optional<AttemptFinished> last_;
  bool attempt_told_ = false;  // that last_ failed
  unsigned max_attempts_ = 0;
  unsigned warnings_ = 0;
};

std::string RunLog::lines(const Event& event) {
  if (options_.verbosity == Verbosity::quiet) return {};
  if (options_.format != LogFormat::json) return text_lines(event);
  return event_as_json(event, options_, redactor_) + '\n';
}

std::string RunLog::text_lines(const Event& event) {
  if (const auto* started = std::get_if<AttemptStarted>(&event)) {
    max_attempts_ = started->max_attempts;
    return starting(*started);
  }
  if (const auto* ended = std::get_if<AttemptFinished>(&event)) {
    last_ = *ended;  // told when it is known what follows
    attempt_told_ = false;
    return {};
  }
  if (const auto* ran = std::get_if<BeforeRetryFinished>(&event)) {
    const bool silent = succeeded(ran->outcome) && options_.verbosity != Verbosity::verbose;
    return silent ? std::string() : line(before_retry_text(*ran));
  }
  if (const auto* wait = std::get_if<WaitStarted>(&event)) {
    attempt_told_ = true;
    if (!last_) return waiting(*wait);
    const auto failed = [&](std::size_t columns) { return failure_text(*last_, columns); };
    return told("warning", failed) + remarks(*last_) + waiting(*wait);
  }
  return finished(std::get<RunFinished>(event));
}

std::string RunLog::line(std::string_view text) const {
  std::string whole = prefix() + ": ";
  whole += text;
  if (options_.format == LogFormat::github) whole = without_github_commands(whole);
  return whole + '\n';
}

std::string RunLog::prefix() const {
  return options_.subject.empty() ? options_.program
                                  : options_.program + ": " + text::printable(options_.subject);
}

std::string RunLog::starting(const AttemptStarted& started) const {
  if (options_.verbosity != Verbosity::verbose) return {};
  std::string text = attempt_name(started.attempt, started.max_attempts) + " starts";
  if (started.attempt == 1) text += ": " + redactor_.command(options_.command);
  return line(text);
}

// `text`, then what the verdict quotes, in `columns` in all.
std::string RunLog::with_excerpt(const std::string& text, Colour colour,
                                 const AttemptFinished& failed, std::size_t columns) const {
  const std::string said = painted(text, colour, options_);
  if (!failed.verdict) return said;
  const std::size_t taken = text::columns_of(prefix()) + 2 + text::columns_of(text) + 2;
  const std::string quoted =
      excerpt(*failed.verdict, redactor_, columns - std::min(columns, taken));
  return quoted.empty() ? said : said + ": " + quoted;
}

std::string RunLog::failure_text(const AttemptFinished& failed, std::size_t columns) const {
  return with_excerpt(attempt_name(failed.attempt, failed.max_attempts) + " failed in " +
                          format_duration(failed.elapsed) + ": " + judged(failed, redactor_),
                      Colour::yellow, failed, columns);
}

std::string RunLog::left_out(const std::vector<std::string>& rules) const {
  constexpr std::size_t most = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(rules.size(), most); ++i) {
    text += line("rule " + text::printable(rules[i]) +
                 " was left out: it needs too many steps on this output");
  }
  if (rules.size() > most) {
    text += line("and so were " + text::counted(rules.size() - most, "other"));
  }
  return text;
}

std::string RunLog::remarks(const AttemptFinished& failed) const {
  std::string text = failed.verdict ? left_out(failed.verdict->unevaluated) : std::string();
  if (options_.verbosity != Verbosity::verbose) return text;
  if (failed.verdict && !failed.verdict->because.empty()) {
    text += line("because: " + redactor_(failed.verdict->because));
  }
  for (const std::string& remark : failed.remarks) text += line(redactor_(remark));
  return text;
}

std::string RunLog::waiting(const WaitStarted& wait) const {
  std::string text = "waiting " + format_duration(wait.duration);
  if (wait.asked_for) {
    text += ", as asked for";
    if (last_ && last_->verdict && last_->verdict->retry_after) {
      text += ": " + format_duration(*last_->verdict->retry_after);
    }
  }
  return line(text);
}

std::string RunLog::finished(const RunFinished& end) {
  // Of an attempt that ends the run, that is how many there could have been.
  if (last_ && end.reason != StopReason::exhausted) last_->max_attempts = max_attempts_;
  const std::string how = ending(end, last_, redactor_);
  const auto how_alone = [&](std::size_t) { return painted(how, Colour::red, options_); };
  const auto how_and_what = [&](std::size_t columns) {
    return with_excerpt(how, Colour::red, *last_, columns);
  };
  switch (end.reason) {
    case StopReason::success:
      if (end.attempts == 1 && options_.verbosity != Verbosity::verbose) return {};
      return line(painted(how, Colour::green, options_)) + (last_ ? remarks(*last_) : "");
    case StopReason::done:
      return line(last_ ? with_excerpt(how, Colour::green, *last_, options_.columns)
                        : painted(how, Colour::green, options_)) +
             (last_ ? remarks(*last_) : "");
    case StopReason::permanent:
    case StopReason::unmatched: {
      if (!last_) break;
      const std::string text = told("error", how_and_what) + remarks(*last_);
      return end.reason == StopReason::unmatched ? text + line(how_to_go_on) : text;
    }
    case StopReason::exhausted:
    case StopReason::deadline:
    case StopReason::input_spent:
    case StopReason::budget:
    case StopReason::internal:
      if (!last_) break;
      if (options_.format == LogFormat::github) {
        return told("error", how_and_what) + (attempt_told_ ? "" : remarks(*last_));
      }
      return (attempt_told_ || succeeded(last_->outcome)
                  ? ""
                  : line(failure_text(*last_, options_.columns))) +
             (attempt_told_ ? "" : remarks(*last_)) + line(how_alone(0));
    case StopReason::interrupted:
    case StopReason::not_started:
      break;
  }
  return told("error", how_alone) + (last_ ? remarks(*last_) : "");
}

// GitHub shows an annotation in the log, too, where a line that says the same would be one too
// many. `text` makes what is said out of the columns that there are.
template <class Text>
std::string RunLog::told(std::string_view level, const Text& text) {
  const bool dropped = level == "warning" && warnings_++ >= most_annotations;
  if (options_.format != LogFormat::github || dropped) return line(text(options_.columns));
  const std::string command = text::fitted(redactor_.command(options_.command), 60);
  return github_annotation(level, command.empty() ? prefix() : prefix() + ": " + command,
                           text(wide));
}

}  // namespace

std::string painted(std::string_view text, Colour colour, const LogOptions& options) {
  if (!options.coloured || options.format != LogFormat::text) return std::string(text);
  return "\x1b[" + std::to_string(static_cast<int>(colour)) + "m" + std::string(text) + "\x1b[0m";
}

std::string log_format_words() {
  std::vector<std::string_view> words;
  for (const auto& [format, word] : log_formats) words.push_back(word);
  words.push_back("auto");
  return text::joined(words, ", ", " or ");
}

Result<LogFormat> parse_log_format(std::string_view text, std::string_view github_actions) {
  if (text == "auto") return github_actions == "true" ? LogFormat::github : LogFormat::text;
  std::vector<std::string_view> words = {"auto"};
  for (const auto& [format, word] : log_formats) {
    if (text == word) return format;
    words.push_back(word);
  }
  std::string what = "unknown log format '" + text::printable(text) + "'";
  const std::string_view meant = nearest_word(text, words);
  what += meant.empty() ? "; write " + log_format_words()
                        : "; did you mean '" + std::string(meant) + "'?";
  return Error{{}, what};
}

std::string note_lines(std::string_view text, const LogOptions& options, const Redactor& redact) {
  const std::string shown = redact.lines(text);
  std::string lines;
  for (std::string_view rest = shown; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (options.format == LogFormat::json) {
      lines += note_as_json(line, options, redact) + '\n';
    } else {
      const std::string whole = options.program + ": " + std::string(line);
      lines +=
          (options.format == LogFormat::github ? without_github_commands(whole) : whole) + '\n';
    }
  }
  return lines;
}

EventSink log_events(LogOptions options, const Redactor& redactor, Writer write) {
  auto log = std::make_shared<RunLog>(std::move(options), redactor);
  return [log, write = std::move(write)](const Event& event) {
    if (const std::string lines = log->lines(event); !lines.empty()) write(lines);
  };
}

}  // namespace retry_exec
