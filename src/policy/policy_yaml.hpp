// Policy fields as rule files and plans write them.
#pragma once

#include <retry_exec/policy.hpp>
#include <retry_exec/config.hpp>

namespace retry_exec {

// Takes the policy's keys (attempts, delay, …) out of `fields`, which may have others beside them.
PolicyFields read_policy_fields(yaml::Mapping& fields);

// A mapping with nothing but policy keys; `what` names it: "the policy".
PolicyFields read_policy(const yaml::Node& node, Errors& errors, std::string_view what);

}  // namespace retry_exec
