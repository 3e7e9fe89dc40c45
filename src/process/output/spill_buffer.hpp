// Bytes kept aside: a small buffer, then an unlinked file, or bounded memory where no folder can be
// written (a read-only root).
#pragma once

#include "values/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace retry_exec {

class SpillBuffer {
 public:
  static constexpr std::size_t memory_limit = std::size_t{256} << 10;

  static constexpr std::size_t folderless_limit = std::size_t{256} << 20;

  void append(std::string_view bytes);
  // At most `size` bytes from `offset`; none at the end, or where they cannot be read any more.
  struct Piece {
    std::string bytes;
    int error = 0;  // errno
  };
  Piece read(std::uint64_t offset, std::size_t size) const;
  std::uint64_t size() const { return in_file_ + memory_.size(); }
  // errno of the write that lost bytes (a full disk), or 0; ENOBUFS: no folder can be written, and
  // memory is full. What came before it can still be read.
  int error() const { return error_; }

 private:
  void open_file();
  void spill();

  std::string memory_;  // what is not yet in the file
  UniqueFd file_;       // older bytes
  std::uint64_t file_limit_ = 0;
  std::uint64_t in_file_ = 0;
  int error_ = 0;
};

// Words for SpillBuffer::error().
std::string spill_failure(int error);

}  // namespace retry_exec
