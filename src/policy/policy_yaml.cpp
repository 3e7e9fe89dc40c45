#include "policy/policy_yaml.hpp"

namespace retry_exec {

PolicyFields read_policy_fields(config::Mapping& fields) {
  const auto limit = [&fields](std::string_view key) {
    return fields.parsed(key, "a duration such as 30s, or none", parse_limit);
  };
  PolicyFields policy;
  policy.attempts = fields.parsed("attempts", "a number", parse_attempts);
  policy.delay = fields.duration("delay");
  policy.factor = fields.parsed("factor", "a number", parse_factor);
  policy.max_delay = fields.parsed("max-delay", "a duration such as 30s, or none", parse_max_delay);
  policy.backoff = fields.parsed("backoff", "a word", parse_growth);
  policy.jitter = fields.parsed("jitter", "a word, 'N%' or a duration", parse_jitter);
  policy.timeout = limit("timeout");
  policy.idle_timeout = limit("idle-timeout");
  policy.stall_timeout = limit("stall-timeout");
  policy.deadline = limit("deadline");
  policy.kill_after = fields.duration("kill-after");
  if (const std::string wrong = contradiction(policy); !wrong.empty()) {
    fields.error(fields.node("max-delay")->where, wrong);
  }
  return policy;
}

PolicyFields read_policy(const config::Node& node, Errors& errors, std::string_view what) {
  config::Mapping fields(node, errors, what);
  PolicyFields policy = read_policy_fields(fields);
  fields.finish();
  return policy;
}

}  // namespace retry_exec
