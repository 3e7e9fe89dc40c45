#include <retry_exec/publish_run.hpp>

#include <algorithm>

namespace retry_exec::publish {

using namespace std::chrono_literals;

namespace {

PolicyFields said(const plan::Plan& plan, plan::Phase phase) {
  const auto found = plan.phases.find(phase);
  return found == plan.phases.end() ? plan.policy : layered(found->second, plan.policy);
}

PolicyFields pace(unsigned attempts, Duration delay, double factor, double jitter_percent) {
  PolicyFields pace;
  pace.attempts = attempts;
  pace.delay = delay;
  pace.factor = factor;
  pace.max_delay = 30s;
  pace.backoff = Growth::exponential;
  pace.jitter = Jitter{.kind = Jitter::Kind::percent, .percent = jitter_percent};
  return pace;
}

// A wait of a tenth of what has been waited already overshoots by a tenth.
PolicyFields probe_pace() {
  return pace(0, 500ms, 1.1, 5);
}

// Something below a manifest that is there already: it costs many requests to ask again.
PolicyFields content_pace() {
  return pace(25, 1s, 1.3, 10);  // some nine minutes
}

// The phase's deadline is not the attempt's, see phase_deadline().
PolicyFields attempt_limits(const PolicyFields& policy, plan::Phase phase) {
  PolicyFields limits = only(PolicyPart::attempt, policy);
  if (!limits.timeout) limits.timeout = plan::defaults_of(phase).timeout;
  return limits;
}

// A copy that hangs is ended long before its timeout, and a slow one goes on.
constexpr Duration command_stall_timeout = 2min;

}  // namespace

StepPolicy probe_policy(const plan::Plan& plan, plan::Phase phase) {
  // Of the phases that do nothing but wait, the plan can set the pace; its general policy is for
  // failures, and waiting is not one. A probe is the same small read in every phase: where a phase
  // has commands of another size, its limits are those of preflight.
  const bool waits = phase == plan::Phase::preflight || phase == plan::Phase::verify;
  const auto own = plan.phases.find(phase);
  const PolicyFields policy = said(plan, waits ? phase : plan::Phase::preflight);
  StepPolicy step;
  step.absent = probe_pace();
  if (waits && own != plan.phases.end()) {
    step.absent = layered(only(PolicyPart::pace, own->second), probe_pace());
  }
  step.strong = attempt_limits(policy, plan::Phase::preflight);
  if (!policy.kill_after) step.strong.kill_after = 2s;  // a read leaves nothing to tidy up
  return step;
}

StepPolicy step_policy(const plan::Plan& plan, plan::Phase phase) {
  const PolicyFields policy = said(plan, phase);
  StepPolicy step;
  step.absent = content_pace();
  step.failures = only(PolicyPart::pace, policy);
  step.strong = attempt_limits(policy, phase);
  if (!policy.stall_timeout) step.strong.stall_timeout = command_stall_timeout;
  return step;
}

Duration phase_deadline(const plan::Plan& plan, plan::Phase phase) {
  const std::optional<Duration> deadline = said(plan, phase).deadline;
  constexpr Duration century = 24h * 36525;  // that a point in time can be reckoned with
  return deadline ? std::min(*deadline, century) : plan::defaults_of(phase).deadline;
}

}  // namespace retry_exec::publish
