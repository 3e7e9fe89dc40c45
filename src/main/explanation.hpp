// Why a verdict was given, in words: what `retry-rules explain` and `retry-exec --explain` print.
#pragma once

#include <retry_exec/policy.hpp>
#include <retry_exec/redact.hpp>
#include <retry_exec/rules.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

// What a run makes of a verdict: rules have their say, and so has who asked for the run.
struct InForce {
  Policy policy;
  bool retried = false;
};

// The evidence, what masks hid of it, each rule tried, the verdict, and the waits that would
// follow: by the rules alone, or in a run.
std::string explained(const Explanation& explanation,
                      const std::optional<InForce>& in_force = std::nullopt);

// The end of the evidence, how many rules did not hold, the verdict, and the waits.
std::string explained_briefly(const Explanation& explanation, const InForce& in_force);

// Without secrets, for logs are pasted where others read them.
Explanation redacted(Explanation explanation, const Redactor& redact);
Verdict redacted(Verdict verdict, const Redactor& redact);

// The names of rules, which a rule file of others may have chosen, without what is known.
Verdict redacted_names(Verdict verdict, const Redactor& redact);

// Each line of `text`, four columns in; "(none)" when there is none.
std::string indented(std::string_view text);

// The longest that each wait could be, until attempts run out.
std::vector<Duration> waits_after(const Verdict& verdict);

}  // namespace retry_exec
