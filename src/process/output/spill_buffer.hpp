// Bytes kept aside: a small buffer, then an unlinked file; behind what fitted into that (a full
// disk), or in its place (a read-only root), bounded memory.
#pragma once

#include "values/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace retry_exec {

class SpillBuffer {
 public:
  static constexpr std::size_t block = std::size_t{256} << 10;  // in memory before there is a file
  static constexpr std::size_t memory_limit = std::size_t{256} << 20;  // where it takes no more

  void append(std::string_view bytes);
  // At most `size` bytes from `offset`; none at the end, or where they cannot be read any more.
  struct Piece {
    std::string bytes;
    int error = 0;  // errno
  };
  Piece read(std::uint64_t offset, std::size_t size) const;
  std::uint64_t size() const { return in_file_ + in_memory_; }
  // Have bytes been lost? What came before them can still be read.
  bool failed() const { return failed_; }
  // Why, for people.
  std::string failure() const;

 private:
  void keep(std::string_view bytes);
  void spill();
  std::string from_memory(std::uint64_t offset, std::size_t size) const;

  UniqueFd file_;  // the oldest bytes
  std::uint64_t in_file_ = 0;
  int file_error_ = 0;              // errno: it takes no more
  std::deque<std::string> blocks_;  // what is not in it; all but the first and the last are whole
  std::uint64_t in_memory_ = 0;
  bool failed_ = false;
};

}  // namespace retry_exec
