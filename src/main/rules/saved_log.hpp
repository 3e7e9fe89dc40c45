// The saved log of a CI step, which holds more than what its command printed.
#pragma once

#include <string>

namespace retry_exec::retry_rules {

// What the command printed, as the step had it: without the time stamps of GitHub, without what the
// runner says, and without our own lines.
std::string printed_according_to(std::string log);

}  // namespace retry_exec::retry_rules
