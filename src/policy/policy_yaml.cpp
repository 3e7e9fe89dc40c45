#include "policy/policy_yaml.hpp"

namespace retry_exec {

PolicyFields read_policy_fields(yaml::Mapping& fields) {
  PolicyFields policy;
  policy.attempts = fields.parsed("attempts", "a number", parse_attempts);
  policy.delay = fields.duration("delay");
  policy.factor = fields.parsed("factor", "a number", parse_factor);
  policy.max_delay = fields.duration("max-delay");
  policy.backoff = fields.parsed("backoff", "a word", parse_growth);
  policy.jitter = fields.parsed("jitter", "a word, 'N%' or a duration", parse_jitter);
  policy.timeout = fields.duration("timeout");
  policy.idle_timeout = fields.duration("idle-timeout");
  policy.stall_timeout = fields.duration("stall-timeout");
  policy.deadline = fields.duration("deadline");
  policy.kill_after = fields.duration("kill-after");
  return policy;
}

PolicyFields read_policy(const yaml::Node& node, Errors& errors, std::string_view what) {
  yaml::Mapping fields(node, errors, what);
  PolicyFields policy = read_policy_fields(fields);
  fields.finish();
  return policy;
}

}  // namespace retry_exec
