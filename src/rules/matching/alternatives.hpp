// The alternatives of a pattern, each a pattern by itself: a rule has dozens, and where the words
// of one of them stand, only that one is worth trying.
#pragma once

#include <string_view>
#include <vector>

namespace retry_exec::rules {

struct Alternatives {
  std::vector<std::string_view> sources;  // the whole pattern where they cannot be told apart
  bool ignore_case = false;               // as "(?i)" before all of them says
};

// Between them they match where `pattern` does.
Alternatives alternatives_of(std::string_view pattern);

}  // namespace retry_exec::rules
