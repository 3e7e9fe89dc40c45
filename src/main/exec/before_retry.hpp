// What --before-retry names: a script of the user's that runs between attempts.
#pragma once

#include "main/exec/retry_exec_options.hpp"

#include <retry_exec/process.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace retry_exec {

using Assignments = std::vector<std::pair<std::string, std::string>>;

// Runs settings.before_retry by /bin/sh, under the time limit of an attempt and the run's deadline.
// All its output goes to our stderr: what it prints is not the command's, and no evidence.
boost::asio::awaitable<Attempt> run_before_retry(Supervisor& supervisor, const Settings& settings,
                                                 const Policy& policy, Assignments variables,
                                                 std::optional<TimePoint> deadline);

}  // namespace retry_exec
