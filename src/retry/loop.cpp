#include <retry_exec/retry.hpp>

#include <algorithm>
#include <csignal>
#include <map>
#include <utility>

namespace retry_exec {

namespace {

// One class of failure, as far as this run has met it.
struct ClassTally {
  Policy policy;
  Backoff backoff;
  unsigned failures = 0;
};

// What to do after a failure.
struct Decision {
  std::optional<StopReason> stop;
  std::string why;
  Duration wait{};
  bool asked_for = false;
  unsigned max_attempts = 0;  // in all, as this failure's class has it
};

const char* const no_such_command =
    "a shell exits with this code when it cannot find or run a command; --retry-on 126,127 retries "
    "it";

// Is it final only where nobody renews what ran out?
bool renewable(const RetryOptions& options, const Verdict& verdict) {
  return options.renews_credentials.value_or(false) && verdict.matched && !verdict.retry &&
         verdict.class_name == expired_class;
}

// Why nothing may be started now, for people.
std::string still_running(const std::vector<Survivor>& survivors) {
  std::string who;
  for (const Survivor& survivor : survivors) {
    who += (who.empty() ? ": " : ", ") + std::to_string(survivor.pid) + " (" + survivor.name + ")";
  }
  return "processes of the failed attempt are still running" + who +
         "; no further attempt is started";
}

class Loop {
 public:
  Loop(RetryOptions options, Seams seams)
      : options_(std::move(options)),
        seams_(std::move(seams)),
        base_(policy_from(layered(options_.strong, options_.weak))),
        started_(seams_.now()) {
    if (base_.deadline) deadline_ = later(started_, *base_.deadline);
    result_.attempts = 0;
  }

  boost::asio::awaitable<RunResult> run() {
    unsigned max_attempts = base_.attempts;
    while (true) {
      const unsigned number = ++result_.attempts;
      tell(AttemptStarted{number, max_attempts});
      result_.deciding = co_await seams_.attempt(number, base_, deadline_);
      const Decision decision = decide(number);
      max_attempts = decision.max_attempts;
      tell(AttemptFinished{number, max_attempts, result_.deciding.outcome, result_.deciding.elapsed,
                           result_.verdict, result_.deciding.remarks});
      if (decision.stop) co_return co_await finish(*decision.stop, decision.why);
      tell(WaitStarted{decision.wait, decision.asked_for});
      if (const std::optional<int> signal = co_await seams_.wait(decision.wait)) {
        result_.interrupted_by = signal;
        co_return co_await finish(StopReason::interrupted, {});
      }
      if (const auto reason = co_await before_retry(number + 1)) {
        const bool late = *reason == StopReason::deadline;
        co_return co_await finish(*reason, late ? "--before-retry was still running then" : "");
      }
    }
  }

 private:
  void tell(const Event& event) const {
    if (seams_.events) seams_.events(event);
  }

  // Why there is no attempt `number`, if there is none.
  boost::asio::awaitable<std::optional<StopReason>> before_retry(unsigned number) {
    if (!seams_.before_retry) co_return std::nullopt;
    const std::optional<Attempt> ran = co_await seams_.before_retry(number, base_, deadline_);
    if (!ran) co_return std::nullopt;
    tell(BeforeRetryFinished{number, ran->outcome, ran->elapsed});
    if (ran->interrupted_by) {
      result_.interrupted_by = ran->interrupted_by;
      co_return StopReason::interrupted;
    }
    if (deadline_ && seams_.now() >= *deadline_) co_return StopReason::deadline;
    co_return std::nullopt;
  }

  static Decision stop(StopReason reason, unsigned number, std::string why = {}) {
    return {.stop = reason, .why = std::move(why), .max_attempts = number};
  }

