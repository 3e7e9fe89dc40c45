// The processes below us.
#include "process/kernel/descendants.hpp"

#include "catch_shim.hpp"
#include "values/unique_fd.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

using namespace retry_exec;

namespace {

bool contains(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// A child that has a child. Both live until the end of this.
class Family {
 public:
  Family() {
    int told[2];
    int held[2];
    REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(held, O_CLOEXEC) == 0);
    child = ::fork();
    if (child == 0) {
      ::close(held[1]);
      const pid_t below = ::fork();
      char byte = 0;
      if (below > 0 && ::write(told[1], &below, sizeof below) != sizeof below) _exit(1);
      (void)!::read(held[0], &byte, 1);
      if (below > 0) ::waitpid(below, nullptr, 0);
      _exit(0);
    }
    ::close(told[1]);
    ::close(held[0]);
    held_.reset(held[1]);
    const UniqueFd source(told[0]);
    REQUIRE(::read(source.get(), &grandchild, sizeof grandchild) == sizeof grandchild);
  }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  ~Family() {
    held_.reset();
    ::waitpid(child, nullptr, 0);
  }

  pid_t child = -1;
  pid_t grandchild = -1;

 private:
  UniqueFd held_;
};

}  // namespace

TEST_CASE("our own children are told apart from what is below them", "[process]") {
  const Family family;
  CHECK(has_children());
  CHECK(contains(children(), family.child));
  CHECK_FALSE(contains(children(), family.grandchild));
}

TEST_CASE("what is below us is found, but for what is spared and below that", "[process]") {
  const Family family;
  CHECK(contains(descendants({}), family.child));
  CHECK(contains(descendants({}), family.grandchild));
  CHECK(descendants_of(family.child) == std::vector<pid_t>{family.grandchild});
  CHECK(is_descendant(family.grandchild, {}));
  const std::vector<pid_t> spared = {family.child};
  CHECK_FALSE(contains(descendants(spared), family.grandchild));
  CHECK_FALSE(is_descendant(family.grandchild, spared));
}
