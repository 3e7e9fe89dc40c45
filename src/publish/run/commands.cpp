#include "publish/run/commands.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace retry_exec::publish {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// What rules know the tool as, whatever its file is called.
std::vector<std::string> for_rules(const plan::Plan& plan, const Arguments& argv) {
  std::vector<std::string> command = argv;
  if (command.front() == plan.oras) {
    command.front() = "oras";
  } else if (command.front() == plan.soci) {
    command.front() = "soci";
  }
  return command;
}

// What registries take at most is 4 MiB; some take more.
constexpr std::size_t largest_manifest = std::size_t{16} << 20;

Attempt not_run(std::optional<int> interrupted_by, const char* why = "no longer wanted") {
  Attempt attempt;
  attempt.outcome = NotStarted{ECANCELED, why};
  attempt.interrupted_by = interrupted_by;
  return attempt;
}

AttemptOptions options_of(const Policy& policy, std::optional<TimePoint> deadline) {
  AttemptOptions options;
  options.standard_output = Handling::discard;
  options.standard_error = Handling::discard;
  options.standard_input = StandardInput::null;
  options.own_group = true;
  options.capture_limit = largest_manifest;
  options.timeout = policy.timeout;
  options.idle_timeout = policy.idle_timeout;
  options.stall_timeout = policy.stall_timeout;
  options.deadline = deadline;
  options.kill_after = policy.kill_after;
  return options;
}

// The registry's own word that it has not done what it was asked for.
bool is_refusal(const Attempt& failed, const Verdict& verdict) {
  constexpr std::array<std::string_view, 3> refusals = {"permanent", "absent", "throttled"};
  return verdict.matched && std::holds_alternative<Exited>(failed.outcome) &&
         std::find(refusals.begin(), refusals.end(), verdict.class_name) != refusals.end();
}

}  // namespace

std::string_view detail_of(const Verdict& verdict, std::string_view name) {
  const auto found = std::find_if(verdict.details.begin(), verdict.details.end(),
                                  [&](const Detail& detail) { return detail.name == name; });
  return found == verdict.details.end() ? std::string_view() : found->value;
}

struct Commands::Running {
  Request request;
  std::optional<Slot> door;  // until the first attempt
  std::shared_ptr<const Step> step;
  std::vector<std::string> command_for_rules;
  std::optional<std::string> unfit;  // why a success does not count
  std::optional<Verdict> verdict;    // of the last failure that was judged
  std::vector<std::string> blamed;
  TimePoint not_before{};  // the budget's word on the next attempt
  std::string missing;     // what the last failure named
  TimePoint missing_since{};
  unsigned begun = 0;     // attempts
  unsigned refused = 0;   // of these
  bool too_late = false;  // for the attempt that was to begin last
  bool unconfirmed = false;
  bool was_found = false;  // and the next attempt failed because it was missing all the same

  void begin() {
    door.reset();
    if (request.entrance != nullptr) request.entrance->reset();
  }
  bool abandoned() const { return request.abandoned != nullptr && *request.abandoned; }
};

Commands::Commands(const plan::Plan& plan, const PublishOptions& options, const PublishSeams& seams)
    : plan_(plan),
      seams_(seams),
      weak_(options.weak),
      slots_(options.jobs),
      probe_slots_(std::size_t{4} * options.jobs),
      door_(options.jobs),
      probe_door_(std::size_t{4} * options.jobs) {}

asio::awaitable<Answer> Commands::run(Request request) {
  co_await (request.probe ? probe_door_ : door_).take();
  co_return co_await run_inside(std::move(request));
}

asio::awaitable<Answer> Commands::run_inside(Request request) {
  Running running;
  running.door.emplace(request.probe ? probe_door_ : door_);
  running.request = std::move(request);
  Step step{.number = ++last_number_,
            .target = running.request.target,
            .phase = running.request.phase,
            .about = running.request.about,
            .waits = running.request.waits,
            .command = running.request.argv};
  running.step = std::make_shared<const Step>(std::move(step));
  running.command_for_rules = for_rules(plan_, running.request.argv);

  RetryOptions options;
  options.strong = running.request.policy.strong;
  options.weak = weak_;
  if (running.request.deadline != TimePoint::max()) {
    options.strong.deadline = std::max(running.request.deadline - seams_.now(), Duration(1));
  }
  retry_exec::Seams seams = seams_of(running);
  Answer answer;
  answer.run = co_await run_with_retry(std::move(options), std::move(seams));
  if (running.too_late) answer.run.reason = StopReason::deadline;
  // An attempt that the deadline cut short says less than the one before it.
  if (answer.run.reason == StopReason::deadline && !answer.run.verdict) {
    answer.run.verdict = running.verdict;
  }
  answer.output = answer.run.deciding.output.standard_output.text();
  answer.run.deciding.output.standard_output = {};
  answer.command = running.request.argv;
  answer.deadline = running.request.deadline;
  answer.unconfirmed = running.unconfirmed;
  answer.begun = running.begun;
  answer.may_be_done = running.refused < running.begun;
  if (answer.ok()) {
    for (const std::string& host : running.request.hosts) {
      registries_.of(host).budget.refund(seams_.now());
    }
  }
  co_return answer;
}

