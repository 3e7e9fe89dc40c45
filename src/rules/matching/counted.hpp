// A pattern with callouts in it, by which a match counts its steps.
#pragma once

#include <string>
#include <string_view>

namespace retry_exec::rules {

// `pattern` with "(?C)" behind each group and each quantifier, which does not change what it
// matches; not behind a look around that holds neither, which is tried at every place and costs
// nothing. All that a match can come back to and try in another way lies before one of them, so
// that between two of them it takes no longer than once through the text. PCRE2's own match limit
// is not such a measure: it restarts at each position, and compiled patterns do not count repeats
// of single characters.
//
// Empty where the pattern holds what is not understood here; PCRE2 then puts callouts everywhere.
std::string with_counters(std::string_view pattern);

}  // namespace retry_exec::rules
