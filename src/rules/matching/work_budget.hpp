// What judging one failure may cost, counted in steps of work instead of time, so that a failure
// gets the same verdict on every machine, however slow or busy.
#pragma once

#include <cstdint>
#include <functional>

namespace retry_exec::rules {

// A step is about what it takes to look at one byte: some 1.5 ns on the machine that the figures of
// the README are of.
class WorkBudget {
 public:
  // Polled between pieces of work; true ends all of it.
  using GiveUp = std::function<bool()>;

  explicit WorkBudget(std::uint64_t steps, GiveUp give_up = {});

  void add(std::uint64_t steps) { shared_ += steps; }

  // Divides what is left among so many jobs that come one after the other: half of it evenly, so
  // that a costly one takes nothing from the others, the other half as they need it.
  void divide_among(std::size_t jobs);
  // What the last job left goes to all.
  void begin_job();

  // False when the job may not go on; nothing of it is left then.
  bool spend(std::uint64_t steps);
  bool affords(std::uint64_t steps) const { return steps <= of_job_; }

 private:
  std::uint64_t of_job_;      // left of the job's own and of what it was lent
  std::uint64_t shared_ = 0;  // for jobs that need more than its share
  std::uint64_t reserved_ = 0;
  std::uint64_t share_ = 0;
  std::uint64_t since_poll_ = 0;
  bool given_up_ = false;
  GiveUp give_up_;
};

}  // namespace retry_exec::rules
