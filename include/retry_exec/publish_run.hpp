// Carrying out a plan: targets side by side, their copies into one repository in the plan's order.
//
// Children, time, chance and rules come in from outside, as in retry.hpp; what happens is reported
// as events.
#pragma once

#include <retry_exec/process.hpp>
#include <retry_exec/publish_plan.hpp>
#include <retry_exec/retry.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace retry_exec::publish {

struct RehearsedCommand {
  plan::Phase phase;
  std::vector<std::string> argv;
  bool operator==(const RehearsedCommand&) const = default;
};
// What a run of one target does where all its sources are there, as plain images unless the plan
// says that they are more, and nothing has been published yet. Its phases are those of any run;
// only nothing is run, asked or written. What cannot be known beforehand stands in angle brackets.
struct Rehearsal {
  std::vector<RehearsedCommand> commands;  // in the order in which they begin
  bool fails = false;                      // it cannot succeed, whatever registries say
  std::string ends;  // why it fails or publishes nothing; empty: it does neither
};
Rehearsal rehearse(const plan::Plan& plan, std::size_t target);

// An attempt's limits and waits in one phase.
struct StepPolicy {
  PolicyFields strong;    // limits of each attempt
  PolicyFields failures;  // as the plan says: wins over the rule files' pace
  PolicyFields absent;    // how long, and how often, something that is not there yet is awaited
};
StepPolicy probe_policy(const plan::Plan& plan, plan::Phase phase);
StepPolicy step_policy(const plan::Plan& plan, plan::Phase phase);
// The time that a whole phase of one target may take.
Duration phase_deadline(const plan::Plan& plan, plan::Phase phase);

// ---- what came of it -------------------------------------------------------------------------

// Why a target is not published, or what was to be done after it is not.
struct TargetFailure {
  plan::Phase phase = plan::Phase::preflight;
  StopReason reason = StopReason::permanent;
  std::string what;                  // one sentence for people
  std::vector<std::string> command;  // as it was run; empty: none failed
  std::string manifest;              // that it pushes, where it reads one from a file of ours
  bool needs_scratch = false;        // it names other files of ours, which are gone after the run
  std::optional<Verdict> verdict;    // of its last attempt
};

struct TagResult {
  oci::Reference tag;
  bool copied = false;          // moved by this run
  bool may_have_moved = false;  // whether it moved is not known
  bool newer = false;           // left alone: what it holds was created later
  bool had_it = false;          // before this run, as far as it was looked at
  bool verified = false;
};

// Something that was pushed and could not be read at once.
struct Lag {
  plan::Phase phase = plan::Phase::preflight;
  std::string what;  // a reference
  Duration waited{};
  unsigned probes = 0;
};

// A command that was to run after publishing.
struct AfterResult {
  std::vector<std::string> command;
  std::string about;         // a reference: a tag, or the digest at a destination
  bool was_done = false;     // by an earlier run, or for another target of this one
  bool for_another = false;  // of these: the latter
  bool done = false;
  bool failed = false;  // not done, and not for the failure of one before it
};

struct PhaseResult {
  plan::Phase phase = plan::Phase::preflight;
  Duration start{};  // since the run's
  Duration elapsed{};
  bool succeeded = false;
  std::string note;  // what was found done, or left out
};

struct TargetResult {
  std::string name;
  std::string index;      // digest of the index that was created
  bool left_out = false;  // none of it was found, and the plan allows that
  std::string digest;     // what was published: the index, or what SOCI made of it
  std::vector<TagResult> tags;
  std::vector<PhaseResult> phases;
  std::vector<Lag> lags;
  std::vector<AfterResult> after;
  std::vector<oci::Platform> platforms;  // of the images that it is made of
  unsigned attestations = 0;
  unsigned commands = 0;
  unsigned attempts = 0;
  std::optional<TargetFailure> failure;

  Duration elapsed() const;   // from its first phase to the end of its last
  bool left_alone() const;    // what each of its tags holds is newer, so it was put nowhere
  bool is_published() const;  // all its tags have it, whatever came of the commands after it
};

// The rule of a tag that does not show yet what it was given.
inline constexpr std::string_view not_yet_rule = "publish/not-yet";

// Details that rules/oras.yaml finds in an error, empty where there is none: the digest that was
// not there, and which of the two registries of a copy said so ("source" or "destination").
inline constexpr std::string_view missing_detail = "missing";
inline constexpr std::string_view registry_detail = "registry";
std::string_view detail_of(const Verdict& verdict, std::string_view name);

struct PublishResult {
  std::vector<TargetResult> targets;  // in the plan's order
  std::optional<int> interrupted_by;
  bool deadline_passed = false;
  Duration elapsed{};

  bool succeeded() const;
  int exit_code() const;  // before dying by a signal is considered
};

// ---- events ----------------------------------------------------------------------------------

struct PhaseStarted {
  std::string target;
  plan::Phase phase = plan::Phase::preflight;
};

struct PhaseFinished {
  std::string target;
  PhaseResult result;
};

// What a command is run for.
struct Step {
  unsigned number = 0;  // of the command, from 1
  std::string target;
  plan::Phase phase = plan::Phase::preflight;
  std::string about;   // a reference
  bool waits = false;  // for something that is expected not to be there yet
  std::vector<std::string> command;
};

// An event of one command's retry loop.
struct CommandEvent {
  std::shared_ptr<const Step> step;
  Event event;
};

// What a command that the plan runs after publishing has printed in its last attempt.
struct AfterPrinted {
  std::string target;
  std::string text;
};

struct LagEnded {
  std::string target;
  Lag lag;
};

// A registry asked for less: no command is begun against it for so long.
struct RegistryPaused {
  std::string host;
  Duration duration{};
};

struct TargetFinished {
  const TargetResult* result = nullptr;
};

using PublishEvent = std::variant<PhaseStarted, PhaseFinished, CommandEvent, AfterPrinted, LagEnded,
                                  RegistryPaused, TargetFinished>;

// ---- the run ---------------------------------------------------------------------------------

struct PublishOptions {
  unsigned jobs = 16;                // commands side by side
  std::optional<Duration> deadline;  // of the whole run
  PolicyFields weak;                 // from the rule files' own policy
};

struct PublishSeams {
  std::function<boost::asio::awaitable<Attempt>(const Command&, const AttemptOptions&)> run;
  std::function<boost::asio::awaitable<std::optional<int>>(Duration)> wait;
  std::function<std::optional<int>()> interrupted_by;
  std::function<TimePoint()> now;
  std::function<Verdict(const Failure&)> judge;
  Random random;
  std::function<void(const PublishEvent&)> events;
};

// `plan` must outlive the run.
boost::asio::awaitable<PublishResult> publish(const plan::Plan& plan, PublishOptions options,
                                              PublishSeams seams);

// Whether the tools that the plan needs are there and new enough; runs them with "version".
boost::asio::awaitable<Errors> check_tools(const plan::Plan& plan, const PublishSeams& seams);

}  // namespace retry_exec::publish
