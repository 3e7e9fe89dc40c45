#include "main/exec/runner.hpp"

#include "main/exec/before_retry.hpp"
#include "main/exec/colours.hpp"
#include "main/exec/countdown.hpp"
#include "main/exec/github_output.hpp"
#include "main/exec/retry_options.hpp"
#include "main/exec/shell_hint.hpp"
#include "main/explanation.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/write.hpp>

#include <boost/asio/co_spawn.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>

namespace retry_exec {

namespace {

// How many retry-execs stand around us.
unsigned long depth() {
  const char* outer = from_environment("RETRY_EXEC_DEPTH");
  return outer == nullptr ? 0 : text::number_from<unsigned long>(outer).value_or(0) % 1000;
}

// The stream that was passed on while it came, and whose end a line of ours on stderr would follow.
const CapturedStream* stream_before_ours(const CapturedOutput& output, const Settings& settings) {
  if (!settings.hold_stderr) {
    return output.one_stream ? &output.standard_output : &output.standard_error;
  }
  return !settings.hold_stdout && streams_are_one() ? &output.standard_output : nullptr;
}

}  // namespace

Runner::Runner(Settings settings, ChosenRules rules)
    : settings_(std::move(settings)), rules_(std::move(rules)), supervisor_(context_) {}

int Runner::run() {
  for (const std::string& note : settings_.notes) say(note);
  if (settings_.verbose != 0) say_where_we_are();
  if (settings_.report || settings_.summary || from_environment("GITHUB_STEP_SUMMARY")) {
    recorder_.emplace(settings_.command, std::chrono::system_clock::now(),
                      [] { return Clock::now(); });
  }
  if (settings_.end_with_parent) supervisor_.end_with_parent(settings_.parent);
  boost::asio::co_spawn(
      context_,
      [this]() -> boost::asio::awaitable<void> {
        result_ = co_await run_with_retry(retry_options(settings_, rules_), seams());
        context_.stop();
      },
      [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
      });
  if (const auto failed = run_all(context_, supervisor_, "retry-exec")) return *failed;
  return finish();
}

void Runner::say_where_we_are() {
  if (depth() != 0) say("inside another retry-exec, which may run all these attempts again");
  if (!rules_.empty()) say("rules: " + rules_.names());
}

Seams Runner::seams() {
  return {
      .attempt =
          [this](unsigned number, const Policy& policy, std::optional<TimePoint> deadline) {
            return attempt(number, policy, deadline);
          },
      .wait = [this](Duration duration) { return wait(duration); },
      .now = [] { return Clock::now(); },
      .judge = [this](const Attempt& attempt) { return judge(attempt); },
      .random = [this] { return random(); },
      .events = [this](const Event& event) { on_event(event); },
      .deliver =
          [this](std::optional<TimePoint> deadline) {
            return give_out(STDOUT_FILENO, STDERR_FILENO, deadline);
          },
      .before_retry =
          [this](unsigned number, const Policy& policy, std::optional<TimePoint> deadline) {
            return before_retry(number, policy, deadline);
          },
      .may_retry = {},
  };
}

boost::asio::awaitable<std::optional<int>> Runner::wait(Duration duration) {
  // What was held of the attempt before, which did not decide.
  if (settings_.verbose != 0) co_await give_out(STDERR_FILENO, STDERR_FILENO, deadline_);
  if (input_taken_ && !said_of_input_) {
    said_of_input_ = true;
    say("the attempt has read standard input, which the next one will miss: -I replays it");
  }
  if (!counts_down()) co_return co_await supervisor_.wait(duration);
  co_return co_await count_down(supervisor_, duration);
}

// For a person who waits, and never into a log.
bool Runner::counts_down() const {
  return !settings_.quiet && settings_.log == LogFormat::text && is_live_terminal();
}

// Gives out what was held of either stream.
boost::asio::awaitable<Delivery> Runner::give_out(int output, int error,
                                                  std::optional<TimePoint> deadline) {
  Delivery delivery;
  const auto note = [this, &delivery](int lost) {
    if (lost == EINTR) delivery.interrupted_by = supervisor_.interrupted_by();
    if (lost == ETIMEDOUT) delivery.out_of_time = true;
    if (lost == EPIPE) delivery.reader_gone = true;
    if (lost != 0 && lost != EINTR && lost != ETIMEDOUT && lost != EPIPE) {
      // NOLINTNEXTLINE(concurrency-mt-unsafe)
      delivery.own_failure = std::string("output was lost: held output: ") + std::strerror(lost);
    }
  };
  // Lines of ours begin behind what comes last.
  if (held_output_.size() > 0 && (output == STDERR_FILENO || streams_are_one())) {
    stopped_ = held_output_stopped_;
  }
  if (held_error_.size() > 0) stopped_ = held_error_stopped_;
  note(co_await supervisor_.give_out(held_output_, output, deadline));
  const bool gone = delivery.reader_gone;
  note(co_await supervisor_.give_out(held_error_, error, deadline));
  held_output_ = {};
  held_error_ = {};
  delivery.reader_gone = gone;  // of stderr that is no more than the command alone would notice
  co_return delivery;
}

boost::asio::awaitable<Attempt> Runner::attempt(unsigned number, Policy policy,
                                                std::optional<TimePoint> deadline) {
  deadline_ = deadline.value_or(TimePoint::max());
  const auto handling = [](bool hold) { return hold ? Handling::hold : Handling::pass; };
  const AttemptOptions attempt_options{
      .standard_output = handling(settings_.hold_stdout),
      .standard_error = handling(settings_.hold_stderr),
      .standard_input = settings_.replay_stdin ? StandardInput::replay : StandardInput::inherit,
      .pseudo_terminal = settings_.pseudo_terminal,
      .capture_limit = static_cast<std::size_t>(settings_.capture_limit),
      .timeout = policy.timeout,
      .idle_timeout = policy.idle_timeout,
      .stall_timeout = policy.stall_timeout,
      .deadline = deadline,
      .first_signal = settings_.signal,
      .kill_after = policy.kill_after,
      .drain_grace = settings_.drain_grace,
      .drain_limit = settings_.drain_limit,
      .on_output = {},
      .on_stall_unknown = [this](const std::string& why) { say_of_stall(why); },
  };
  Command command{settings_.command, variables(number)};
  // Of a retry-exec around us they would tell its last attempt, not ours.
  if (number == 1) {
    command.unset = {"RETRY_EXEC_LAST_EXIT", "RETRY_EXEC_LAST_RULE", "RETRY_EXEC_LAST_CLASS"};
  }
  if (!settings_.keep_step_files) step_files_.mark();
  Attempt attempt = co_await supervisor_.run(command, attempt_options);
  if (auto* missing = std::get_if<NotStarted>(&attempt.outcome); missing == nullptr) {
    step_files_.drop_taken();
  } else if (!settings_.script && find_executable(settings_.command.front()).error == ENOENT) {
    missing->reason += shell_hint(settings_.command, environ);
  }
  note_where_it_stopped(attempt);
  input_taken_ = attempt.input_taken;
  printed_ = settings_.hold_stdout ? 0 : attempt.output.standard_output.size();
  held_output_ = std::move(attempt.held_output);
  held_error_ = std::move(attempt.held_error);
  co_return attempt;
}

// What is taken back of the failed attempt goes first, so that what --before-retry writes stays.
boost::asio::awaitable<std::optional<Attempt>> Runner::before_retry(
    unsigned number, Policy policy, std::optional<TimePoint> deadline) {
  for (const StepFiles::Note& note : step_files_.take_back(printed_)) {
    if (note.failed || settings_.verbose != 0) say(note.text);
  }
  if (!settings_.before_retry) co_return std::nullopt;
  Attempt ran =
      co_await run_before_retry(supervisor_, settings_, policy, variables(number), deadline);
  stopped_ = where_it_stopped(ran.output.standard_error, true);
  if (ran.cut_off) say("--before-retry: " + *ran.cut_off);
  co_return ran;
}

// Once, as every attempt would find the same.
void Runner::say_of_stall(const std::string& why) {
  if (!std::exchange(said_of_stall_, true)) say("--stall-timeout has no effect here: " + why);
}

// Would a line of ours begin behind something that the command printed, or in its colours? And was
// something lost that the user does not know of?
void Runner::note_where_it_stopped(const Attempt& attempt) {
  const bool colours = worth_logging_of(attempt);
  const auto* before = stream_before_ours(attempt.output, settings_);
  stopped_ = before != nullptr ? where_it_stopped(*before, colours) : Stopped();
  if (settings_.hold_stdout) {
    held_output_stopped_ = where_it_stopped(attempt.output.standard_output, colours);
  }
  if (settings_.hold_stderr) {
    held_error_stopped_ = where_it_stopped(attempt.output.standard_error, colours);
  }
  // With -v it is among the attempt's remarks.
  if (attempt.cut_off && settings_.verbose == 0) say(*attempt.cut_off);
}

// To look for colours takes time, which a run that says nothing does not pay. Programs read the
// lines of the formats that are not text.
Runner::Stopped Runner::where_it_stopped(const CapturedStream& output, bool colours) const {
  const std::string& tail = output.tail;
  return {.in_a_line = !tail.empty() && tail.back() != '\n',
          .coloured = colours && settings_.log == LogFormat::text && leaves_colours_on(tail)};
}

bool Runner::worth_logging_of(const Attempt& attempt) const {
  return log_ || settings_.verbose != 0 || attempt.cut_off || !succeeded(attempt.outcome);
}

std::vector<std::pair<std::string, std::string>> Runner::variables(unsigned number) const {
  std::vector<std::pair<std::string, std::string>> variables = {
      {"RETRY_EXEC_ATTEMPT", std::to_string(number)},
      {"RETRY_EXEC_MAX_ATTEMPTS", std::to_string(max_attempts_)},
      {"RETRY_EXEC_DEPTH", std::to_string(depth() + 1)},
  };
  if (number > 1) {
    variables.emplace_back("RETRY_EXEC_LAST_EXIT", std::to_string(last_exit_));
    variables.emplace_back("RETRY_EXEC_LAST_RULE", last_rule_);
    variables.emplace_back("RETRY_EXEC_LAST_CLASS", last_class_);
  }
  return variables;
}

Verdict Runner::judge(const Attempt& attempt) {
  const Failure failure{settings_.command, attempt.outcome, attempt.output, [this] {
                          return supervisor_.interrupted_by() || Clock::now() >= deadline_;
                        }};
  const Classifier& classifier = rules_.classifier(settings_.command, attempt.output);
  if (!settings_.explain) return redacted_names(classifier.classify(failure), redactor());
  const Explanation explanation = classifier.explain(failure);
  const RetryOptions options = retry_options(settings_, rules_);
  const InForce in_force{policy_in_force(options, attempt.outcome, explanation.verdict),
                         !reason_to_stop(options, attempt.outcome, explanation.verdict)};
  say(settings_.verbose != 0 ? explained(explanation, in_force)
                             : explained_briefly(explanation, in_force));
  return redacted_names(explanation.verdict, redactor());
}

// A text of many lines, each as one of ours.
void Runner::say(std::string_view text) {
  if (!settings_.quiet) write_lines(note_lines(text, log_options(), redactor()));
}

// Ours begin at the start of a line, wherever the command's own output stopped.
void Runner::write_lines(std::string_view lines) {
  const Stopped stopped = std::exchange(stopped_, {});
  std::string whole = stopped.coloured ? "\033[0m" : "";
  whole += stopped.in_a_line ? "\n" : "";
  whole += lines;
  print_log(whole, settings_.log, patience());
}

TimePoint Runner::patience() const {
  return supervisor_.interrupted_by() ? Clock::now() : deadline_;
}

double Runner::random() {
  if (!random_) random_ = seeded_random(settings_.seed ? *settings_.seed : std::random_device{}());
  return random_();
}

void Runner::on_event(const Event& event) {
  if (const auto* started = std::get_if<AttemptStarted>(&event)) {
    max_attempts_ = started->max_attempts;
  } else if (const auto* finished = std::get_if<AttemptFinished>(&event);
             finished != nullptr && !succeeded(finished->outcome)) {
    max_attempts_ = finished->max_attempts;
    last_exit_ = exit_code_of(finished->outcome);
    last_rule_ = finished->verdict ? text::printable(finished->verdict->rule) : std::string();
    last_class_ =
        finished->verdict ? text::printable(finished->verdict->class_name) : std::string();
  }
  if (recorder_) recorder_->take(event);
  if (worth_logging(event)) log(event);
}

// What no command could have said: that it could not be started, that its output was lost.
bool Runner::is_ours_to_tell(const Event& event) const {
  if (const auto* end = std::get_if<RunFinished>(&event)) {
    return end->reason == StopReason::internal || end->reason == StopReason::not_started;
  }
  const auto* finished = std::get_if<AttemptFinished>(&event);  // told with the run's end
  return finished != nullptr && !succeeded(finished->outcome) && settings_.log != LogFormat::json;
}

// A run that succeeds at once has nothing to say, and does not pay for saying it.
bool Runner::worth_logging(const Event& event) const {
  if (settings_.quiet) return is_ours_to_tell(event);
  if (log_ || settings_.verbose != 0 || settings_.log == LogFormat::json) return true;
  if (const auto* end = std::get_if<RunFinished>(&event)) {
    return end->reason != StopReason::success;
  }
  const auto* finished = std::get_if<AttemptFinished>(&event);
  return finished != nullptr && !succeeded(finished->outcome);
}

void Runner::log(const Event& event) {
  if (!log_) {
    log_ =
        log_events(log_options(), redactor(), [this](std::string_view text) { write_lines(text); });
  }
  log_(event);
}

LogOptions Runner::log_options() const {
  return {.format = settings_.log,
          .verbosity = settings_.verbose != 0 ? Verbosity::verbose : Verbosity::normal,
          .command = settings_.command,
          .now = [] { return std::chrono::system_clock::now(); },
          .coloured = settings_.log == LogFormat::text && is_coloured(settings_)};
}

const Redactor& Runner::redactor() {
  if (!redactor_) {
    words_ = words_of(settings_);
    redactor_.emplace(words_, environ);
  }
  return *redactor_;
}

// Where the summary goes; by default only of a run that has something to tell.
std::optional<std::string> Runner::summary_file() const {
  if (settings_.summary) return settings_.summary;
  const char* github = from_environment("GITHUB_STEP_SUMMARY");
  const bool eventful = result_.attempts > 1 || result_.reason != StopReason::success;
  if (github == nullptr || *github == '\0' || !eventful) return std::nullopt;
  return github;
}

// A report that cannot be written is logged; the exit code is unaffected.
void Runner::tell_what_happened() {
  const auto note = [this](const Result<void>& written) {
    if (!written) write_lines(note_lines(to_string(written.error()), log_options(), redactor()));
  };
  if (settings_.report) {
    const ReportTarget& target = *settings_.report;
    const Form form = target.format == ReportFormat::json ? Form::json : Form::text;
    note(write_report(target.path,
                      shown(report(recorder_->record(), target.format, redactor()), form),
                      patience()));
  }
  if (const auto file = summary_file(); file && recorder_) {
    note(append_summary(*file, run_summary(recorder_->record(), redactor()), patience()));
  }
  if (settings_.github_output) {
    note(append_github_output(github_outputs(*settings_.github_output, result_, last_rule_),
                              patience()));
  }
}

int Runner::finish() {
  for (const StepFiles::Note& note : step_files_.put_back()) say(note.text);
  if (const auto ahead = result_.deciding.input_read_ahead; ahead != 0 && settings_.verbose != 0) {
    say("-I read " + text::counted(ahead, "byte") +
        " of standard input ahead of the command, which no other one will find");
  }
  tell_what_happened();
  if (result_.interrupted_by) return die_by(*result_.interrupted_by);
  if (const auto late = supervisor_.interrupted_by()) return die_by(*late);
  // A shell that runs a loop around us looks for these two, to end the loop as well.
  if (const auto* signalled = std::get_if<Signalled>(&result_.deciding.outcome);
      signalled != nullptr && (signalled->signal == SIGINT || signalled->signal == SIGQUIT) &&
      result_.exit_code == exit_code::signal_base + signalled->signal) {
    return die_by(signalled->signal);
  }
  return result_.exit_code;
}

}  // namespace retry_exec
