// What a command left of its colours.
#pragma once

#include <string_view>

namespace retry_exec {

// Does `output` end with a colour, bold, underlining or their like on (SGR of ECMA-48)?
bool leaves_colours_on(std::string_view output);

}  // namespace retry_exec
