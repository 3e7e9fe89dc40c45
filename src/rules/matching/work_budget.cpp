#include "rules/matching/work_budget.hpp"

#include <algorithm>
#include <utility>

namespace retry_exec::rules {

namespace {

constexpr std::uint64_t steps_between_polls = 1'000'000;

// One job gets at most this part of what is there for all, so that a few costly ones leave some.
constexpr std::uint64_t lent_at_most = 2;  // the half

}  // namespace

WorkBudget::WorkBudget(std::uint64_t steps, GiveUp give_up)
    : of_job_(steps), give_up_(std::move(give_up)) {}

void WorkBudget::divide_among(std::size_t jobs) {
  const std::uint64_t all = std::exchange(of_job_, 0) + shared_ + reserved_;
  share_ = all / 2 / std::max<std::size_t>(jobs, 1);
  reserved_ = share_ * jobs;
  shared_ = all - reserved_;
}

void WorkBudget::begin_job() {
  shared_ += std::exchange(of_job_, 0);
  const std::uint64_t own = std::min(share_, reserved_);
  const std::uint64_t lent = shared_ / lent_at_most;
  reserved_ -= own;
  shared_ -= lent;
  of_job_ = own + lent;
}

bool WorkBudget::spend(std::uint64_t steps) {
  since_poll_ += steps;
  if (since_poll_ >= steps_between_polls) {
    since_poll_ = 0;
    given_up_ = given_up_ || (give_up_ && give_up_());
  }
  if (given_up_ || steps > of_job_) {
    of_job_ = 0;
    return false;
  }
  of_job_ -= steps;
  return true;
}

}  // namespace retry_exec::rules
