#include "process/kernel/executable.hpp"

#include "catch_shim.hpp"

#include <cerrno>

using namespace retry_exec;

TEST_CASE("an argument that is too long says how long, and how long it may be", "[process]") {
  const NotStarted why =
      not_started({"cmd", std::string(200 * 1024, 'x')}, Found{"/bin/cmd", 0}, E2BIG);
  CHECK_THAT(why.reason, test::ContainsSubstring("argument 1 is 200 KiB long"));
  CHECK_THAT(why.reason, test::ContainsSubstring("128 KiB"));
}

TEST_CASE("too many arguments say how many bytes they and the environment are", "[process]") {
  const NotStarted why = not_started({"cmd", "a"}, Found{"/bin/cmd", 0}, E2BIG);
  CHECK_THAT(why.reason, test::ContainsSubstring("more than the system takes"));
}

TEST_CASE("a process that cannot be created is our failure, not the command's", "[process]") {
  const NotStarted why =
      not_started({"cmd"}, Found{"/bin/cmd", 0}, StartFailure{StartFailure::Step::fork, ENOMEM});
  CHECK(exit_code_of(why) == exit_code::own_failure);
}
