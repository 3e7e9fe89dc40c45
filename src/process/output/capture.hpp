// The bounded memory of a stream: its start, and its end.
#pragma once

#include <retry_exec/captured.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace retry_exec {

// A ring that doubles as the buffer that is read into and written from: bytes pass through it once
// and are never copied while they flow. Memory is taken with the first byte and touched as needed.
class Capture {
 public:
  // The largest piece that prepare() offers; also the size of a pipe.
  static constexpr std::size_t chunk = std::size_t{64} << 10;
  static constexpr std::size_t head_limit = std::size_t{4} << 10;

  explicit Capture(std::size_t limit) : limit_(limit) {}

  // Room for the next read, never empty.
  std::span<char> prepare();
  // Takes the first `size` bytes of what prepare() gave, and returns them.
  std::string_view commit(std::size_t size);
  // Takes `bytes`, at most one chunk and in an empty ring, and returns where they are now.
  std::string_view append(std::string_view bytes);
  // Forgets all but the start: `bytes` passed by elsewhere and cannot be had any more.
  void skip(std::uint64_t bytes);

  std::uint64_t total() const { return total_; }
  // Gives away what it holds, at the end: nothing is added afterwards.
  CapturedStream take();

 private:
  std::size_t capacity() const { return limit_ + chunk; }

  std::size_t limit_;
  std::string ring_;           // grows to its capacity, then is written round and round
  std::size_t position_ = 0;   // where the next byte goes
  std::uint64_t in_ring_ = 0;  // bytes since the last skip
  std::uint64_t total_ = 0;    // bytes in all
  std::string head_;
};

}  // namespace retry_exec
