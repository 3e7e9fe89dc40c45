// The retry loop in a world of its own: a scripted command and a clock that jumps.
#pragma once

#include "catch_shim.hpp"

#include <retry_exec/retry.hpp>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace test {

using namespace retry_exec;

struct RetryStep {
  Outcome outcome;
  std::string class_name = "transient";  // how a failure is judged; empty: by no rule
  std::optional<Duration> retry_after = {};
  std::optional<int> interrupted_by = {};
  std::vector<Survivor> survivors = {};
  bool input_taken = false;
};

// A world in which everything happens at once.
struct RetryWorld {
  std::deque<RetryStep> steps;
  RetryOptions options;
  std::map<std::string, PolicyFields> classes;
  std::optional<int> interrupt_wait;
  std::optional<Attempt> before_retry;  // what comes of it each time, a second later

  TimePoint now{};
  std::vector<Duration> waits;
  std::vector<Event> events;
  unsigned runs = 0;
  std::vector<unsigned> prepared;  // the attempts that something was run before

  RetryStep current = {};

  RunResult run();
  Verdict judge(const RetryStep& step) const;
  Seams seams();
};

inline const Outcome failure = Exited{1};
inline const Outcome success = Exited{0};

}  // namespace test
