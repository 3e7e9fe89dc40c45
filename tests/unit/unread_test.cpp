// What lies unread in a pipe, and whether it was taken.
#include "process/kernel/unread.hpp"

#include "catch_shim.hpp"
#include "values/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

using namespace retry_exec;

TEST_CASE("that bytes were taken is certain when fewer are left, or others, or the end has come",
          "[stdin]") {
  CHECK(taken_between({5, false, "hello"}, {3, false, "llo"}));
  CHECK(taken_between({5, false, "hello"}, {9, false, "llo you!!"}));
  CHECK(taken_between({5, false, "hello"}, {0, true, ""}));
  CHECK(taken_between({0, false, ""}, {0, true, ""}));
  CHECK(taken_between({2, false, "ab", true}, {3, false, "abc", true}));  // another message
}

TEST_CASE("a pipe that grows, stays, or was at its end, has lost nothing for certain", "[stdin]") {
  CHECK_FALSE(taken_between({5, false, "hello"}, {5, false, "hello"}));
  CHECK_FALSE(taken_between({5, false, "hello"}, {9, false, "hello you"}));
  CHECK_FALSE(taken_between({0, false, ""}, {9, false, "hello you"}));
  CHECK_FALSE(taken_between({0, true, ""}, {0, true, ""}));
  CHECK_FALSE(taken_between({5, false, ""}, {5, false, ""}));  // tee(2) was refused
  CHECK_FALSE(taken_between({5, false, ""}, {7, false, "hello!!"}));
}

TEST_CASE("looking at a pipe takes nothing out of it", "[stdin]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd source(ends[0]);
  UniqueFd target(ends[1]);
  CHECK(unread(source.get()) == Unread{0, false, ""});
  REQUIRE(::write(target.get(), "hello", 5) == 5);
  target.reset();
  CHECK(unread(source.get()) == Unread{5, false, "hello"});
  std::array<char, 8> buffer{};
  CHECK(::read(source.get(), buffer.data(), buffer.size()) == 5);
  CHECK(unread(source.get()) == Unread{0, true, ""});
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(unread(file.get()).has_value());
}
