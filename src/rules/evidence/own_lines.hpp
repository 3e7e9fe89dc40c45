// Lines that our programs write between those of a command.
#pragma once

#include <string_view>

namespace retry_exec::rules {

// Whether `line` is of a log of `program` in JSON, whose lines begin with the time and its name.
bool is_json_of(std::string_view program, std::string_view line);

}  // namespace retry_exec::rules
