#include <retry_exec/quantity.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

namespace retry_exec {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array duration_units = {
    Unit{"ns", 1},          Unit{"us", 1e3},   Unit{"\xC2\xB5s", 1e3},
    Unit{"\xCE\xBCs", 1e3}, Unit{"ms", 1e6},   Unit{"s", 1e9},
    Unit{"m", 60e9},        Unit{"h", 3600e9}, Unit{"d", 86400e9},
};

constexpr std::array size_units = {
    Unit{"B", 1},
    Unit{"k", 1e3},
    Unit{"kB", 1e3},
    Unit{"KB", 1e3},
    Unit{"M", 1e6},
    Unit{"MB", 1e6},
    Unit{"G", 1e9},
    Unit{"GB", 1e9},
    Unit{"KiB", 1024},
    Unit{"kiB", 1024},
    Unit{"K", 1024},
    Unit{"MiB", 1048576},
    Unit{"GiB", 1073741824.0},
};

// A number and the letters behind it, taken off the front of `rest`.
struct Part {
  double number = 0;
  std::string_view unit;
};

std::optional<Part> take_part(std::string_view& rest) {
  Part part;
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
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, 64)) + "'";
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

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return Error{{},
                 quoted(text) + std::string(why) +
                     "; write a duration such as 500ms, 2.5s, 1h30m, or a number of seconds"};
  };
  if (text.empty()) return wrong(" is no duration");
  double total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::optional<Part> part = take_part(rest);
    if (!part) return wrong(" is no duration");
    double factor = 1e9;
    if (!part->unit.empty()) {
      const Unit* unit = find_unit(duration_units, part->unit);
      if (unit == nullptr) return wrong(" has an unknown unit " + quoted(part->unit));
      factor = unit->factor;
    } else if (part->number != 0 && (rest.data() != text.data() + text.size() || total != 0)) {
      return wrong(" lacks a unit");
    }
    total += part->number * factor;
  }
  if (total >= static_cast<double>(std::numeric_limits<Duration::rep>::max())) {
    return wrong(" is longer than 292 years");
  }
  return Duration(static_cast<Duration::rep>(std::llround(total)));
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

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto wrong = [&] {
    return Error{{}, quoted(text) + " is no size; write a number of bytes, or 64KiB, 1MiB, 2GiB"};
  };
  std::string_view rest = text;
  const std::optional<Part> part = take_part(rest);
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
