// Durations and sizes as people write them.
#pragma once

#include <retry_exec/error.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace retry_exec {

// Nanoseconds in 64 bits: 292 years, more than any wait.
using Duration = std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

// Of a limit: it is switched off.
inline constexpr Duration unlimited = Duration::max();

// The moment `duration` after `start`, as far as moments go: a limit may be 292 years.
constexpr TimePoint later(TimePoint start, Duration duration) {
  return duration < TimePoint::max() - start ? start + duration : TimePoint::max();
}

// Reads "500ms", "1h30m", "2.5s", "10" (a bare number is seconds). Units: ns us µs ms s m h d w,
// also spelled out ("5min", "10minutes", "2days"), each with an optional fraction, in any order.
// Never negative; more than 292 years, an empty text, or an unknown unit is an error that names
// what would be right.
Result<Duration> parse_duration(std::string_view text);

// The same for a limit: "none" and zero are `unlimited`.
Result<Duration> parse_limit(std::string_view text);

// For a person, in tenths of a second where they mean something: "12.5ms", "0.8s", "12s", "1m30s",
// "2h5m". Never empty; zero is "0s".
std::string format_duration(Duration duration);

// What parse_limit() reads back as the same duration: "1d1h1m0.5s", "12.5ms", "none".
std::string exact_duration(Duration duration);

// The shortest text that is read back as the same number: "2", "1.1".
std::string format_number(double number);

// Reads "65536", "64KiB", "1MiB", "2GiB" (powers of 1024) and "1k", "1MB" (powers of 1000).
Result<std::uint64_t> parse_size(std::string_view text);

// "512 B", "64 KiB", "1.5 MiB".
std::string format_size(std::uint64_t bytes);

}  // namespace retry_exec
