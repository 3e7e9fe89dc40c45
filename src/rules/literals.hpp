// What a text must contain for a pattern to match, read off the pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

struct Needs {
  // A text in which none of these occurs, letters compared without case, cannot match. They have
  // three bytes or more; none when no such words can be told, and the pattern may match anywhere.
  std::vector<std::string> literals;
  // A match cannot hold a line break, so that the literal stands on the line where the match
  // begins.
  bool one_line = false;
};

Needs needs_of(std::string_view pattern);

}  // namespace retry_exec::rules