retry_exec::Seams Commands::seams_of(Running& running) {
  retry_exec::Seams seams;
  seams.attempt = [this, &running](unsigned number, const Policy& policy,
                                   std::optional<TimePoint> deadline) {
    return attempt(running, number, policy, deadline);
  };
  seams.wait = [this, &running](Duration duration) { return wait(running, duration); };
  seams.now = seams_.now;
  seams.judge = [this, &running](const Attempt& failed) { return judge(running, failed); };
  seams.random = seams_.random;
  seams.events = [this, step = running.step](const Event& event) {
    if (seams_.events) seams_.events(CommandEvent{step, event});
  };
  seams.may_retry = [this, &running](const Verdict& verdict) {
    return may_retry(running, verdict);
  };
  return seams;
}

// ---- one attempt -----------------------------------------------------------------------------

asio::awaitable<Attempt> Commands::attempt(Running& running, unsigned number, Policy policy,
                                           std::optional<TimePoint> deadline) {
  const Request& request = running.request;
  Slots& slots = request.probe ? probe_slots_ : slots_;
  while (true) {
    const TimePoint until = registries_.paused_until(request.hosts);
    if (until <= seams_.now()) break;
    running.begin();
    // Commands that waited together do not all resume at once.
    const Duration spread = Duration(static_cast<Duration::rep>(seams_.random() * 1e9));
    co_await wait_until(std::min(until + spread, deadline.value_or(TimePoint::max())),
                        request.abandoned);
    if (seams_.interrupted_by() || running.abandoned()) break;
    if (deadline && seams_.now() >= *deadline) break;
  }
  if (number > 1 && request.still_wanted && !co_await request.still_wanted()) {
    co_return not_run(seams_.interrupted_by());
  }
  co_await slots.take();
  const Slot slot(slots);
  running.begin();
  if (const std::optional<int> signal = seams_.interrupted_by()) co_return not_run(signal);
  if (running.abandoned()) co_return not_run(std::nullopt);
  // What is begun only to be killed might do its work all the same.
  running.too_late = seams_.now() >= request.deadline;
  if (running.too_late) co_return not_run(std::nullopt, "the deadline had passed");

  Command command;
  command.argv = request.argv;
  command.environment = request.environment;
  command.unset = {"ORAS_CACHE"};  // a local answer would say nothing about the registry
  Attempt attempt = co_await seams_.run(command, options_of(policy, deadline));
  if (!std::holds_alternative<NotStarted>(attempt.outcome)) ++running.begun;
  running.unfit.reset();
  if (!succeeded(attempt.outcome) && request.done &&
      request.done(attempt,
                   seams_.judge({running.command_for_rules, attempt.outcome, attempt.output}))) {
    running.unconfirmed = true;
    attempt.outcome = Exited{0};
  }
  if (succeeded(attempt.outcome) && request.check) {
    running.unfit = request.check(attempt.output.standard_output.text());
    if (running.unfit) attempt.outcome = Exited{1};
  }
  co_return attempt;
}

// ---- between attempts ------------------------------------------------------------------------

Verdict Commands::judge(Running& running, const Attempt& attempt) {
  const Request& request = running.request;
  Verdict verdict;
  if (running.unfit) {
    verdict.class_name = "absent";
    verdict.matched = true;
    verdict.rule = not_yet_rule;
    verdict.because = "the registry does not show yet what was pushed";
    verdict.line = *running.unfit;
  } else {
    verdict = seams_.judge({running.command_for_rules, attempt.outcome, attempt.output});
  }
  if (verdict.class_name == "absent") {
    verdict.retry = !request.absent_is_final;
    verdict.policy = layered(request.policy.absent, verdict.policy);
  } else if (request.waits && verdict.retry && verdict.class_name != "suspect") {
    verdict.policy.attempts = 0;  // the deadline ends it
  } else {
    PolicyFields failures = request.policy.failures;
    // A doubtful fault is not tried until the deadline.
    if (failures.attempts == 0U && verdict.class_name == "suspect") failures.attempts.reset();
    verdict.policy = layered(failures, verdict.policy);
  }
  if (is_refusal(attempt, verdict)) ++running.refused;
  running.verdict = verdict;
  running.blamed = blamed_hosts(running, verdict);
  return verdict;
}