  Decision decide(unsigned number) {
    const Attempt& attempt = result_.deciding;
    result_.verdict.reset();
    result_.interrupted_by = attempt.interrupted_by;
    if (attempt.interrupted_by) return stop(StopReason::interrupted, number);
    if (attempt.own_failure) {
      return stop(StopReason::internal, number, *attempt.own_failure);
    }
    if (succeeded(attempt.outcome)) return stop(StopReason::success, number);
    if (std::holds_alternative<NotStarted>(attempt.outcome) &&
        !options_.retry_on.contains(attempt.outcome)) {
      return stop(StopReason::not_started, number);
    }
    if (const auto* timed_out = std::get_if<TimedOut>(&attempt.outcome);
        timed_out != nullptr && timed_out->limit == TimeLimit::deadline) {
      return stop(StopReason::deadline, number);
    }
    if (attempt.reader_gone) {
      return stop(StopReason::permanent, number, "the reader of our output has gone away");
    }
    if (options_.stop_on.contains(attempt.outcome)) {
      return stop(StopReason::permanent, number, "--stop-on names this outcome");
    }
    result_.verdict = seams_.judge(attempt);
    if (options_.accept_done.value_or(false) && found_done(*result_.verdict)) {
      return stop(StopReason::done, number);
    }
    if (const auto reason = reason_to_stop(options_, attempt.outcome, *result_.verdict)) {
      return stop(*reason, number, why_final(*reason, *result_.verdict));
    }
    if (attempt.has_survivors) {
      return stop(StopReason::internal, number, still_running(attempt.survivors));
    }
    Decision decision = decide_wait(number, *result_.verdict);
    if (attempt.input_taken && !options_.go_on_without_input && !decision.stop) {
      return stop(StopReason::input_spent, number,
                  "the attempt has read standard input, which another one would miss; -I records "
                  "and replays it, --spent-stdin go-on retries anyway");
    }
    return decision;
  }

  // Is it there already, perhaps by an attempt of this run?
  bool found_done(const Verdict& verdict) const {
    return answer_was_lost_ && verdict.matched && verdict.class_name == done_class;
  }

  std::string why_final(StopReason reason, const Verdict& verdict) const {
    std::string hint;
    if (reason == StopReason::permanent && !verdict.matched) {
      hint = no_such_command;
    } else if (options_.accept_done && found_done(verdict)) {
      hint = "an earlier attempt may have done it: --accept-done takes that as success";
    } else if (options_.renews_credentials && verdict.matched &&
               verdict.class_name == expired_class) {
      hint = "--before-retry can log in again; it is then tried once more";
    }
    if (hint.empty() || verdict.note.empty()) return verdict.note + hint;
    return verdict.note + "; " + hint;
  }

  // May the other side have done what it was asked for, although this attempt failed?
  bool may_have_arrived(const Verdict& verdict) const {
    const Outcome& outcome = result_.deciding.outcome;
    if (std::holds_alternative<TimedOut>(outcome) || std::holds_alternative<Signalled>(outcome)) {
      return true;
    }
    return verdict.matched &&
           (verdict.class_name == "transient" || verdict.class_name == "suspect");
  }

  Decision decide_wait(unsigned number, const Verdict& verdict) {
    ClassTally& tally = tally_of(verdict);
    ++tally.failures;
    Decision decision;
    decision.max_attempts = attempts_in_all(number, tally);
    if (decision.max_attempts == number) {
      decision.stop = StopReason::exhausted;
      return decision;
    }
    if (seams_.may_retry && !seams_.may_retry(verdict)) {
      decision.stop = StopReason::budget;
      return decision;
    }
    decision.wait = tally.backoff.next(verdict.retry_after);
    decision.asked_for =
        verdict.retry_after && *verdict.retry_after > tally.backoff.longest(tally.failures);
    if (deadline_ && decision.wait >= *deadline_ - seams_.now()) {
      decision.stop = StopReason::deadline;
      decision.why = "a wait of " + format_duration(decision.wait) + " does not fit before it";
    }
    answer_was_lost_ = answer_was_lost_ || may_have_arrived(verdict);
    return decision;
  }

  ClassTally& tally_of(const Verdict& verdict) {
    const auto known = tallies_.find(verdict.class_name);
    if (known != tallies_.end()) return known->second;
    const Policy policy = policy_in_force(options_, result_.deciding.outcome, verdict);
    return tallies_.emplace(verdict.class_name, ClassTally{policy, Backoff(policy, seams_.random)})
        .first->second;
  }

