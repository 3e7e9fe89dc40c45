// How the tables of a Prefilter are looked up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

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

// Whether `size` bytes, three or more, are the same once letters are folded; `word` is folded
// already.
inline bool same_folded(const char* word, const char* bytes, std::size_t size) {
  const auto same_eight = [&](std::size_t at) {
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    std::memcpy(&left, word + at, sizeof left);
    std::memcpy(&right, bytes + at, sizeof right);
    return left == (right | 0x2020202020202020U);
  };
  if (size < 4)
    return std::equal(word, word + size, bytes, [](char a, char b) { return a == folded(b); });
  if (size < 8)
    return four_at(word) == four_at(bytes) && four_at(word + size - 4) == four_at(bytes + size - 4);
  for (std::size_t at = 0; at + 8 < size; at += 8) {
    if (!same_eight(at)) return false;
  }
  return same_eight(size - 8);
}

}  // namespace retry_exec::rules
