// Bytes kept aside in a file that has no name.
#include "process/output/spill_buffer.hpp"

#include "catch_shim.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <string>

using namespace retry_exec;

namespace fs = std::filesystem;

namespace {

// What we have open that has no name any more, as paths that open it.
std::set<std::string> nameless_files() {
  std::set<std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = fs::read_symlink(entry.path(), ignored);
    if (target.ends_with(" (deleted)")) found.insert(entry.path());
  }
  return found;
}

}  // namespace

TEST_CASE("bytes that are kept aside come back, from file and memory alike", "[process]") {
  SpillBuffer buffer;
  std::string all;
  for (int piece = 0; piece < 100; ++piece) {
    const std::string bytes(10'000, static_cast<char>('a' + piece % 26));
    all += bytes;
    buffer.append(bytes);
  }
  CHECK(buffer.size() == all.size());
  std::string back;
  while (back.size() < all.size()) {
    const SpillBuffer::Piece piece = buffer.read(back.size(), 7777);
    REQUIRE(piece.error == 0);
    REQUIRE_FALSE(piece.bytes.empty());
    back += piece.bytes;
  }
  CHECK(back == all);
  CHECK(buffer.read(all.size(), 1).bytes.empty());
}

TEST_CASE("that somebody cut off what was kept aside is an error, not its end", "[process]") {
  const std::set<std::string> before = nameless_files();
  SpillBuffer buffer;
  buffer.append(std::string(2 * SpillBuffer::block, 'x'));
  std::set<std::string> files = nameless_files();
  for (const std::string& other : before) files.erase(other);
  REQUIRE(files.size() == 1);
  REQUIRE(::truncate(files.begin()->c_str(), 5) == 0);
  CHECK(buffer.read(0, 10).bytes == "xxxxx");
  errno = 0;
  const SpillBuffer::Piece cut = buffer.read(5, 10);
  CHECK(cut.bytes.empty());
  CHECK(cut.error == EIO);
}
