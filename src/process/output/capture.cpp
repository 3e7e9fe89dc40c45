#include "capture.hpp"

#include <algorithm>
#include <utility>

namespace retry_exec {

std::span<char> Capture::prepare() {
  if (position_ == capacity()) position_ = 0;
  const std::size_t size = std::min(chunk, capacity() - position_);
  if (ring_.size() < position_ + size) {
    ring_.reserve(capacity());  // taken, not touched
    ring_.resize(position_ + size);
  }
  return {ring_.data() + position_, size};
}

std::string_view Capture::commit(std::size_t size) {
  const std::string_view bytes(ring_.data() + position_, size);
  if (head_.size() < head_limit && total_ == head_.size()) {
    head_.append(bytes.substr(0, head_limit - head_.size()));
  }
  position_ += size;
  in_ring_ += size;
  total_ += size;
  return bytes;
}

std::string_view Capture::append(std::string_view bytes) {
  ring_.reserve(capacity());
  ring_ = bytes;
  return commit(bytes.size());
}

void Capture::skip(std::uint64_t bytes) {
  position_ = 0;
  in_ring_ = 0;
  total_ += bytes;
}

CapturedStream Capture::take() {
  CapturedStream captured;
  const bool went_round = in_ring_ > position_;
  if (went_round) {
    std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(position_), ring_.end());
  } else {
    ring_.resize(position_);
  }
  const auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(in_ring_, limit_));
  ring_.erase(0, ring_.size() - kept);
  // A few bytes that are kept for long must not hold on to a megabyte.
  if (ring_.size() < ring_.capacity() / 2) ring_.shrink_to_fit();
  captured.tail = std::move(ring_);
  // What both hold is reported once.
  const std::uint64_t tail_start = total_ - kept;
  captured.head =
      head_.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(head_.size(), tail_start)));
  captured.omitted = tail_start - captured.head.size();
  return captured;
}

}  // namespace retry_exec
