// How the parts of a run are called, wherever they are shown.
#pragma once

#include <retry_exec/report.hpp>

namespace retry_exec {

// "attempt 2/5"; "attempt 2" where no end is known.
std::string attempt_name(unsigned attempt, unsigned max_attempts);

// "exit 1, absent (ghcr/manifest-by-digest)".
std::string judged(const AttemptFinished& failed, const Redactor& redact);

// "absent (ghcr/manifest-by-digest)"; empty when no rule knows the failure.
std::string class_and_rule(const std::optional<Verdict>& verdict);

// The line that decided, in at most about so many columns, and in any case the whole of the digest
// that it is about: people search for it.
std::string excerpt(const Verdict& verdict, const Redactor& redact, std::size_t columns);

// "sha256:9a5a07a1…" for each digest in `text`.
std::string with_short_digests(std::string_view text);

// How a run ended, in one clause: "gave up after 5 attempts in 31s: exit 1, absent (a/b)". `last`
// is its last attempt; it is not told when a line of its own has told it.
std::string ending(const RunFinished& end, const std::optional<AttemptFinished>& last,
                   const Redactor& redact);

// "--before-retry failed in 0.2s: exit 1".
std::string before_retry_text(const BeforeRetryFinished& ran);

// For wording an attempt that was kept.
AttemptFinished as_event(const AttemptRecord& attempt);

}  // namespace retry_exec
