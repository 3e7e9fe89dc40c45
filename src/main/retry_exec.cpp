// retry-exec: runs a command, and runs it again when its failure is one that passes by itself.
//
// This file reads options, wires the rooms and returns the exit code; the codes are in
// exit_code_table (retry_exec_options.cpp), which --help prints and README.md shows.
#include "chosen_rules.hpp"
#include "command_line.hpp"
#include "explanation.hpp"
#include "retry_exec_options.hpp"

#include <retry_exec/process.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/retry.hpp>
#include <retry_exec/rules.hpp>
#include <retry_exec/write.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace retry_exec {
namespace {

constexpr std::string_view usage = "Usage: retry-exec [options] [--] COMMAND [ARG…]\n";

const char* from_environment(const std::string& name) {
  return std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
}

// The variables that stand for options. Usually there is none, which one pass over the environment
// tells faster than a look-up for each option.
Environment option_variables() {
  const auto ours = [](const char* entry) {
    return std::string_view(entry).starts_with("RETRY_EXEC_");
  };
  char** end = environ;
  while (*end != nullptr) ++end;
  if (std::none_of(environ, end, ours)) return [](const std::string&) { return nullptr; };
  return from_environment;
}

int fail(const Errors& errors) {
  std::string text;
  for (const Error& error : errors) text += "retry-exec: " + printable(to_string(error)) + "\n";
  write_all(STDERR_FILENO, text);
  return exit_code::own_failure;
}

// What was asked for in place of a run.
int print(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0) return exit_code::success;
  return fail({{{}, std::string("standard output: ") + std::strerror(error)}});
}

std::string help() {
  return std::string(usage) +
         "Runs COMMAND, and runs it again after a wait when rules say that its failure passes by\n"
         "itself. Every other failure stops at once, with the command's own exit code.\n\n"
         "  retry-exec --rules ghcr -- oras cp SRC DST\n\nOptions:\n" +
         option_table(retry_exec_options()) +
         "\nDurations: 500ms, 2.5s, 1h30m, a bare number is seconds. Each long option but help and\n"
         "version has an environment variable: RETRY_EXEC_MAX_DELAY stands for --max-delay.\n\n"
         "Exit codes:\n" +
         exit_code_table;
}

// One run, from the first attempt to the exit code.
class Program {
 public:
  Program(Settings settings, ChosenRules rules)
      : settings_(std::move(settings)), rules_(std::move(rules)), supervisor_(context_) {}

  int run() {
    if (settings_.verbose != 0 && !rules_.empty()) say("rules: " + rules_.names());
    if (settings_.report || settings_.summary || from_environment("GITHUB_STEP_SUMMARY")) {
      recorder_.emplace(settings_.command, std::chrono::system_clock::now(),
                        [] { return Clock::now(); });
    }
    boost::asio::co_spawn(
        context_,
        [this]() -> boost::asio::awaitable<void> {
          result_ = co_await run_with_retry(options(), seams());
          context_.stop();
        },
        [](const std::exception_ptr& failure) {
          if (failure) std::rethrow_exception(failure);
        });
    context_.run();
    return finish();
  }

 private:
  RetryOptions options() const {
    const bool strict = !rules_.empty() || !settings_.retry_on.empty();
    return {.strong = settings_.policy,
            .weak = rules_.policy,
            .retry_on = settings_.retry_on,
            .stop_on = settings_.stop_on,
            .retry_unmatched = settings_.retry_unmatched.value_or(!strict),
            .exhausted_code = settings_.exhausted_code};
  }

