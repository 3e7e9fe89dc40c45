// What to say of a command that only a shell could run.
#pragma once

#include <span>
#include <string>

namespace retry_exec {

// Of a command that was not found: how a shell is had for it, as the end of a sentence
// ("; 'cd' is part of the shell: …"). Empty where a shell would not find it either. `environment`
// tells of functions that bash has exported.
std::string shell_hint(std::span<const std::string> command, const char* const* environment);

}  // namespace retry_exec
