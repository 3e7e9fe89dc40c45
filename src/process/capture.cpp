#include "capture.hpp"

#include <algorithm>
#include <cstring>

namespace retry_exec {

std::string CapturedStream::text() const {
  if (omitted == 0) return head + tail;
  return head + "\n[… " + std::to_string(omitted) + " bytes were not kept …]\n" + tail;
}

std::span<char> Capture::prepare() {
  if (!ring_) ring_ = std::make_unique_for_overwrite<char[]>(capacity());
  if (position_ == capacity()) position_ = 0;
  return {ring_.get() + position_, std::min(chunk, capacity() - position_)};
}

std::string_view Capture::commit(std::size_t size) {
  const std::string_view bytes(ring_.get() + position_, size);
  if (head_.size() < head_limit && total_ == head_.size()) {
    head_.append(bytes.substr(0, head_limit - head_.size()));
  }
  position_ += size;
  in_ring_ += size;
  total_ += size;
  return bytes;
}

std::string_view Capture::append(std::string_view bytes) {
  std::memcpy(prepare().data(), bytes.data(), bytes.size());
  return commit(bytes.size());
}

void Capture::skip(std::uint64_t bytes) {
  position_ = 0;
  in_ring_ = 0;
  total_ += bytes;
}

CapturedStream Capture::take() const {
  CapturedStream captured;
  const auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(in_ring_, limit_));
  std::string& tail = captured.tail;
  tail.resize(kept);
  // The end of the ring first: where it has wrapped, the older part stands behind the position.
  const std::size_t recent = std::min(kept, position_);
  if (recent != 0) {
    std::memcpy(tail.data() + kept - recent, ring_.get() + position_ - recent, recent);
  }
  if (kept != recent) {
    std::memcpy(tail.data(), ring_.get() + capacity() - (kept - recent), kept - recent);
  }
  // What both hold is told once.
  const std::uint64_t tail_start = total_ - kept;
  captured.head =
      head_.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(head_.size(), tail_start)));
  captured.omitted = tail_start - captured.head.size();
  return captured;
}

}  // namespace retry_exec
