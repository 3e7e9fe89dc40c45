#include "run.hpp"

#include "catch_shim.hpp"
#include "temporary_folder.hpp"

#include <signal.h>

#include <array>
#include <cstdio>

using namespace test;

TEST_CASE("a program's streams, exit code and signal come back apart", "[support]") {
  const Ended ended = run({.argv = {"sh", "-c", "cat; echo to stderr >&2; exit 7"}, .input = "in"});
  CHECK(ended.out == "in");
  CHECK(ended.err == "to stderr\n");
  CHECK(ended.exit_code() == 7);
  CHECK_FALSE(ended.signal());

  const Ended killed = run({.argv = {"sh", "-c", "kill -TERM $$"}});
  CHECK(killed.signal() == SIGTERM);
  CHECK_FALSE(killed.exit_code());
}

TEST_CASE("megabytes pass through a program in both directions", "[support]") {
  const std::string bytes(std::size_t{4} << 20, 'x');
  CHECK(run({.argv = {"cat"}, .input = bytes}).out == bytes);
}

TEST_CASE("a program that does not read its input does no harm", "[support]") {
  CHECK(run({.argv = {"true"}, .input = std::string(1 << 20, 'x')}).exit_code() == 0);
}

TEST_CASE("a program runs in the folder and with the environment it is given", "[support]") {
  ::setenv("RETRY_EXEC_ATTEMPTS", "9", 1);
  ::setenv("OF_THE_TEST", "9", 1);
  const TemporaryFolder folder;
  const Ended ended = run(
      {.argv = {"sh", "-c", "pwd -P; echo $A ${RETRY_EXEC_ATTEMPTS-unset} ${OF_THE_TEST-unset}"},
       .environment = {{"A", "1"}, {"OF_THE_TEST", std::nullopt}},
       .folder = folder.path()});
  CHECK(ended.out == std::filesystem::canonical(folder.path()).string() + "\n1 unset unset\n");
}

TEST_CASE("standard streams can be closed and others added", "[support]") {
  std::FILE* file = std::tmpfile();
  run({.argv = {"sh", "-c", "[ -e /proc/$$/fd/0 ] || echo no stdin >&5"},
       .input = Closed{},
       .standard_output = Null{},
       .descriptors = {{5, ::fileno(file)}}});
  std::rewind(file);
  std::array<char, 64> line{};
  CHECK(std::fgets(line.data(), line.size(), file) == std::string_view("no stdin\n"));
  std::fclose(file);

  const Ended closed = run({.argv = {"sh", "-c", "echo x"}, .standard_output = Closed{}});
  CHECK(closed.exit_code() != 0);
}

TEST_CASE("a program over its time is killed with all it started", "[support]") {
  const Ended ended = run({.argv = {"sh", "-c", "sleep 61 & sleep 62"}, .time_limit = 200ms});
  CHECK(ended.over_time);
  CHECK(ended.wall < 5s);
}

TEST_CASE("what a program leaves running is reported and ended", "[support]") {
  const Ended ended = run(
      {.argv = {"sh", "-c", "sleep 63 & until grep -q sleep /proc/$!/comm; do :; done; echo $!"}});
  REQUIRE(ended.survivors.size() == 1);
  CHECK(ended.survivors[0] == "sleep 63");
  CHECK(command_line(std::stoi(ended.out)).empty());
}

TEST_CASE("a running program can be talked to", "[support]") {
  Running cat({.argv = {"sh", "-c", "while read l; do echo \"<$l>\"; done; echo end"},
               .input = OpenPipe{}});
  cat.write("one\n");
  CHECK(cat.wait_for_out("<one>"));
  cat.write("two\n");
  CHECK(cat.wait_for_out("<two>"));
  cat.close_input();
  CHECK(cat.wait().exit_code() == 0);
}

TEST_CASE("a program that does not exist is told from one that fails", "[support]") {
  const Ended ended = run({.argv = {"/does/not/exist"}});
  CHECK(ended.exit_code() == 127);
  CHECK_THAT(ended.err, ContainsSubstring("cannot run /does/not/exist: No such file"));
}
