// What was kept of a stream that passed through.
#pragma once

#include <cstdint>
#include <string>

namespace retry_exec {

// The start and the end of a stream, as bytes, exactly as the command wrote them. When `omitted` is
// 0 the stream is head + tail, whole.
struct CapturedStream {
  std::string head;           // at most a few KiB
  std::uint64_t omitted = 0;  // bytes that passed between head and tail and were not kept
  std::string tail;           // at most --capture-limit

  // head, a line that says what was cut (only if something was), tail.
  std::string text() const;
  // Of all that passed.
  std::uint64_t size() const { return head.size() + omitted + tail.size(); }

  bool operator==(const CapturedStream&) const = default;
};

// Both streams of one attempt.
struct CapturedOutput {
  CapturedStream standard_output;
  CapturedStream standard_error;
  // Where our stdout and stderr are one file the command had one pipe for both, so that the order
  // was its own: standard_output then holds the whole, and standard_error nothing.
  bool one_stream = false;

  bool operator==(const CapturedOutput&) const = default;
};

}  // namespace retry_exec
