// The loop that joins an attempt, its verdict and the wait before the next one.
//
// Time, chance, children and rules come in from outside (Seams), so that every path of the loop is
// tested without a clock or a process. What happens is reported as events; nothing here prints.
#pragma once

#include <retry_exec/events.hpp>
#include <retry_exec/outcome.hpp>
#include <retry_exec/policy.hpp>
#include <retry_exec/process.hpp>
#include <retry_exec/rules.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace retry_exec {

// ---- the loop --------------------------------------------------------------------------------

// What the user asked for, apart from the rules.
struct RetryOptions {
  PolicyFields strong;  // from options and environment: wins over every rule file
  PolicyFields weak;    // from the rule files' own policy
  CodeSet retry_on;     // outcomes that are retried whatever the rules say
  CodeSet stop_on;      // outcomes that are final whatever the rules say; beats retry_on
  bool retry_unmatched = false;
  CodeSet stop_unmatched;             // outcomes that are final where no rule knows them, even so
  bool go_on_without_input = false;   // retry even if an attempt has read what the next would miss
  std::optional<int> exhausted_code;  // replaces the exit code when attempts ran out
  // Seams::before_retry can renew credentials: class "expired" is retried, once. Here and below, no
  // value says that the caller's user has no such choice, and nothing is said of it.
  std::optional<bool> renews_credentials = {};
  // Class "done" is success behind an attempt whose answer may have been lost: it ran into a time
  // limit, was killed, or failed as transient or suspect.
  std::optional<bool> accept_done = {};
};

// The policy that a judged failure is retried under, every layer counted.
Policy policy_in_force(const RetryOptions& options, const PolicyFields& of_verdict);
Policy policy_in_force(const RetryOptions& options, const Outcome& outcome, const Verdict& verdict);

// Why a judged failure is final; nothing: it is retried, as far as attempts and time allow.
std::optional<StopReason> reason_to_stop(const RetryOptions& options, const Outcome& outcome,
                                         const Verdict& verdict);

// How the output of the deciding attempt was handed out, where it had been held.
struct Delivery {
  std::optional<int> interrupted_by;       // a signal asked us to end before it was out whole
  bool out_of_time = false;                // the deadline passed before that
  bool reader_gone = false;                // nobody reads it any more
  std::optional<std::string> own_failure;  // a full disk, say
};

struct Seams {
  // Runs attempt `number` (from 1) under `policy`; `deadline` is that of the whole run.
  std::function<boost::asio::awaitable<Attempt>(unsigned number, const Policy& policy,
                                                std::optional<TimePoint> deadline)>
      attempt;
  // Waits; returns the signal that cut it short.
  std::function<boost::asio::awaitable<std::optional<int>>(Duration)> wait;
  std::function<TimePoint()> now;
  // Judges a failure; not called after a success.
  std::function<Verdict(const Attempt&)> judge;
  Random random;
  EventSink events;
  // Called once, before the run is said to have ended. Empty: nothing was held.
  std::function<boost::asio::awaitable<Delivery>(std::optional<TimePoint> deadline)> deliver;
  // Called after each wait, right before attempt `number`. What it ran, if anything; only a signal
  // or the deadline that ended it ends the run. Empty: nothing is to be done.
  std::function<boost::asio::awaitable<std::optional<Attempt>>(
      unsigned number, const Policy& policy, std::optional<TimePoint> deadline)>
      before_retry;
  // Asked before each retry; false ends the run with StopReason::budget. Empty: always true.
  std::function<bool(const Verdict&)> may_retry;
};

struct RunResult {
  StopReason reason = StopReason::success;
  int exit_code = 0;                  // before dying by a signal is considered
  std::optional<int> interrupted_by;  // die by this
  unsigned attempts = 0;
  Duration elapsed{};
  Attempt deciding;  // the attempt whose end is the run's
  std::optional<Verdict> verdict;
};

boost::asio::awaitable<RunResult> run_with_retry(RetryOptions options, Seams seams);

}  // namespace retry_exec
