// What happens in a run, told as plain values. Who shows it needs no part of the loop.
#pragma once

#include <retry_exec/outcome.hpp>
#include <retry_exec/rules.hpp>

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
  done,         // what failed was there already, from an attempt whose answer was lost
  permanent,    // a rule says that trying again cannot help
  unmatched,    // no rule knows the failure
  exhausted,    // the attempts of its class (or of the run) are used up
  deadline,     // the run's deadline passed, or the next wait would not fit before it
  input_spent,  // the next attempt would miss input that this one has read
  budget,       // the shared retry budget is empty (retry-publish)
  interrupted,  // we were asked to end
  not_started,  // the command cannot be run at all
  internal,     // a failure of our own
};
std::string_view to_string(StopReason reason);

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

// What --before-retry named has ended. That it failed changes nothing.
struct BeforeRetryFinished {
  unsigned attempt = 2;  // that follows
  Outcome outcome;
  Duration elapsed{};
};

struct RunFinished {
  StopReason reason = StopReason::success;
  int exit_code = 0;
  unsigned attempts = 0;
  Duration elapsed{};
  std::string why;  // one clause for people, where the reason alone does not say it
};

using Event =
    std::variant<AttemptStarted, AttemptFinished, WaitStarted, BeforeRetryFinished, RunFinished>;
using EventSink = std::function<void(const Event&)>;

}  // namespace retry_exec
