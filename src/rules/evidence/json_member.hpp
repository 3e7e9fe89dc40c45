// JSON in one line, as tools print what a server answered.
#pragma once

#include <cstddef>
#include <string_view>

namespace retry_exec::rules {

// Whether a member ("name": …) begins at `at`, behind '{' or ','. Never within a string, where a
// quotation mark has a backslash before it: cut there, a name stays with its value.
bool begins_member(std::string_view line, std::size_t at);

// The last member that says in words what is wrong ("message", "error", "detail" …), as
// `"message":"…"`; empty when there is none.
std::string_view telling_member(std::string_view line);

}  // namespace retry_exec::rules
