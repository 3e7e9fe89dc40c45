#include "rules/retry_after.hpp"

#include <boost/system/result.hpp>

#include <algorithm>
#include <ctime>

namespace retry_exec::rules {

namespace {

// The three forms of RFC 9110, 5.6.7.
std::optional<time_t> http_date(const std::string& text) {
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    tm parts{};
    const char* end = ::strptime(text.c_str(), form, &parts);
    if (end != nullptr && *end == '\0') return ::timegm(&parts);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Duration> parse_retry_after(std::string_view text, Classifier::WallTime now) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (const Result<Duration> duration = parse_duration(text)) return *duration;
  if (text.size() > 64) return std::nullopt;
  // More seconds than can be counted are still a number, and a longer wait than anybody's.
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return Duration::max();
  }
  const std::optional<time_t> date = http_date(std::string(text));
  if (!date) return std::nullopt;
  // In seconds: a date may be further away than nanoseconds can count.
  constexpr time_t longest = 1'000'000'000;
  const time_t wait = *date - std::chrono::system_clock::to_time_t(now);
  return std::chrono::seconds(std::clamp<time_t>(wait, 0, longest));
}

}  // namespace retry_exec::rules
