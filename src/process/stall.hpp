// Whether anything still moves in what a command has started: the decision alone, without a clock
// or a process.
#pragma once

#include <retry_exec/quantity.hpp>

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace retry_exec {

// What some processes have done so far.
struct Activity {
  std::vector<pid_t> processes;      // sorted
  std::uint64_t bytes = 0;           // read, written, sent and received
  Duration processor_time{};         // in ticks of 10 ms
  bool waits_for_processor = false;  // is one of them ready to run?

  bool operator==(const Activity&) const = default;
};

class StallDetector {
 public:
  explicit StallDetector(Duration limit) : limit_(limit) {}

  // How often to look: ten times within the limit, but not more often than four times a second.
  Duration interval() const;

  // Takes what is seen at `now`. Returns for how long nothing has moved: no process came or went,
  // no byte, and less processor time than one in a hundred. Runtimes with timers and collectors
  // (Java, Go) use that much while they wait. Time in which one of them stood in line for a
  // processor does not count: a command that works is slow on an overloaded machine, not stalled.
  Duration observe(TimePoint now, const Activity& activity);

  // Something moved that no Activity tells, or it cannot be told.
  void restart(TimePoint now);

  Duration limit() const { return limit_; }

 private:
  Duration limit_;
  bool began_ = false;
  TimePoint looked_at_{};
  TimePoint moved_at_{};
  Duration processor_time_{};  // at moved_at_
  Activity last_;
};

}  // namespace retry_exec
