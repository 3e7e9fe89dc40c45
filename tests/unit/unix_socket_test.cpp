// What lies unread in a UNIX socket.
#include "process/kernel/unix_socket.hpp"

#include "catch_shim.hpp"
#include "values/file_id.hpp"
#include "values/unique_fd.hpp"

#include <sys/socket.h>
#include <unistd.h>

using namespace retry_exec;

TEST_CASE("a UNIX socket has input while bytes lie in it, and at its end", "[process]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const auto look = [inode = FileId::of(reader.get()).inode] { return unix_socket(inode); };
  REQUIRE(look().has_value());
  CHECK(look()->peer == FileId::of(writer.get()).inode);
  CHECK_FALSE(look()->has_input);
  REQUIRE(::write(writer.get(), "x", 1) == 1);
  CHECK(look()->has_input);
  char byte = 0;
  REQUIRE(::read(reader.get(), &byte, 1) == 1);
  CHECK_FALSE(look()->has_input);
  writer.reset();
  CHECK(look()->has_input);
}

TEST_CASE("of what is no connected UNIX socket nothing is told", "[process]") {
  const UniqueFd alone(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK_FALSE(unix_socket(FileId::of(alone.get()).inode).has_value());
  CHECK_FALSE(unix_socket(FileId::of(STDERR_FILENO).inode).has_value());
}
