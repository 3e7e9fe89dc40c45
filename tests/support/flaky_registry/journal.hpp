// The request journal: what came in, and what was made of it.
#pragma once

#include "request.hpp"

#include <chrono>
#include <deque>
#include <string>

namespace flaky {

class Journal {
 public:
  // Appends to the file `path`; an empty path keeps the journal in memory only.
  explicit Journal(const std::string& path);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  double seconds(std::chrono::steady_clock::time_point at) const;

  // `digest` is what the registry says it served or stored, `status` 0 when nothing was sent.
  void record(const Subject& subject, std::chrono::steady_clock::time_point at, unsigned status,
              const std::string& fault, const std::string& digest, std::uint64_t request_bytes);

  std::string text() const;
  void forget() { lines_.clear(); }

 private:
  std::chrono::steady_clock::time_point started_;
  std::deque<std::string> lines_;
  int file_ = -1;
};

}  // namespace flaky