  Seams seams() {
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
        .may_retry = {},
    };
  }

  boost::asio::awaitable<std::optional<int>> wait(Duration duration) {
    // What was held of the attempt before, which did not decide.
    if (settings_.verbose != 0) co_await give_out(STDERR_FILENO, STDERR_FILENO, {});
    co_return co_await supervisor_.wait(duration);
  }

  // Gives out what was held of either stream.
  boost::asio::awaitable<Delivery> give_out(int output, int error,
                                            std::optional<TimePoint> deadline) {
    Delivery delivery;
    const auto note = [this, &delivery](int lost) {
      if (lost == EINTR) delivery.interrupted_by = supervisor_.interrupted_by();
      if (lost == ETIMEDOUT) delivery.out_of_time = true;
      if (lost == EPIPE) delivery.reader_gone = true;
      if (lost != 0 && lost != EINTR && lost != ETIMEDOUT && lost != EPIPE) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe)
        delivery.own_failure = std::string("held output: ") + std::strerror(lost);
      }
    };
    note(co_await supervisor_.give_out(held_output_, output, deadline));
    const bool gone = delivery.reader_gone;
    note(co_await supervisor_.give_out(held_error_, error, deadline));
    delivery.reader_gone = gone;  // of stderr that is no more than the command alone would notice
    co_return delivery;
  }

  boost::asio::awaitable<Attempt> attempt(unsigned number, Policy policy,
                                          std::optional<TimePoint> deadline) {
    deadline_ = deadline.value_or(TimePoint::max());
    const auto handling = [](bool hold) { return hold ? Handling::hold : Handling::pass; };
    const AttemptOptions attempt_options{
        .standard_output = handling(settings_.hold_stdout),
        .standard_error = handling(settings_.hold_stderr),
        .standard_input = settings_.replay_stdin ? StandardInput::replay : StandardInput::inherit,
        .pseudo_terminal = settings_.pseudo_terminal,
        .capture_limit = settings_.capture_limit,
        .timeout = policy.timeout,
        .idle_timeout = policy.idle_timeout,
        .deadline = deadline,
        .first_signal = settings_.signal,
        .kill_after = policy.kill_after,
        .drain_grace = settings_.drain_grace,
        .on_output = {},
    };
    Command command{settings_.command, variables(number)};
    // Of a retry-exec around us they would tell its last attempt, not ours.
    if (number == 1) command.unset = {"RETRY_EXEC_LAST_EXIT", "RETRY_EXEC_LAST_RULE"};
    Attempt attempt = co_await supervisor_.run(command, attempt_options);
    line_is_open_ = stopped_within_a_line(attempt.output);
    held_output_ = std::move(attempt.held_output);
    held_error_ = std::move(attempt.held_error);
    co_return attempt;
  }

  // Would a line of ours begin behind something that the command printed?
  bool stopped_within_a_line(const CapturedOutput& output) const {
    const auto open = [](bool held, const CapturedStream& stream) {
      return !held && !stream.tail.empty() && stream.tail.back() != '\n';
    };
    return open(settings_.hold_stderr, output.standard_error) ||
           (open(settings_.hold_stdout, output.standard_output) && streams_are_one());
  }

  // 2>&1, or both at the terminal.
  static bool streams_are_one() {
    struct stat output {};
    struct stat error {};
    return ::fstat(STDOUT_FILENO, &output) == 0 && ::fstat(STDERR_FILENO, &error) == 0 &&
           output.st_dev == error.st_dev && output.st_ino == error.st_ino;
  }

  std::vector<std::pair<std::string, std::string>> variables(unsigned number) const {
    const char* outer = from_environment("RETRY_EXEC_DEPTH");
    const unsigned long depth = outer == nullptr ? 0 : std::strtoul(outer, nullptr, 10) % 1000;
    std::vector<std::pair<std::string, std::string>> variables = {
        {"RETRY_EXEC_ATTEMPT", std::to_string(number)},
        {"RETRY_EXEC_MAX_ATTEMPTS", std::to_string(max_attempts_)},
        {"RETRY_EXEC_DEPTH", std::to_string(depth + 1)},
    };
    if (number > 1) {
      variables.emplace_back("RETRY_EXEC_LAST_EXIT", std::to_string(last_exit_));
      variables.emplace_back("RETRY_EXEC_LAST_RULE", last_rule_);
    }
    return variables;
  }

  Verdict judge(const Attempt& attempt) {
    const Failure failure{settings_.command, attempt.outcome, attempt.output};
    if (!settings_.explain) return rules_.classifier().classify(failure);
    const Explanation explanation = rules_.classifier().explain(failure);
    say(explained(explanation));
    return explanation.verdict;
  }

  // A text of many lines, each as one of ours.
  void say(std::string_view text) {
    if (!settings_.quiet) write_lines(note_lines(text, log_options(), redactor()));
  }

  // Ours begin at the start of a line, wherever the command's own output stopped.
  void write_lines(std::string_view lines) {
    const std::string whole =
        (std::exchange(line_is_open_, false) ? "\n" : "") + std::string(lines);
    write_all(STDERR_FILENO, whole, supervisor_.interrupted_by() ? Clock::now() : deadline_);
  }

  double random() {
    if (!random_)
      random_ = seeded_random(settings_.seed ? *settings_.seed : std::random_device{}());
    return random_();
  }

  void on_event(const Event& event) {
    if (const auto* started = std::get_if<AttemptStarted>(&event)) {
      max_attempts_ = started->max_attempts;
    } else if (const auto* finished = std::get_if<AttemptFinished>(&event)) {
      last_exit_ = exit_code_of(finished->outcome);
      last_rule_ = finished->verdict ? finished->verdict->rule : std::string();
    }
    if (recorder_) recorder_->take(event);
    if (worth_logging(event)) log(event);
  }

  // A run that succeeds at once has nothing to say, and does not pay for saying it.
  bool worth_logging(const Event& event) const {
    if (settings_.quiet) return false;
    if (log_ || settings_.verbose != 0 || settings_.log == LogFormat::json) return true;
    if (const auto* end = std::get_if<RunFinished>(&event)) {
      return end->reason != StopReason::success;
    }
    const auto* finished = std::get_if<AttemptFinished>(&event);
    return finished != nullptr && !succeeded(finished->outcome);
  }

  void log(const Event& event) {
    if (!log_) {
      log_ = log_events(log_options(), redactor(),
                        [this](std::string_view text) { write_lines(text); });
    }
    log_(event);
  }

  LogOptions log_options() const {
    return {.format = settings_.log,
            .verbosity = settings_.verbose != 0 ? Verbosity::verbose : Verbosity::normal,
            .command = settings_.command,
            .now = [] { return std::chrono::system_clock::now(); }};
  }

  const Redactor& redactor() {
    if (!redactor_) redactor_.emplace(settings_.command, environ);
    return *redactor_;
  }

  // Where the summary goes; by default only of a run that has something to tell.
  std::optional<std::string> summary_file() const {
    if (settings_.summary) return settings_.summary;
    const char* github = from_environment("GITHUB_STEP_SUMMARY");
    const bool eventful = result_.attempts > 1 || result_.reason != StopReason::success;
    if (github == nullptr || *github == '\0' || !eventful) return std::nullopt;
    return github;
  }

  // A report that cannot be written is told, and changes nothing of how the command ended.
  void tell_what_happened() {
    const auto note = [this](const Result<void>& written) {
      if (!written) write_lines(note_lines(to_string(written.error()), log_options(), redactor()));
    };
    if (settings_.report) {
      const ReportTarget& target = *settings_.report;
      note(write_report(target.path, report(recorder_->record(), target.format, redactor())));
    }
    if (const auto file = summary_file(); file && recorder_) {
      note(append_summary(*file, run_summary(recorder_->record(), redactor())));
    }
  }

  int finish() {
    tell_what_happened();
    if (result_.interrupted_by) return die_by(*result_.interrupted_by);
    if (const auto late = supervisor_.interrupted_by()) return die_by(*late);
    // A shell that runs a loop around us looks for these two, to end the loop as well.
    if (const auto* signalled = std::get_if<Signalled>(&result_.deciding.outcome);
        signalled != nullptr && (signalled->signal == SIGINT || signalled->signal == SIGQUIT)) {
      return die_by(signalled->signal);
    }
    return result_.exit_code;
  }

  Settings settings_;
  ChosenRules rules_;
  boost::asio::io_context context_{1};
  Supervisor supervisor_;
  RunResult result_;
  Random random_;
  std::optional<Redactor> redactor_;
  std::optional<RunRecorder> recorder_;
  EventSink log_;
  HeldOutput held_output_;
  HeldOutput held_error_;
  TimePoint deadline_ = TimePoint::max();
  bool line_is_open_ = false;  // the command's output stopped in the middle of a line
  unsigned max_attempts_ = 0;
  int last_exit_ = 0;
  std::string last_rule_;
};

