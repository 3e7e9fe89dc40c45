// What a text must contain for a pattern to match, read off the pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

struct Needs {
  // Of each of these lists a text must hold a word, letters compared without case, or it cannot
  // match. They have three bytes or more; no list when no such words can be told, and the pattern
  // may match anywhere. Two lists at most: numbers alone tell little ("503" is in any log), but
  // numbers and words on one line do.
  std::vector<std::vector<std::string>> lists;
  // A match cannot hold a line break, so that the words stand on the line where the match begins.
  bool one_line = false;
};

Needs needs_of(std::string_view pattern);

}  // namespace retry_exec::rules
