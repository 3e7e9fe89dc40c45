// Annotations of GitHub Actions: lines that its runner reads as commands.
#pragma once

#include <string>
#include <string_view>

namespace retry_exec {

// "::warning title=T::M" with its line feed. `level` is "notice", "warning" or "error".
std::string github_annotation(std::string_view level, std::string_view title,
                              std::string_view message);

// A line that the runner takes for text, whatever it holds.
std::string without_github_commands(std::string_view line);

// The same with less changed: "::" makes a command only where a line begins, after blanks.
std::string without_github_commands_at_start(std::string_view line);

}  // namespace retry_exec
