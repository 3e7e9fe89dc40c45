#include "rules/retry_after.hpp"

#include <boost/system/result.hpp>

#include <algorithm>
#include <array>
#include <charconv>
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

// "2026-04-01 14:05:00 UTC", "2026-04-01T14:05:00Z", "14:05 UTC": the last is of today, or of
// tomorrow where that has passed.
std::optional<time_t> clock_time(std::string text, time_t now) {
  constexpr std::array zones = {std::string_view(" UTC"), std::string_view(" GMT"),
                                std::string_view("Z"), std::string_view(" +0000 UTC"),
                                std::string_view(" +0000")};
  for (const std::string_view zone : zones) {
    if (!text.ends_with(zone)) continue;
    const std::string time = text.substr(0, text.size() - zone.size());
    for (const char* form : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"}) {
      tm parts{};
      const char* end = ::strptime(time.c_str(), form, &parts);
      if (end != nullptr && *end == '\0') return ::timegm(&parts);
    }
    for (const char* form : {"%H:%M:%S", "%H:%M"}) {
      constexpr time_t day = 24 * 60 * 60;
      tm parts{};
      const char* end = ::strptime(time.c_str(), form, &parts);
      if (end == nullptr || *end != '\0') continue;
      const time_t today =
          now - now % day + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
      return today < now ? today + day : today;
    }
  }
  return std::nullopt;
}

struct TimeWord {
  std::string_view word;
  std::chrono::seconds length;
};

// "52 seconds", "2 minutes and 30 seconds", "9 days".
std::optional<Duration> words_of_duration(std::string_view text) {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  constexpr std::array units = {TimeWord{"sec", seconds(1)}, TimeWord{"min", minutes(1)},
                                TimeWord{"hour", hours(1)}, TimeWord{"hr", hours(1)},
                                TimeWord{"day", hours(24)}};
  constexpr std::uint64_t most = 1'000'000;
  constexpr std::string_view digits = "0123456789";
  std::chrono::seconds sum{0};
  for (bool first = true; !text.empty(); first = false) {
    if (const auto next = text.find_first_of(digits); first ? next != 0 : next > 6)
      return std::nullopt;
    text.remove_prefix(std::min(text.find_first_of(digits), text.size()));
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || count > most) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto unit = std::find_if(units.begin(), units.end(), [&](const TimeWord& known) {
      return text.starts_with(known.word);
    });
    if (unit == units.end()) return std::nullopt;
    sum += unit->length * static_cast<std::int64_t>(count);
    text.remove_prefix(std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), text.size()));
  }
  // A number of days that is no more than a million may be more than nanoseconds can count.
  return sum < std::chrono::floor<seconds>(Duration::max()) ? Duration(sum) : Duration::max();
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
  if (const auto duration = words_of_duration(text)) return duration;
  const time_t present = std::chrono::system_clock::to_time_t(now);
  std::optional<time_t> date = http_date(std::string(text));
  if (!date) date = clock_time(std::string(text), present);
  if (!date) return std::nullopt;
  // In seconds: a date may be further away than nanoseconds can count.
  constexpr time_t longest = 1'000'000'000;
  const time_t wait = *date - present;
  return std::chrono::seconds(std::clamp<time_t>(wait, 0, longest));
}

}  // namespace retry_exec::rules
