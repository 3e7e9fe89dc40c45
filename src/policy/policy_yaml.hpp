// Policy fields as rule files and plans write them.
#pragma once

#include <retry_exec/config.hpp>
#include <retry_exec/policy.hpp>

namespace retry_exec {

// Takes the policy's keys (attempts, delay, …) out of `fields`, which may have others beside them.
PolicyFields read_policy_fields(config::Mapping& fields);

// A mapping with nothing but policy keys; `what` names it: "the policy".
PolicyFields read_policy(const config::Node& node, Errors& errors, std::string_view what);

}  // namespace retry_exec
