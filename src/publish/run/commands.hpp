// Running one command of a phase to its end: its attempts, the waits between them, and what it
// shares with all others (slots, the registries' budgets and pauses).
#pragma once

#include "publish/run/argv.hpp"
#include "publish/run/budget.hpp"
#include "publish/run/gate.hpp"

#include <retry_exec/publish_run.hpp>

namespace retry_exec::publish {

// Rules that decide more than whether an attempt is repeated.
inline constexpr std::string_view immutable_tag_rule = "oci/immutable-tag";
inline constexpr std::string_view nothing_to_index_rule = "soci/nothing-to-index";

struct Missing {
  std::string about;  // a reference
  Arguments argv;
  std::string host;
  StepPolicy policy;
};

struct Request {
  std::string target;
  plan::Phase phase = plan::Phase::preflight;
  std::string about;
  Arguments argv;
  std::vector<std::string> hosts;  // that it talks to: the source's first
  StepPolicy policy;
  TimePoint deadline = TimePoint::max();  // of the phase, or of the run
  bool probe = false;                     // one small read
  bool waits = false;                     // what it asks for is expected, and not there yet
  bool absent_is_final = false;           // "not there" is an answer
  std::vector<std::pair<std::string, std::string>> environment;
  // Looks at the output of a success; what is wrong with it is treated as if it were absent.
  std::function<std::optional<std::string>(const std::string&)> check;
  // Asked before each attempt but the first: "no" ends the command, whose answer is then no matter.
  std::function<boost::asio::awaitable<bool>()> still_wanted;
  // Whether a failed attempt has done all the same what was asked for.
  std::function<bool(const Attempt&, const Verdict&)> done;
  // One small read of what a failure names as not there, as far as it can be told: once that is
  // readable, it is time for the next attempt.
  std::function<std::optional<Missing>(const Verdict&)> missing;
  // Set by the caller that no longer wants the answer.
  const bool* abandoned = nullptr;
  // Given back as soon as it begins.
  std::optional<Slot>* entrance = nullptr;
};

struct Answer {
  RunResult run;
  std::string output;  // stdout of the deciding attempt
  std::vector<std::string> command;
  TimePoint deadline = TimePoint::max();  // the request's
  bool unconfirmed = false;               // done, by a failed attempt
  unsigned begun = 0;                     // attempts in which a program was started
  bool may_be_done = false;               // by a failed attempt that was not refused
  bool ok() const { return run.reason == StopReason::success; }
  bool was_begun() const { return begun > 0; }
  bool was_too_late() const { return run.reason == StopReason::deadline && !was_begun(); }
  bool absent() const { return run.verdict && run.verdict->class_name == "absent"; }
  bool is_immutable_tag() const { return is_by(immutable_tag_rule); }
  bool is_by(std::string_view rule) const { return run.verdict && run.verdict->rule == rule; }
};

// A target passes here before each phase, and its slot is free again when its first command begins:
// a waiting target takes less memory than its waiting commands, and a phase's deadline counts from
// here.
class Entrances {
 public:
  explicit Entrances(unsigned jobs) : any_(jobs), reading_(std::size_t{4} * jobs) {}

  Slots& of(plan::Phase phase) {
    const bool only_reads = phase == plan::Phase::preflight || phase == plan::Phase::verify;
    return only_reads ? reading_ : any_;
  }

 private:
  Slots any_;
  Slots reading_;
};

class Commands {
 public:
  Commands(const plan::Plan& plan, const PublishOptions& options, const PublishSeams& seams);

  boost::asio::awaitable<Answer> run(Request request);

 private:
  struct Running;

  boost::asio::awaitable<Answer> run_inside(Request request);
  retry_exec::Seams seams_of(Running& running);
  boost::asio::awaitable<Attempt> attempt(Running& running, unsigned number, Policy policy,
                                          std::optional<TimePoint> deadline);
  boost::asio::awaitable<std::optional<int>> wait(Running& running, Duration duration);
  boost::asio::awaitable<std::optional<int>> wait_until(TimePoint when, const bool* abandoned);
  std::optional<Missing> missing_of(Running& running);
  boost::asio::awaitable<std::optional<int>> wait_for_missing(Running& running, Missing missing,
                                                              TimePoint until);
  Verdict judge(Running& running, const Attempt& attempt);
  bool may_retry(Running& running, const Verdict& verdict);
  std::vector<std::string> blamed_hosts(const Running& running, const Verdict& verdict) const;

  const plan::Plan& plan_;
  const PublishSeams& seams_;
  const PolicyFields weak_;
  Slots slots_;
  Slots probe_slots_;
  // A command that waits here takes little memory; one whose turn has come does not.
  Slots door_;
  Slots probe_door_;
  RegistryStates registries_;
  unsigned last_number_ = 0;
};

}  // namespace retry_exec::publish
