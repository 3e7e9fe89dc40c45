// Standard input: left alone, rewound, or recorded and replayed.
#include "wrapped.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

using namespace test;

TEST_CASE("the command reads our stdin", "[stdin]") {
  Program program = wrapped({}, {"read-stdin"});
  program.input = "hello";
  CHECK(run(program).out == "hello");
}

TEST_CASE("a command that does not read leaves a loop's stdin alone", "[stdin]") {
  const std::string line = "printf '1\\n2\\n3\\n' | while read -r n; do '" +
                           required("RETRY_EXEC") + "' -- '" + helper() + "' out \"$n \"; done";
  CHECK(run({.argv = {"bash", "-c", line}}).out == "1 2 3 ");
}

TEST_CASE("an open stdin that nobody writes hangs nothing", "[stdin]") {
  Program program = wrapped({}, {"exit", "0"});
  program.input = OpenPipe{};
  Running running(program);
  CHECK(running.wait().exit_code() == 0);
}

TEST_CASE("a file as stdin is rewound for each attempt, to where it stood", "[stdin]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("in", "first line\nsecond line\n");
  const std::string line = "exec < '" + file + "'; read -r x; '" + required("RETRY_EXEC") +
                           "' -q -d 0 -a 2 -- '" + helper() + "' read-stdin + exit 1";
  const Ended ended = run({.argv = {"bash", "-c", line}});
  CHECK(ended.out == "second line\nsecond line\n");
}

TEST_CASE("that a second attempt would find less in a pipe is said, once, if it was read",
          "[stdin]") {
  const auto told = [&](std::vector<std::string> more, test::Input input) {
    Program program = wrapped(at_once(std::move(more)), {"read-stdin", "1", "+", "exit", "1"});
    program.input = std::move(input);
    return count(run(program).err, "-I replays it") +
           count(run(program).err, "-I records and replays it");
  };
  CHECK(told({"-a", "3"}, "data") == 1);
  CHECK(told({"-a", "3", "-I"}, "data") == 0);
  CHECK(told({"-a", "3"}, Null{}) == 0);
  CHECK(told({"-a", "1"}, "data") == 0);
}

TEST_CASE("-I replays to each attempt what stdin held", "[stdin]") {
  const TemporaryFolder folder;
  Program program = wrapped(
      at_once({"-I"}), {"read-stdin", "+", "out", ";", "+", "fail-times", folder / "n", "2", "no"});
  program.input = "from a pipe";
  CHECK(run(program).out == "from a pipe;from a pipe;from a pipe;");
}

TEST_CASE("-I replays what was read and goes on with what was not", "[stdin]") {
  const TemporaryFolder folder;
  Program program = wrapped(at_once({"-I"}), {"read-stdin", "4", "+", "fail-times", folder / "n",
                                              "1", "no", "+", "read-stdin"});
  program.input = "0123456789";
  CHECK(run(program).out == "01230123456789");
}

TEST_CASE("-I waits for no end of file", "[stdin]") {
  const TemporaryFolder folder;
  Program program =
      wrapped(at_once({"-I"}), {"read-stdin", "3", "+", "fail-times", folder / "n", "1", "no"});
  program.input = OpenPipe{};
  Running running(program);
  running.write("abc");
  CHECK(running.wait_for_out("abcabc"));
  CHECK(running.wait().exit_code() == 0);
}

TEST_CASE("-I records more than memory, and leaves no file behind", "[stdin]") {
  const TemporaryFolder folder;
  Program program =
      wrapped(at_once({"-I"}), {"read-stdin", "+", "fail-times", folder / "n", "1", "no"});
  const std::string input(5'000'000, 'x');
  program.input = input;
  const std::string temporary = folder / "tmp";
  std::filesystem::create_directory(temporary);
  program.environment.push_back({"TMPDIR", temporary});
  CHECK(run(program).out.size() == 2 * input.size());
  CHECK(std::filesystem::is_empty(temporary));
}

TEST_CASE("stdin is never made non-blocking", "[stdin]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"-I"}}) {
    Program program = wrapped(options, {"exit", "0"});
    program.input = Descriptor{ends[0]};
    run(program);
    CHECK((::fcntl(ends[0], F_GETFL) & O_NONBLOCK) == 0);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}
