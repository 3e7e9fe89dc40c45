#include "main/exec/shell_script.hpp"

#include <retry_exec/process.hpp>

namespace retry_exec {

std::vector<std::string> shell_command(const std::string& script,
                                       std::span<const std::string> arguments) {
  std::vector<std::string> command = {"sh", "-e", "-c"};
  if (find_executable("bash").error == 0) command = {"bash", "-eo", "pipefail", "-c"};
  command.emplace_back("--");  // a script may begin with a dash
  command.push_back(script);
  command.emplace_back("retry-exec");  // its $0, which its error messages begin with
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace retry_exec
