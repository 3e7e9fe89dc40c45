#include <retry_exec/quantity.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

namespace retry_exec {

namespace {

struct Unit {
  std::string_view names;  // separated by spaces
  double factor;
};

constexpr std::array duration_units = {
    Unit{"ns nanosecond nanoseconds", 1},
    Unit{"us \xC2\xB5s \xCE\xBCs microsecond microseconds", 1e3},
    Unit{"ms msec msecs millisecond milliseconds", 1e6},
    Unit{"s sec secs second seconds", 1e9},
    Unit{"m min mins minute minutes", 60e9},
    Unit{"h hr hrs hour hours", 3600e9},
    Unit{"d day days", 86400e9},
    Unit{"w week weeks", 604800e9},
};

constexpr std::array size_units = {
    Unit{"B", 1},
    Unit{"k kB KB", 1e3},
    Unit{"M MB", 1e6},
    Unit{"G GB", 1e9},
    Unit{"KiB kiB K", 1024},
    Unit{"MiB", 1048576},
    Unit{"GiB", 1073741824.0},
};

// A number and the letters behind it, taken off the front of `rest`.
struct Amount {
  double number = 0;
  std::string_view unit;
};

std::optional<Amount> take_part(std::string_view& rest) {
  Amount part;
  // from_chars takes "inf", "nan", "1e9" and a sign too: none of them is a duration.
  const std::size_t digits = rest.find_first_not_of("0123456789.");
  const std::string_view number = rest.substr(0, digits);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(),
                                            part.number, std::chars_format::fixed);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  rest.remove_prefix(number.size());
  part.unit = rest.substr(0, rest.find_first_of("0123456789. "));
  rest.remove_prefix(part.unit.size());
  return part;
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    std::string_view names = unit.names;
    while (!names.empty()) {
      const std::string_view one = names.substr(0, names.find(' '));
      if (one == name) return &unit;
      names.remove_prefix(std::min(one.size() + 1, names.size()));
    }
  }
  return nullptr;
}

std::string print(const char* format, double number) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, number);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

// "2.5" and "2", never "2.0".
std::string short_decimal(double number) {
  std::string text = print("%.1f", number);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

// `count` of 10^-digits, exactly, without zeros at the end: "12.5".
std::string decimal(std::uint64_t count, std::size_t digits) {
  std::string text = std::to_string(count);
  if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
  text.insert(text.size() - digits, 1, '.');
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return wrong_value(
        text, std::string(why) +
                  "; write a duration such as 500ms, 2.5s, 1h30m or 2d (units: ms, s, m, h, d, "
                  "w, or spelled out; a bare number is seconds)");
  };
  constexpr double most = static_cast<double>(Duration::max().count());
  if (text.empty()) return wrong("is not a valid duration");
  Duration total{};
  std::string_view rest = text;
  while (!rest.empty()) {
    const bool first = rest.size() == text.size();
    const std::optional<Amount> part = take_part(rest);
    if (!part) return wrong("is not a valid duration");
    double factor = 1e9;
    if (!part->unit.empty()) {
      const Unit* unit = find_unit(duration_units, part->unit);
      if (unit == nullptr) return wrong("has an unknown unit " + text::quoted(part->unit));
      factor = unit->factor;
    } else if (part->number != 0 && !(first && rest.empty())) {
      return wrong("lacks a unit");
    }
    // Each part by itself, in whole nanoseconds: a sum of doubles would lose the small ones.
    const double nanoseconds = part->number * factor;
    if (nanoseconds >= most || Duration::max() - total <= Duration(std::llround(nanoseconds))) {
      return wrong("is longer than 292 years");
    }
    total += Duration(std::llround(nanoseconds));
  }
  return total;
}

Result<Duration> parse_limit(std::string_view text) {
  if (text == "none") return unlimited;
  const Result<Duration> limit = parse_duration(text);
  if (!limit) return Error{{}, limit.error().what + "; none switches the limit off"};
  return *limit == Duration::zero() ? unlimited : *limit;
}

std::string format_duration(Duration duration) {
  using namespace std::chrono;
  if (duration <= Duration::zero()) return "0s";
  const double seconds = static_cast<double>(duration.count()) / 1e9;
  if (seconds < 1e-6) return std::to_string(duration.count()) + "ns";
  if (seconds < 1e-3) return print("%.0f", seconds * 1e6) + "us";
  if (seconds < 0.0995) return short_decimal(seconds * 1e3) + "ms";
  if (seconds < 59.95) return short_decimal(seconds) + "s";
  const auto whole = static_cast<long long>(std::llround(seconds));
  const long long days = whole / 86400;
  const long long hours = whole / 3600 % 24;
  const long long minutes = whole / 60 % 60;
  const auto join = [](long long a, const char* unit_a, long long b, const char* unit_b) {
    return std::to_string(a) + unit_a + (b != 0 ? std::to_string(b) + unit_b : "");
  };
  if (days != 0) return join(days, "d", hours, "h");
  if (hours != 0) return join(hours, "h", minutes, "m");
  return join(minutes, "m", whole % 60, "s");
}

std::string exact_duration(Duration duration) {
  if (duration == unlimited) return "none";
  if (duration <= Duration::zero()) return "0s";
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count < 1'000) return std::to_string(count) + "ns";
  if (count < 1'000'000) return decimal(count, 3) + "us";
  if (count < 1'000'000'000) return decimal(count, 6) + "ms";
  constexpr std::uint64_t minute = 60'000'000'000;
  std::string text;
  const auto add = [&text](std::uint64_t number, char unit) {
    if (number != 0) text += std::to_string(number) + unit;
  };
  add(count / (1440 * minute), 'd');
  add(count / (60 * minute) % 24, 'h');
  add(count / minute % 60, 'm');
  if (count % minute != 0) text += decimal(count % minute, 9) + "s";
  return text;
}

std::string format_number(double number) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return {digits.data(), end};
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto wrong = [&] {
    return wrong_value(text, "is not a valid size; write a number of bytes, or 64KiB, 1MiB, 2GiB");
  };
  std::string_view rest = text;
  const std::optional<Amount> part = take_part(rest);
  if (!part || !rest.empty()) return wrong();
  const Unit* unit = part->unit.empty() ? &size_units.front() : find_unit(size_units, part->unit);
  if (unit == nullptr) return wrong();
  const double bytes = part->number * unit->factor;
  if (bytes > 9e18) return wrong();
  return static_cast<std::uint64_t>(std::llround(bytes));
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array names = {" KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
  double number = static_cast<double>(bytes) / 1024;
  std::size_t name = 0;
  while (number >= 1023.95 && name + 1 < names.size()) {
    number /= 1024;
    ++name;
  }
  return short_decimal(number) + names.at(name);
}

}  // namespace retry_exec
