// What is kept of a stream: its start and its end, whatever pieces it comes in.
#include "process/output/capture.hpp"

#include "catch_shim.hpp"

#include <algorithm>
#include <random>
#include <string>

using namespace retry_exec;

namespace {

// `size` bytes that are nowhere alike.
std::string stream_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

CapturedStream captured(const std::string& text, std::size_t limit, std::size_t piece) {
  Capture capture(limit);
  for (std::size_t at = 0; at < text.size();) {
    const std::span<char> room = capture.prepare();
    const std::size_t size = std::min({room.size(), piece, text.size() - at});
    std::copy_n(text.data() + at, size, room.data());
    capture.commit(size);
    at += size;
  }
  return capture.take();
}

}  // namespace

TEST_CASE("a stream's start and end are kept, and what was left out is counted", "[capture]") {
  const std::size_t limit = GENERATE(0U, 1U, 5000U, 200'000U);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{5001}, std::size_t{100'000},
        std::size_t{265'536}, std::size_t{265'537}, std::size_t{1'000'000}}) {
    for (const std::size_t piece : {std::size_t{777}, Capture::chunk}) {
      CAPTURE(limit, size, piece);
      const std::string text = stream_of(size);
      const CapturedStream kept = captured(text, limit, piece);
      CHECK(kept.tail == text.substr(size - std::min(size, limit)));
      CHECK(kept.head == text.substr(0, std::min(Capture::head_limit, size - kept.tail.size())));
      CHECK(kept.head.size() + kept.omitted + kept.tail.size() == size);
    }
  }
}

TEST_CASE("what is kept of a short stream takes no more memory than it needs", "[capture]") {
  const CapturedStream kept = captured("a few bytes", std::size_t{1} << 20, Capture::chunk);
  CHECK(kept.tail == "a few bytes");
  CHECK(kept.tail.capacity() < 1000);
}

TEST_CASE("after bytes that passed by elsewhere, the end begins anew", "[capture]") {
  Capture capture(100);
  capture.append("start");
  capture.skip(1000);
  const std::span<char> room = capture.prepare();
  std::copy_n("end", 3, room.data());
  capture.commit(3);
  const CapturedStream kept = capture.take();
  CHECK(kept.head == "start");
  CHECK(kept.omitted == 1000);
  CHECK(kept.tail == "end");
}
