// Lines that our programs write between those of a command.
#pragma once

#include <string_view>

namespace retry_exec::rules {

// Whether `line` is of a log of `program` in JSON, whose lines begin with the time and its name.
bool is_json_of(std::string_view program, std::string_view line);

// Whether in `line`, as seen, a retry-exec inside the command tells how its run goes: what its
// command said of that stands there, too, and what it makes of it is not a cause. Where it ended
// the command at a limit of its own, could not run it, failed of its own, or was not called right,
// its line is the cause.
bool tells_of_a_run(std::string_view line);

}  // namespace retry_exec::rules
