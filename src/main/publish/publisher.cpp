#include "main/publish/publisher.hpp"

#include "main/explanation.hpp"

#include <retry_exec/write.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <utility>

namespace retry_exec {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

LogOptions log_options(const PublishSettings& settings) {
  LogOptions options;
  options.format = settings.log;
  options.verbosity = settings.quiet          ? Verbosity::quiet
                      : settings.verbose != 0 ? Verbosity::verbose
                                              : Verbosity::normal;
  options.program = "retry-publish";
  options.now = [] { return std::chrono::system_clock::now(); };
  options.coloured = settings.log == LogFormat::text && is_coloured(settings);
  return options;
}

bool wants_status(const PublishSettings& settings) {
  return !settings.quiet && settings.log == LogFormat::text && is_live_terminal();
}

}  // namespace

Publisher::Publisher(const PublishSettings& settings, const publish::plan::Plan& plan,
                     Classifier rules)
    : settings_(settings),
      plan_(plan),
      rules_(std::move(rules)),
      supervisor_(context_),
      redactor_({}, environ),
      random_(seeded_random(settings.seed ? *settings.seed : std::random_device{}())),
      log_(log_options(settings), redactor_, [this](std::string_view text) { write(text); }),
      recorder_(started_, [] { return Clock::now(); }),
      live_(wants_status(settings)),
      status_(plan.targets.size()) {}

int Publisher::run() {
  const auto fatal = [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  };
  for (const std::string& note : settings_.notes) {
    if (!settings_.quiet) write(note_lines(note, log_options(settings_), redactor_));
  }
  asio::co_spawn(context_, work(), fatal);
  if (live_) asio::co_spawn(context_, redraw(), fatal);
  // What waits in the context is not to be undone: it refers to what would be gone.
  if (const auto failed = run_all(context_, supervisor_, "retry-publish")) std::_Exit(*failed);
  return finish();
}

asio::awaitable<void> Publisher::work() {
  const publish::PublishSeams outside = seams();
  tool_errors_ = co_await publish::check_tools(plan_, outside);
  if (tool_errors_.empty() && !supervisor_.interrupted_by()) {
    publish::PublishOptions options;
    options.jobs = settings_.jobs;
    options.deadline = settings_.deadline;
    options.weak = rules_.sets().front().policy;
    // Commands and phases are told from the same moment on.
    started_ = std::chrono::system_clock::now();
    recorder_ = publish::views::PublishRecorder(started_, outside.now);
    result_ = co_await publish::publish(plan_, options, outside);
  }
  done_ = true;
  context_.stop();
}

asio::awaitable<void> Publisher::redraw() {
  while (!done_) {
    draw();
    const std::optional<int> signal = co_await supervisor_.wait(200ms);
    if (signal) co_return;
  }
}

publish::PublishSeams Publisher::seams() {
  publish::PublishSeams seams;
  seams.run = [this](const Command& command, const AttemptOptions& options) {
    return supervisor_.run(command, options);
  };
  seams.wait = [this](Duration duration) { return supervisor_.wait(duration); };
  seams.interrupted_by = [this] { return supervisor_.interrupted_by(); };
  seams.now = [] { return Clock::now(); };
  seams.judge = [this](Failure failure) {
    failure.give_up = [this] { return supervisor_.interrupted_by().has_value(); };
    return redacted_names(rules_for(failure).classify(failure), redactor_);
  };
  seams.random = random_;
  seams.events = [this](const publish::PublishEvent& event) { on_event(event); };
  return seams;
}

// What is run after publishing is judged as `retry-exec --rules auto` judges it.
const Classifier& Publisher::rules_for(const Failure& failure) {
  const std::vector<std::string> command(failure.command.begin(), failure.command.end());
  if (command.front() == "oras" || command.front() == "soci") return rules_;
  auto found = rules_after_.find(command);
  if (found == rules_after_.end()) {
    const std::vector<std::string> names = {"auto"};
    found = rules_after_.emplace(command, ChosenRules::open(names, command).value()).first;
  }
  return found->second.classifier(command, failure.output);
}

