// A pipe as standard input, of which a failed attempt has read what another one would miss.
#include "wrapped.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

using namespace test;

namespace {

// A shell line in which `retry-exec OPTIONS -- helper` is called "again".
Ended by_shell(const std::string& options, const std::string& line) {
  const std::string again = "again() { '" + required("RETRY_EXEC") + "' -d 0 " + options + " -- '" +
                            helper() + "' \"$@\"; }; ";
  return run({.argv = {"bash", "-c", again + line}});
}

}  // namespace

TEST_CASE("no attempt begins that would miss what a failed one has read", "[stdin]") {
  const TemporaryFolder folder;
  const std::string eats = "again note '" + (folder / "n") + "' run + read-stdin + exit 7";
  for (const std::string& line :
       {"head -c 1M /dev/zero | " + eats, eats + " <<< text", "printf 'a\\nb\\n' | " + eats}) {
    INFO(line);
    const Ended ended = by_shell("", line + "; exit ${PIPESTATUS[-1]}");
    const std::size_t attempts = lines_of(read_file(folder / "n")).size();
    ::unlink((folder / "n").c_str());
    // Up to 5.0 bash writes here-documents to files, which are rewound.
    if (line.find("<<<") != std::string::npos && attempts == 5) continue;
    CHECK(ended.exit_code() == 7);
    CHECK(attempts == 1);
    CHECK(count(ended.err, "-I records and replays it") == 1);
  }
}

TEST_CASE("what is left in the pipe does not hide what was read, however fast it is filled",
          "[stdin]") {
  const std::string line =
      "seq 10000000 | { sleep 0.5; again read-stdin 3000000 + exit 7; } "
      "> /dev/null; exit ${PIPESTATUS[1]}";
  const Ended ended = by_shell("", line);
  CHECK(ended.exit_code() == 7);
  CHECK_THAT(ended.err, ContainsSubstring("-I records and replays it"));
}

TEST_CASE("a pipe that nobody reads, or that was at its end, is no reason to stop", "[stdin]") {
  const TemporaryFolder folder;
  const std::string fails = "again fail-times '" + (folder / "n") + "' 2 no + out done";
  for (const std::string& line : {
           "printf 'a\\n' | " + fails,
           ": | { sleep 0.3; again fail-times '" + (folder / "n") +
               "' 2 no + read-stdin + out done; }",
           "(sleep 30 & echo a; kill $!) | " + fails,
           "(for i in $(seq 50); do echo $i; sleep 0.02; done) | { sleep 0.2; " + fails + "; }",
       }) {
    INFO(line);
    const Ended ended = by_shell("", line);
    INFO(ended.err);
    CHECK(ended.out == "done");
    ::unlink((folder / "n").c_str());
  }
}

TEST_CASE("a loop that reads its input around us goes on, with retries too", "[stdin]") {
  const TemporaryFolder folder;
  const Ended ended =
      by_shell("", "printf '1\\n2\\n3\\n' | while read -r n; do again fail-times '" +
                       (folder / "n") + "'$n 1 no + out \"$n \"; done");
  CHECK(ended.out == "1 2 3 ");
}

TEST_CASE("--spent-stdin go-on retries anyway, and says it once", "[stdin]") {
  const Ended ended =
      by_shell("-a 3 --spent-stdin go-on",
               "printf abc | again read-stdin + out . + exit 7; exit ${PIPESTATUS[1]}");
  CHECK(ended.exit_code() == 7);
  CHECK(ended.out == "abc...");
  CHECK(count(ended.err, "-I replays it") == 1);
}

TEST_CASE("the last attempt may read what it likes, and -I needs no warning", "[stdin]") {
  CHECK(by_shell("-a 1", "printf abc | again read-stdin + exit 7").err.find("-I rec") ==
        std::string::npos);
  const Ended replayed = by_shell("-a 2 -I", "printf abc | again read-stdin + exit 7");
  CHECK(replayed.out == "abcabc");
  CHECK(replayed.err.find("-I rec") == std::string::npos);
}

TEST_CASE("a socket as standard input is like a pipe", "[stdin]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  REQUIRE(::write(ends[1], "abcdef", 6) == 6);
  const TemporaryFolder folder;
  Program program = wrapped(at_once(), {"fail-times", folder / "n", "1", "no", "+", "out", "done"});
  program.input = Descriptor{ends[0]};
  CHECK(run(program).out == "done");
  program = wrapped(at_once(), {"read-stdin", "3", "+", "exit", "7"});
  program.input = Descriptor{ends[0]};
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 7);
  CHECK(ended.out == "abc");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE(
    "a datagram socket as standard input is like a pipe, whatever lies behind its first message",
    "[stdin]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
  for (const char* message : {"abcd", "efgh", "efghi", "kl"})
    REQUIRE(::write(ends[1], message, std::strlen(message)) > 0);
  const TemporaryFolder folder;
  Program program = wrapped(at_once(), {"fail-times", folder / "n", "1", "no", "+", "out", "done"});
  program.input = Descriptor{ends[0]};
  CHECK(run(program).out == "done");
  for (const char* message : {"abcd", "efgh", "efghi"}) {
    program =
        wrapped(at_once(), {"read-stdin", std::to_string(std::strlen(message)), "+", "exit", "7"});
    program.input = Descriptor{ends[0]};
    const Ended ended = run(program);
    CHECK(ended.out == message);
    CHECK_THAT(ended.err, ContainsSubstring("-I records and replays it"));
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("the report says that input was spent", "[stdin]") {
  const TemporaryFolder folder;
  by_shell("-R 'json:" + (folder / "report") + "'", "printf abc | again read-stdin + exit 7");
  CHECK_THAT(read_file(folder / "report"), ContainsSubstring(R"("reason":"input-spent")"));
}
