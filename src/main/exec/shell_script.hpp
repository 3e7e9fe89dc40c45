// A script of many lines in place of a command.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace retry_exec {

// What CI systems make of such a script: `bash -eo pipefail -c SCRIPT`, or `sh -e -c SCRIPT` where
// there is no bash. `arguments` are its $1 and so on.
std::vector<std::string> shell_command(const std::string& script,
                                       std::span<const std::string> arguments);

}  // namespace retry_exec
