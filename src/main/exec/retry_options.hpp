// From what the user asked for and the rules to what the loop goes by.
#pragma once

#include "main/chosen_rules.hpp"
#include "main/exec/retry_exec_options.hpp"

#include <retry_exec/retry.hpp>

namespace retry_exec {

RetryOptions retry_options(const Settings& settings, const ChosenRules& rules);

}  // namespace retry_exec
