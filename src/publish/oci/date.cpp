#include "publish/oci/date.hpp"

#include "publish/oci/json.hpp"

#include <algorithm>
#include <charconv>

namespace retry_exec::publish::oci {

namespace {

// std::chrono::parse is not in the library of GCC 12, and strptime(3) knows neither fractions of a
// second nor the ':' in an offset.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  std::optional<Date> read() {
    namespace chrono = std::chrono;
    const int year = number(4);
    expect("-");
    const int month = number(2);
    expect("-");
    const int day = number(2);
    expect("Tt ");
    const int hour = number(2);
    expect(":");
    const int minute = number(2);
    expect(":");
    const int second = number(2);
    const chrono::nanoseconds fraction = read_fraction();
    const chrono::minutes offset = read_offset();
    const chrono::year_month_day date = chrono::year(year) / month / day;
    if (!good_ || !rest_.empty() || !date.ok() || year < 1700 || year > 2200) return std::nullopt;
    return chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
           chrono::seconds(second) + fraction - offset;
  }

 private:
  int number(std::size_t digits) {
    int value = 0;
    const char* const end = rest_.data() + std::min(digits, rest_.size());
    const auto [stop, error] = std::from_chars(rest_.data(), end, value);
    good_ = good_ && error == std::errc() && stop == rest_.data() + digits && value >= 0;
    rest_.remove_prefix(std::min(digits, rest_.size()));
    return value;
  }

  char expect(std::string_view any) {
    const char c = rest_.empty() ? '\0' : rest_.front();
    good_ = good_ && any.find(c) != std::string_view::npos;
    if (!rest_.empty()) rest_.remove_prefix(1);
    return c;
  }

  std::chrono::nanoseconds read_fraction() {
    std::chrono::nanoseconds fraction{};
    if (!rest_.starts_with('.')) return fraction;
    rest_.remove_prefix(1);
    std::chrono::nanoseconds digit = std::chrono::milliseconds(100);
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; digit /= 10) {
      fraction += digit * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return fraction;
  }

  std::chrono::minutes read_offset() {
    if (rest_.empty()) return {};
    const char sign = expect("Zz+-");
    if (sign != '+' && sign != '-') return {};
    const int hours = number(2);
    expect(":");
    const std::chrono::minutes offset = std::chrono::hours(hours) + std::chrono::minutes(number(2));
    return sign == '+' ? offset : -offset;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::optional<Date> parse_date(std::string_view text) {
  return DateReader(text).read();
}

std::optional<Date> date_of_config(std::string_view json) {
  const auto config = parse_object(json);
  return config ? parse_date(text_of(*config, "created")) : std::nullopt;
}

}  // namespace retry_exec::publish::oci
