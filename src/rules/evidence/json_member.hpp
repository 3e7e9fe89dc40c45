// JSON in one line, as tools print what a server answered.
#pragma once

#include <cstddef>
#include <string_view>

namespace retry_exec::rules {

// Whether a member ("name": …) begins at `at`, behind '{' or ','. Never within a string, where a
// quotation mark has a backslash before it: cut there, a name stays with its value.
bool begins_member(std::string_view line, std::size_t at);

// The member that says best in words what is wrong ("message", "error", "detail" …, rather within
// "errors" than beside it), as `"message":"…"`, or `"errors":["…"` of a list; empty when none does.
std::string_view telling_member(std::string_view line);

// What stands before the JSON of a line; all of the line where it has none.
std::string_view before_json(std::string_view line);

}  // namespace retry_exec::rules