  // Each class counts its own failures against its own attempts. A number that the user gave by
  // option or environment is also the most for the whole run.
  unsigned attempts_in_all(unsigned number, const ClassTally& tally) const {
    if (tally.policy.attempts == 0) return 0;
    const unsigned of_class =
        number + (tally.policy.attempts - std::min(tally.policy.attempts, tally.failures));
    const unsigned given = options_.strong.attempts.value_or(0);
    return given == 0 ? of_class : std::clamp(given, number, of_class);
  }

  boost::asio::awaitable<RunResult> finish(StopReason reason, std::string why) {
    nobody_reads_ = result_.deciding.reader_gone;
    // Of an attempt whose output was not kept whole, a part would pass for the whole.
    if (seams_.deliver && reason != StopReason::not_started && !result_.deciding.own_failure) {
      take(co_await seams_.deliver(deadline_), reason, why);
    }
    result_.reason = reason;
    result_.elapsed = seams_.now() - started_;
    result_.exit_code = exit_code_for(reason);
    tell(RunFinished{reason, result_.exit_code, result_.attempts, result_.elapsed, why});
    co_return std::move(result_);
  }

  // Output that did not come out whole is not a success.
  void take(const Delivery& delivery, StopReason& reason, std::string& why) {
    nobody_reads_ = nobody_reads_ || delivery.reader_gone;
    if (result_.interrupted_by) return;
    if (delivery.interrupted_by) {
      result_.interrupted_by = delivery.interrupted_by;
      reason = StopReason::interrupted;
    } else if (delivery.own_failure) {
      result_.deciding.own_failure = delivery.own_failure;
      reason = StopReason::internal;
      why = *delivery.own_failure;
    } else if (delivery.out_of_time) {
      reason = StopReason::deadline;
      why = "its output was not read in time";
    }
  }

  int exit_code_for(StopReason reason) const {
    if (result_.interrupted_by) return exit_code::signal_base + *result_.interrupted_by;
    if (result_.deciding.own_failure) return exit_code::own_failure;
    if (reason == StopReason::deadline) return exit_code::timed_out;
    if (reason == StopReason::done) return exit_code::success;
    if (reason == StopReason::exhausted && options_.exhausted_code) {
      return *options_.exhausted_code;
    }
    if (nobody_reads_ && succeeded(result_.deciding.outcome)) {
      return exit_code::signal_base + SIGPIPE;  // as the command alone would have ended
    }
    return exit_code_of(result_.deciding.outcome);
  }

  const RetryOptions options_;
  const Seams seams_;
  const Policy base_;
  const TimePoint started_;
  std::optional<TimePoint> deadline_;
  std::map<std::string, ClassTally, std::less<>> tallies_;
  bool answer_was_lost_ = false;  // of a failed attempt that may have done its work
  bool nobody_reads_ = false;     // what the deciding attempt printed, or its last
  RunResult result_;
};

}  // namespace

Policy policy_in_force(const RetryOptions& options, const PolicyFields& of_verdict) {
  return policy_from(layered(options.strong, layered(of_verdict, options.weak)));
}

Policy policy_in_force(const RetryOptions& options, const Outcome& outcome,
                       const Verdict& verdict) {
  Policy policy = policy_in_force(options, verdict.policy);
  // If a new login did not help, a second one will not either.
  if (renewable(options, verdict) && !options.retry_on.contains(outcome)) policy.attempts = 2;
  return policy;
}

std::optional<StopReason> reason_to_stop(const RetryOptions& options, const Outcome& outcome,
                                         const Verdict& verdict) {
  if (options.retry_on.contains(outcome)) return std::nullopt;
  if (verdict.matched) {
    const bool retried = verdict.retry || renewable(options, verdict);
    return retried ? std::nullopt : std::optional(StopReason::permanent);
  }
  if (!options.retry_unmatched) return StopReason::unmatched;
  return options.stop_unmatched.contains(outcome) ? std::optional(StopReason::permanent)
                                                  : std::nullopt;
}

boost::asio::awaitable<RunResult> run_with_retry(RetryOptions options, Seams seams) {
  Loop run(std::move(options), std::move(seams));
  co_return co_await run.run();
}

}  // namespace retry_exec
