// Saying why a command could not be started, with the cause that a person can mend.
#pragma once

#include "launcher.hpp"

#include <retry_exec/outcome.hpp>
#include <retry_exec/process.hpp>

#include <string>
#include <vector>

namespace retry_exec {

// `error` is that of the look-up or of exec.
NotStarted not_started(const std::vector<std::string>& argv, const Found& found, int error);
NotStarted not_started(const std::vector<std::string>& argv, const Found& found,
                       const StartFailure& failure);

}  // namespace retry_exec
