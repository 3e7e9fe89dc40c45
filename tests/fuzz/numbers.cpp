// Durations and sizes are read or refused; what is printed of them reads back as the same.
#include "rules/retry_after.hpp"

#include <retry_exec/quantity.hpp>

#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace retry_exec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<Duration> limit = parse_limit(text)) {
    const Result<Duration> again = parse_limit(exact_duration(*limit));
    if (!again || *again != *limit) std::abort();
  }
  if (const Result<Duration> duration = parse_duration(text)) {
    if (*duration < Duration::zero()) std::abort();
  }
  if (const Result<std::uint64_t> bytes = parse_size(text)) {
    const Result<std::uint64_t> again = parse_size(std::to_string(*bytes));
    if (!again || *again != *bytes || format_size(*bytes).empty()) std::abort();
  }
  const auto now = Classifier::WallTime(std::chrono::seconds(1'790'000'000));
  if (const auto wait = rules::parse_retry_after(text, now); wait && *wait < Duration::zero())
    std::abort();
  return 0;
}
