#include "rules/retry_after.hpp"

#include <retry_exec/text.hpp>

#include <boost/system/result.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>

namespace retry_exec::rules {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view digits = "0123456789";

// The three forms of RFC 9110, 5.6.7; like all below, in small letters.
std::optional<milliseconds> http_date(const std::string& text) {
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S gmt", "%A, %d-%b-%y %H:%M:%S gmt", "%a %b %d %H:%M:%S %Y"}) {
    tm parts{};
    const char* end = ::strptime(text.c_str(), form, &parts);
    if (end != nullptr && *end == '\0') return seconds(::timegm(&parts));
  }
  return std::nullopt;
}

void trim_end(std::string_view& text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
}

bool take_end(std::string_view& text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  text.remove_suffix(end.size());
  trim_end(text);
  return true;
}

// Takes "z", " utc", "+02:00" or "+0200 utc" off the end: how far ahead of UTC it is.
std::optional<seconds> take_zone(std::string_view& text) {
  const bool named = take_end(text, "utc") || take_end(text, "gmt") || take_end(text, "z");
  std::string_view rest = text;
  const auto two_digits = [&rest] {
    int number = -1;
    const std::size_t at = rest.size() - std::min<std::size_t>(rest.size(), 2);
    if (rest.find_first_not_of(digits, at) == std::string_view::npos && rest.size() - at == 2) {
      std::from_chars(rest.data() + at, rest.data() + rest.size(), number);
    }
    rest = rest.substr(0, at);
    return number;
  };
  const int minutes = two_digits();
  if (rest.ends_with(':')) rest.remove_suffix(1);
  const int hours = two_digits();
  if (minutes >= 0 && hours >= 0 && (rest.ends_with('+') || rest.ends_with('-'))) {
    const seconds offset((hours * 60 + minutes) * (rest.ends_with('-') ? -60 : 60));
    rest.remove_suffix(1);
    text = rest;
    trim_end(text);
    return offset;
  }
  return named ? std::optional(seconds(0)) : std::nullopt;
}

// Takes ".25" off the end, as far as milliseconds.
milliseconds take_fraction(std::string_view& text) {
  const std::size_t point = text.find_last_not_of(digits);
  if (point == std::string_view::npos || text[point] != '.') return milliseconds(0);
  std::string three(text.substr(point + 1, 3));
  three.resize(3, '0');
  text = text.substr(0, point);
  return milliseconds(std::atoi(three.c_str()));
}

// "2026-04-01 14:05:00 utc", "2026-04-01t14:05:00.5+02:00", and without a zone, which is UTC then;
// "14:05 utc", which is the next such time, or one that has just passed: what was printed at 14:05
// is read a moment later, and what ends within a day names no time of yesterday.
std::optional<milliseconds> clock_time(std::string_view text, seconds now) {
  constexpr seconds day = std::chrono::hours(24);
  constexpr seconds just_passed = std::chrono::hours(1);
  const std::optional<seconds> zone = take_zone(text);
  const milliseconds fraction = take_fraction(text);
  const std::string time(text);
  for (const char* form :
       {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dt%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dt%H:%M"}) {
    tm parts{};
    const char* end = ::strptime(time.c_str(), form, &parts);
    if (end == nullptr || *end != '\0') continue;
    return seconds(::timegm(&parts)) + fraction - zone.value_or(seconds(0));
  }
  for (const char* form : {"%H:%M:%S", "%H:%M"}) {
    tm parts{};
    const char* end = ::strptime(time.c_str(), form, &parts);
    if (!zone || end == nullptr || *end != '\0') continue;
    const seconds of_day(parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec);
    const seconds until = ((of_day - *zone - now) % day + day) % day;
    return until >= day - just_passed ? now + until - day : now + until + fraction;
  }
  return std::nullopt;
}

struct TimeWord {
  std::string_view word;
  milliseconds length;
  bool whole;  // no longer word begins with it
};

std::optional<milliseconds> length_of(std::string_view word) {
  using std::chrono::hours;
  using std::chrono::minutes;
  constexpr std::array units = {
      TimeWord{"ms", milliseconds(1), true},
      TimeWord{"msec", milliseconds(1), false},
      TimeWord{"millis", milliseconds(1), false},
      TimeWord{"s", seconds(1), true},
      TimeWord{"sec", seconds(1), false},
      TimeWord{"m", minutes(1), true},
      TimeWord{"min", minutes(1), false},
      TimeWord{"h", hours(1), true},
      TimeWord{"hr", hours(1), false},
      TimeWord{"hour", hours(1), false},
      TimeWord{"d", hours(24), true},
      TimeWord{"day", hours(24), false},
      TimeWord{"w", hours(24 * 7), true},
      TimeWord{"week", hours(24 * 7), false},
  };
  const auto unit = std::find_if(units.begin(), units.end(), [&](const TimeWord& known) {
    return known.whole ? word == known.word : word.starts_with(known.word);
  });
  return unit == units.end() ? std::nullopt : std::optional(unit->length);
}

// "52 seconds", "2 minutes and 30 seconds", "1h 30m", "9 days".
std::optional<Duration> words_of_duration(std::string_view text) {
  constexpr std::uint64_t most = 1'000'000;
  milliseconds sum{0};
  const auto trim = [&text](std::string_view characters) {
    text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
  };
  for (bool first = true; !text.empty(); first = false) {
    if (!first) trim(" ,");
    if (!first && text.starts_with("and ")) trim("and ");
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || count > most) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::int64_t thousandths = 0;
    if (text.starts_with('.')) {
      std::string_view fraction = text.substr(0, text.find_first_not_of(digits, 1));
      text.remove_prefix(fraction.size());
      thousandths = take_fraction(fraction).count();
    }
    trim(" ");
    const std::string_view word =
        text.substr(0, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz"));
    const auto unit = length_of(word);
    if (!unit) return std::nullopt;
    sum += *unit * static_cast<std::int64_t>(count) + *unit * thousandths / 1000;
    text.remove_prefix(word.size());
  }
  // A number of days that is no more than a million may be more than nanoseconds can count.
  return sum < std::chrono::floor<milliseconds>(Duration::max()) ? Duration(sum) : Duration::max();
}

}  // namespace

std::optional<Duration> parse_retry_after(std::string_view written, Classifier::WallTime now) {
  // What stands around it in a text, and may have been captured with it.
  constexpr std::string_view before = " \t\"'([<";
  constexpr std::string_view behind = " \t\"')]>.,;:";
  written.remove_prefix(std::min(written.find_first_not_of(before), written.size()));
  written = written.substr(0, written.find_last_not_of(behind) + 1);
  const std::string text = retry_exec::text::lower_case(written);
  if (const Result<Duration> duration = parse_duration(text)) return *duration;
  if (text.size() > 64) return std::nullopt;
  // More seconds than can be counted are still a number, and a longer wait than anybody's.
  if (!text.empty() && text.find_first_not_of(digits) == std::string::npos) return Duration::max();
  if (const auto duration = words_of_duration(text)) return duration;
  const auto present = std::chrono::floor<seconds>(now.time_since_epoch());
  std::optional<milliseconds> date = http_date(text);
  if (!date) date = clock_time(text, present);
  if (!date) return std::nullopt;
  // A date may be further away than nanoseconds can count.
  constexpr milliseconds longest = seconds(1'000'000'000);
  return std::clamp<milliseconds>(*date - present, milliseconds(0), longest);
}

}  // namespace retry_exec::rules
