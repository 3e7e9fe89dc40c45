// The loop that joins an attempt, its verdict and the wait before the next one.
//
// Time, chance, children and rules come in from outside (Seams), so that every path of the loop is
// tested without a clock or a process. What happens is told as events; nothing here prints.
#pragma once

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

// Why a run ended.
enum class StopReason {
  success,
  permanent,    // a rule says that trying again cannot help
  unmatched,    // no rule knows the failure
  exhausted,    // the attempts of its class (or of the run) are used up
  deadline,     // the run's deadline passed, or the next wait would not fit before it
  budget,       // the shared retry budget is empty (retry-publish)
  interrupted,  // somebody asked us to end
  not_started,  // the command cannot be run at all
  internal,     // a failure of our own
};
std::string_view to_string(StopReason reason);

// ---- events ----------------------------------------------------------------------------------

struct AttemptStarted {
  unsigned attempt = 1;       // from 1
  unsigned max_attempts = 0;  // 0: no end
};

struct AttemptFinished {
  unsigned attempt = 1;
  unsigned max_attempts = 0;  // as this failure's class has it; 0: no end
  Outcome outcome;
  Duration elapsed{};
  std::optional<Verdict> verdict;  // of a failure that was judged
  std::vector<std::string> remarks;
};

struct WaitStarted {
  Duration duration{};
  bool asked_for = false;  // the registry named a wait (Retry-After) and this honours it
};

struct RunFinished {
  StopReason reason = StopReason::success;
  int exit_code = 0;
  unsigned attempts = 0;
  Duration elapsed{};
  std::string why;  // one clause for people, where the reason alone does not say it
};

using Event = std::variant<AttemptStarted, AttemptFinished, WaitStarted, RunFinished>;
using EventSink = std::function<void(const Event&)>;

// ---- the loop --------------------------------------------------------------------------------

// What the user asked for, apart from the rules.
struct RetryOptions {
  PolicyFields strong;  // from options and environment: wins over every rule file
  PolicyFields weak;    // from the rule files' own policy
  CodeSet retry_on;     // outcomes that are retried whatever the rules say
  CodeSet stop_on;      // outcomes that are final whatever the rules say; beats retry_on
  bool retry_unmatched = false;
  std::optional<int> exhausted_code;  // replaces the exit code when attempts ran out
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
