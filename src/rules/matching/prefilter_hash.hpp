// How the tables of a Prefilter are looked up.
#pragma once

#include <cstdint>

namespace retry_exec::rules {

// Makes letters of both cases one. Some other bytes become one too, which costs a look at the
// pattern and nothing else.
inline char folded(char c) {
  return static_cast<char>(static_cast<unsigned char>(c) | 0x20U);
}

// Four bytes, letters folded, the first in the lowest place.
constexpr std::uint32_t four_at(const char* bytes) {
  const auto byte = [&](int i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  return (byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24) | 0x20202020U;
}

inline constexpr std::uint32_t three_of_four = 0xFFFFFF;  // a mask

// Its upper bits are the best.
constexpr std::uint32_t hashed(std::uint32_t bytes) {
  return bytes * 0x9E3779B1U;
}

}  // namespace retry_exec::rules
