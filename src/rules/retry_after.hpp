// "Retry-After", as registries and tools word it.
#pragma once

#include <retry_exec/rules.hpp>

namespace retry_exec::rules {

// A bare number is seconds; "12.5ms", "1m30s" and "880.092µs" as Go writes durations; "2
// minutes and 30 seconds"; an HTTP date, "2026-04-01 14:05:00 UTC", the same as RFC 3339 and "14:05
// UTC" are counted from `now`. Nothing when it is none of these.
std::optional<Duration> parse_retry_after(std::string_view text, Classifier::WallTime now);

}  // namespace retry_exec::rules
