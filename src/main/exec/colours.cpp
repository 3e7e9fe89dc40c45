#include "main/exec/colours.hpp"

#include <charconv>
#include <cstdint>

namespace retry_exec {

namespace {

// Attributes that are on, by the number that turns each off: 22 to 29 (bold to crossed out), 39 and
// 49 (the colours of text and ground), 59 (of the underline).
class Attributes {
 public:
  // "1;31" of ESC[1;31m.
  void take(std::string_view parameters) {
    while (true) {
      const int number = next(parameters);
      if (number == 38 || number == 48 || number == 58) {
        // A colour by number follows, or one by three: the end of the parameters in practice.
        on(number + 1);
        const int kind = next(parameters);
        for (int skip = kind == 2 ? 3 : 1; skip > 0; --skip) next(parameters);
      } else {
        set(number);
      }
      if (parameters.empty()) return;
    }
  }
  bool any() const { return on_ != 0; }

 private:
  static int next(std::string_view& parameters) {
    int number = 0;
    std::from_chars(parameters.data(), parameters.data() + parameters.size(), number);
    const std::size_t end = parameters.find_first_of(";:");
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
    return number;
  }

  void on(int turned_off_by) { on_ |= std::uint64_t{1} << turned_off_by; }

  void set(int number) {
    if (number == 0) {
      on_ = 0;
    } else if (number >= 1 && number <= 9) {
      on(number <= 2 ? 22 : number == 6 ? 25 : number + 20);
    } else if (number == 21) {
      on(24);
    } else if ((number >= 22 && number <= 29) || number == 39 || number == 49 || number == 59) {
      on_ &= ~(std::uint64_t{1} << number);
    } else if ((number >= 30 && number <= 37) || (number >= 90 && number <= 97)) {
      on(39);
    } else if ((number >= 40 && number <= 47) || (number >= 100 && number <= 107)) {
      on(49);
    }
  }

  std::uint64_t on_ = 0;
};

}  // namespace

bool leaves_colours_on(std::string_view output) {
  constexpr std::string_view introducer = "\033[";
  Attributes attributes;
  for (std::size_t at = output.find(introducer); at != std::string_view::npos;
       at = output.find(introducer, at)) {
    at += introducer.size();
    const std::size_t end = output.find_first_not_of("0123456789;:", at);
    if (end != std::string_view::npos && output[end] == 'm') {
      attributes.take(output.substr(at, end - at));
    }
  }
  return attributes.any();
}

}  // namespace retry_exec
