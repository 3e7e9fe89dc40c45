#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

// '*' stands for any bytes, none included; every other byte for itself.
bool glob_matches(std::string_view glob, std::string_view text);

// Whether one of `globs` matches.
bool any_glob_matches(const std::vector<std::string>& globs, std::string_view text);

}  // namespace retry_exec::rules
