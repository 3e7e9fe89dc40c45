// Which commands a shell script runs, as far as that can be told without running it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

// SCRIPT of `bash -eo pipefail -c SCRIPT`; nothing where `command` is not a shell or runs a file.
std::optional<std::string_view> script_of(std::span<const std::string> command);

// The simple commands of `script`, in order, each as its words without quotes, redirections,
// leading assignments and keywords; those inside $(…) too. Of a very long script, the first ones.
std::vector<std::vector<std::string>> simple_commands(std::string_view script);

}  // namespace retry_exec::rules