// What would be run, and under which policy.
std::string plan(const Settings& settings, const ChosenRules& rules) {
  const Redactor redactor(settings.command, environ);
  const Policy policy = policy_from(layered(settings.policy, rules.policy));
  return "command: " + redactor.command(settings.command) +
         "\nrules: " + (rules.empty() ? "none" : rules.names()) + "\npolicy: " + describe(policy) +
         "\n";
}

int main(std::span<char* const> arguments) {
  const auto line =
      read_command_line(retry_exec_options(), arguments, "RETRY_EXEC", option_variables());
  if (!line) return fail(line.error());
  if (line->on("help")) return print(help());
  if (line->on("version")) return print("retry-exec " RETRY_EXEC_VERSION "\n");
  if (line->operands.empty()) {
    write_all(STDERR_FILENO, std::string("retry-exec: no command given\n") + std::string(usage) +
                                 "Try 'retry-exec --help'.\n");
    return exit_code::own_failure;
  }
  const char* github = from_environment("GITHUB_ACTIONS");
  auto settings = settings_from(*line, github == nullptr ? "" : github);
  if (!settings) return fail(settings.error());
  auto rules = ChosenRules::open(settings->rules, settings->command);
  if (!rules) return fail(rules.error());
  if (settings->dry_run) return print(plan(*settings, *rules));
  Program program(std::move(*settings), std::move(*rules));
  // Nothing is buffered, and the kernel tidies up faster than destructors do.
  std::_Exit(program.run());
}

}  // namespace
}  // namespace retry_exec

int main(int count, char** arguments) {
  retry_exec::protect_standard_streams();
  const auto size = static_cast<std::size_t>(count > 0 ? count - 1 : 0);
  try {
    return retry_exec::main({arguments + (count > 0 ? 1 : 0), size});
  } catch (const boost::system::system_error& error) {
    // The system gives us no descriptor, say: `ulimit -n`.
    return retry_exec::fail({{{}, std::string("cannot begin: ") + error.code().message()}});
  }
}
