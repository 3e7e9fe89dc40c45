#include "policy/policy_yaml.hpp"

namespace retry_exec {

PolicyFields read_policy_fields(config::Mapping& fields) {
  PolicyFields policy;
  for_each_policy_field([&](const auto& field) {
    policy.*field.said = fields.parsed(field.name, field.wanted, field.parse);
  });
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