// cp tells which of its two registries has failed.
std::vector<std::string> Commands::blamed_hosts(const Running& running,
                                                const Verdict& verdict) const {
  const std::vector<std::string>& hosts = running.request.hosts;
  if (hosts.size() == 2) {
    const std::string_view registry = detail_of(verdict, registry_detail);
    if (registry == "source") return {hosts[0]};
    if (registry == "destination") return {hosts[1]};
  }
  return hosts;
}

bool Commands::may_retry(Running& running, const Verdict& verdict) {
  if (running.abandoned()) return false;
  running.not_before = {};
  if (verdict.class_name == "absent") return true;
  const TimePoint now = seams_.now();
  // Nothing fits before the deadline then, of which the loop tells.
  if (now >= running.request.deadline) return true;
  for (const std::string& host : running.blamed) {
    running.not_before = std::max(running.not_before, registries_.of(host).budget.take(now));
  }
  return running.not_before < running.request.deadline;
}

asio::awaitable<std::optional<int>> Commands::wait(Running& running, Duration duration) {
  const TimePoint until = std::max(seams_.now() + duration, running.not_before);
  if (running.verdict && running.verdict->class_name == "throttled") {
    for (const std::string& host : running.blamed) {
      TimePoint& paused_until = registries_.of(host).paused_until;
      if (paused_until >= until) continue;
      paused_until = until;
      if (seams_.events) seams_.events(RegistryPaused{host, duration});
    }
  }
  std::optional<int> signal;
  if (std::optional<Missing> missing = missing_of(running)) {
    signal = co_await wait_for_missing(running, *std::move(missing), until);
  } else {
    signal = co_await wait_until(until, running.request.abandoned);
  }
  co_return signal;
}

// A command that needs many requests is not repeated to see whether one of them would succeed.
std::optional<Missing> Commands::missing_of(Running& running) {
  if (!running.request.missing || !running.verdict || running.verdict->class_name != "absent") {
    return std::nullopt;
  }
  std::optional<Missing> missing = running.request.missing(*running.verdict);
  if (missing && missing->about != running.missing) {
    running.missing = missing->about;
    running.missing_since = seams_.now();
    running.was_found = false;
  }
  // Where one replica has it and another does not, only time helps.
  if (running.was_found) return std::nullopt;
  return missing;
}

asio::awaitable<std::optional<int>> Commands::wait_for_missing(Running& running, Missing missing,
                                                               TimePoint until) {
  Request probe;
  probe.target = running.request.target;
  probe.phase = running.request.phase;
  probe.about = std::move(missing.about);
  probe.argv = std::move(missing.argv);
  probe.hosts = {missing.host};
  probe.policy = missing.policy;
  // Each wait goes on with the pace of those before it.
  probe.policy.absent.delay =
      std::max<Duration>(500ms, (seams_.now() - running.missing_since) / 10);
  probe.deadline = std::min(until, running.request.deadline);
  probe.probe = true;
  probe.waits = true;
  probe.abandoned = running.request.abandoned;
  const std::optional<int> first = co_await wait_until(
      std::min(until, seams_.now() + *probe.policy.absent.delay), running.request.abandoned);
  if (first || running.abandoned() || seams_.now() >= until) co_return first;
  const Answer answer = co_await run(std::move(probe));
  running.was_found = answer.ok();
  std::optional<int> signal = seams_.interrupted_by();
  if (!answer.ok() && !signal) signal = co_await wait_until(until, running.request.abandoned);
  co_return signal;
}

// In slices, so that a command abandoned in the middle of a long wait notices.
asio::awaitable<std::optional<int>> Commands::wait_until(TimePoint when, const bool* abandoned) {
  constexpr Duration slice = 500ms;
  while (abandoned == nullptr || !*abandoned) {
    const Duration left = when - seams_.now();
    if (left <= Duration::zero()) break;
    const Duration piece = abandoned == nullptr ? left : std::min(left, slice);
    const std::optional<int> signal = co_await seams_.wait(piece);
    if (signal) co_return signal;
  }
  co_return seams_.interrupted_by();
}

}  // namespace retry_exec::publish
