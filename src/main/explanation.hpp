// Why a verdict was given, in words: what `retry-rules explain` and `retry-exec --explain` print.
#pragma once

#include <retry_exec/policy.hpp>
#include <retry_exec/redact.hpp>
#include <retry_exec/rules.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

// The evidence, what masks hid of it, each rule tried, the verdict, and the waits that would
// follow.
std::string explained(const Explanation& explanation);

// Without secrets, for logs are pasted where others read them.
Explanation redacted(Explanation explanation, const Redactor& redact);

// "5 attempts, delay 2s": the fields that say something.
std::string words(const PolicyFields& policy);

// Each line of `text`, four columns in; "(none)" when there is none.
std::string indented(std::string_view text);

// The longest that each wait could be, until attempts run out.
std::vector<Duration> waits_after(const Verdict& verdict);

}  // namespace retry_exec