void Publisher::on_event(const publish::PublishEvent& event) {
  recorder_.take(event);
  if (live_) status_.take(event, Clock::now());
  log_.take(event);
}

// Until when a reader that does not read is waited for.
TimePoint Publisher::patience() const {
  if (supervisor_.interrupted_by()) return Clock::now();
  return settings_.deadline ? later(begun_, *settings_.deadline) : TimePoint::max();
}

void Publisher::tell(std::string_view text) {
  print_log(text, settings_.log, patience());
}

void Publisher::tell_errors(const Errors& errors) {
  for (const Error& error : errors) {
    tell(note_lines(to_string(error), log_options(settings_), redactor_));
  }
}

// Log lines scroll above the status.
void Publisher::write(std::string_view lines) {
  if (live_) print_status(block_.erase(), patience());
  tell(lines);
}

void Publisher::draw() {
  winsize size{};
  ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
  const std::size_t columns = size.ws_col == 0 ? 80 : size.ws_col;
  const std::size_t lines = size.ws_row == 0 ? 24 : size.ws_row;
  const std::vector<std::string> rows = status_.rows(Clock::now());
  print_status(block_.draw(rows, columns, lines / 2), patience());
}

// For the steps that follow: what each target was published as.
void Publisher::tell_digests() {
  boost::json::object digests;
  for (const publish::TargetResult& target : result_.targets) {
    if (target.is_published()) digests[target.name] = target.digest;
  }
  const std::string json = boost::json::serialize(digests);
  const auto note = [this](const Result<void>& written) {
    digests_told_ = digests_told_ && written.has_value();
    if (!written) tell_errors({written.error()});
  };
  if (settings_.digests_file) note(write_report(*settings_.digests_file, json + "\n", patience()));
  const char* github = from_environment("GITHUB_OUTPUT");
  if (github == nullptr || *github == '\0') return;
  std::string lines = "digests=" + json + "\n";
  if (result_.targets.size() == 1 && digests.size() == 1) {
    lines += "digest=" + result_.targets.front().digest + "\n";
  }
  note(append_summary(github, lines, patience()));
}

void Publisher::tell_what_happened() {
  const int code = exit_code();
  publish::views::PublishRecord record{.plan = plan_.file,
                                       .started = started_,
                                       .commands = recorder_.finish(),
                                       .result = std::move(result_),
                                       .exit_code = code};
  const auto note = [this](const Result<void>& written) {
    if (!written) tell_errors({written.error()});
  };
  if (settings_.report) {
    const ReportTarget& target = *settings_.report;
    const Form form = target.format == ReportFormat::json ? Form::json : Form::text;
    note(write_report(target.path,
                      shown(publish::views::publish_report(record, target.format, redactor_), form),
                      patience()));
  }
  const char* github = from_environment("GITHUB_STEP_SUMMARY");
  const std::string summary = settings_.summary.value_or(github == nullptr ? "" : github);
  if (!summary.empty())
    note(append_summary(summary, publish::views::publish_summary(record, redactor_), patience()));
  result_ = std::move(record.result);
}

int Publisher::exit_code() const {
  if (const std::optional<int> signal = supervisor_.interrupted_by()) {
    return exit_code::signal_base + *signal;
  }
  if (result_.succeeded() && !digests_told_) return exit_code::own_failure;
  return result_.exit_code();
}

int Publisher::finish() {
  if (live_) print_status(block_.erase(), patience());
  if (!tool_errors_.empty()) {
    tell_errors(tool_errors_);
    return exit_code::own_failure;
  }
  tell_digests();
  tell_what_happened();
  const std::string failures =
      publish::views::publish_failures(result_, redactor_, "retry-publish: ");
  if (!failures.empty() && settings_.log != LogFormat::json) {
    print_log(failures, LogFormat::text, patience());
  }
  if (const std::optional<int> signal = supervisor_.interrupted_by()) return die_by(*signal);
  return exit_code();
}

Result<RuleSet, Errors> publish_rules(const publish::plan::Plan& plan) {
  std::vector<std::string> names = plan.rules;
  for (const char* tool : {"oras", "soci"}) names.emplace_back(tool);
  return load_rule_sets(names);
}

}  // namespace retry_exec
