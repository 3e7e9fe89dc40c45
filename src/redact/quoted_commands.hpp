// Commands that a text quotes, and the secrets among their arguments.
#pragma once

#include <string>

namespace retry_exec::redact {

// Puts "[redacted]" into the place of each.
void take_out_of_commands(std::string& text);

}  // namespace retry_exec::redact
