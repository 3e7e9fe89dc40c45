#include "rules/matching/byte_set.hpp"

namespace retry_exec::rules {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::optional<ByteSet> set_of_escape(char c) {
  const ByteSet space = ByteSet::of(" \t\n\v\f\r");
  const ByteSet blank = ByteSet::of(" \t\xA0");
  const ByteSet digits = ByteSet::of("0123456789");
  const ByteSet bytes = ~ByteSet::edge();
  switch (c) {
    case 'd':
      return digits;
    case 'D':
      return bytes & ~digits;
    case 'w':
      return ByteSet::word();
    case 'W':
      return bytes & ~ByteSet::word();
    case 's':
      return space;
    case 'S':
      return bytes & ~space;
    case 'h':
      return blank;
    case 'H':
      return bytes & ~blank;
    case 'v':
      return ByteSet::of("\n\v\f\r\x85");
    case 'N':
      return bytes & ~ByteSet::of("\n\r");
    case 'n':
      return ByteSet::of("\n");
    case 'r':
      return ByteSet::of("\r");
    case 't':
      return ByteSet::of("\t");
    default:
      if (is_alphanumeric(c) || c == '\0') return std::nullopt;
      return ByteSet::of(std::string_view(&c, 1));
  }
}

}  // namespace retry_exec::rules
