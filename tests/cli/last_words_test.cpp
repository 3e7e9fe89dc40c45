// What a command has said is out, and judged, before what it left is ended; and what that says on
// its way out too.
#include "wrapped.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

using namespace test;

namespace {

Program script(std::vector<std::string> options, const std::string& text) {
  return wrapping(std::move(options), {"bash", "-c", text});
}

std::string numbers(int last) {
  std::string text;
  for (int i = 1; i <= last; ++i) text += std::to_string(i) + "\n";
  return text;
}

// Passes on line by line, each after a while.
const std::string slowly = "while read -r l; do sleep 0.05; echo \"$l\"; done";

}  // namespace

TEST_CASE("a failed command's last words come out through its own filter", "[last-words]") {
  const TemporaryFolder folder;
  const std::string tee = "exec > >(tee '" + (folder / "log") + "') 2>&1; echo LAST; exit 1";
  for (int round = 0; round < 20; ++round) {
    CHECK(run(script({"-a", "1", "-q"}, tee)).out == "LAST\n");
    CHECK(read_file(folder / "log") == "LAST\n");
  }
}

TEST_CASE("a filter that is slow is waited for, after a failure and after a success",
          "[last-words]") {
  for (const char* code : {"0", "1"}) {
    const std::string end = std::string("; seq 20; exit ") + code;
    CHECK(run(script({"-a", "1", "-q"}, "exec > >(" + slowly + ")" + end)).out == numbers(20));
    // Longer silent than --drain-grace.
    CHECK(run(script({"-a", "1", "-q"}, "exec > >(sleep 0.6; cat)" + end)).out == numbers(20));
    CHECK(run(script({"-a", "1", "-q"}, "exec > >(sleep 0.6; sed = | cat)" + end)).out ==
          run({.argv = {"bash", "-c", "seq 20 | sed ="}}).out);
  }
}

TEST_CASE("whatever way a filter has its input and writes its output, it is waited for",
          "[last-words]") {
  // In python, because a shell keeps more open than is said here.
  const std::string python = R"(
import os, socket, sys, time
def child(work, *closed):
    if os.fork() == 0:
        for fd in closed: os.close(fd)
        work()
        os._exit(0)
def passed_on(source, target):
    time.sleep(0.6)
    while piece := os.read(source, 99): os.write(target, piece)
)";
  const auto way = GENERATE_COPY(table<std::string, std::string>({
      {"another descriptor than 0",
       "exec 4> >(exec 3<&0 0</dev/null; sleep 0.6; while read -r l <&3; do echo $l; done); "
       "echo LAST >&4"},
      {"a pipe that has a name",
       "d=$(mktemp -d); mkfifo $d/f; { sleep 0.6; exec tee; } <$d/f & exec 4>$d/f; rm -r $d; "
       "echo LAST >&4"},
      {"a coprocess",
       "exec 5>&1; coproc { sleep 0.6; cat >&5; }; exec 4>&${COPROC[1]}; echo LAST >&4"},
      {"a pipe that a server holds open as well, and much to read",
       "exec 3> >(while read -r l; do sleep 0.4; test $l = x || echo $l; done); "
       "{ exec >/dev/null 2>&1; exec sleep 20; } & for l in x x LAST x x; do echo $l >&3; done"},
      {"a socket", "python3 -c '" + python + R"(
a, b = socket.socketpair()
child(lambda: passed_on(a.fileno(), 1), b.fileno())
a.close()
b.send(b"LAST\n")')"},
      {"a way through others that do not write to us", "python3 -c '" + python + R"(
first, to_first = os.pipe()
second, to_second = os.pipe()
def keep_streams(kept):
    for fd in (0, 1, 2): fd in kept or os.close(fd)
def stage_1():
    keep_streams([])
    passed_on(first, to_second)
def stage_2():
    keep_streams([1])
    passed_on(second, 1)
child(stage_1, to_first, second)
child(stage_2, to_first, to_second, first)
os.write(to_first, b"LAST\n")')"},
  }));
  for (const char* code : {"0", "1"}) {
    INFO(std::get<0>(way) << ", exit " << code);
    const std::string text = std::get<1>(way) + "; exit " + code;
    CHECK(run(script({"-a", "1", "-q"}, text)).out == "LAST\n");
  }
}

TEST_CASE("a filter that does not show what it reads, such as another user's, is waited for",
          "[last-words]") {
  // Nor does one whose executable cannot be read.
  const TemporaryFolder folder;
  const std::string filter = folder / "filter";
  const std::string wrapper = folder / "wrapper";
  std::filesystem::copy_file("/bin/bash", filter);
  std::filesystem::copy_file(required("RETRY_EXEC"), wrapper);
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0666) == 0);
  for (const std::string& path : {folder.path().string(), folder / "fifo", wrapper}) {
    REQUIRE(::chmod(path.c_str(), 0777) == 0);
  }
  REQUIRE(::chmod(filter.c_str(), 0111) == 0);
  for (const char* code : {"0", "1"}) {
    Program program = script({"-a", "1", "-q"},
                             "exec > >(exec " + filter + " -c 'read -t 0.6 <>" + (folder / "fifo") +
                                 "; read -r l; echo $l'); echo LAST; exit " + code);
    program.argv.front() = wrapper;
    program.before_exec = [] {  // root reads everything
      if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(99);
    };
    CHECK(run(program).out == "LAST\n");
  }
}

TEST_CASE("what a background process says when it is ended comes out through the command's filter",
          "[last-words]") {
  const TemporaryFolder folder;
  const std::string up = "'" + (folder / "up") + "'";
  const std::string text =
      "exec > >(while read -r l; do sleep 0.3; echo $l; done); (trap 'echo one; echo BYE; exit' "
      "TERM; touch " +
      up + "; while :; do sleep 0.02; done) & until test -e " + up +
      "; do sleep 0.02; done; exit 1";
  CHECK(run(script({"-a", "1", "-q"}, text)).out == "one\nBYE\n");
}

TEST_CASE("once all but its filters have ended, nothing of a failed attempt is killed",
          "[last-words]") {
  const Ended ended =
      run(script({"-v", "-a", "1", "-k", "100s"}, "exec > >(cat); sleep 100 & exit 3"));
  CHECK(ended.exit_code() == 3);
  CHECK_THAT(ended.err, ContainsSubstring("SIGTERM was sent to what it left running"));
  CHECK_THAT(ended.err, !ContainsSubstring("SIGKILL"));
}

TEST_CASE("pipes that the command inherited, and those of event loops, are no filter's input",
          "[last-words]") {
  // A job server of make, a pipe to oneself: both hold what nobody is on the way to read.
  int job_server[2];
  REQUIRE(::pipe2(job_server, O_CLOEXEC) == 0);
  REQUIRE(::write(job_server[1], "+++", 3) == 3);
  Program program =
      script({"-q", "--drain-limit", "100s"},
             "sleep 100 & exec python3 -c 'import os, subprocess; r, w = os.pipe(); os.write(w, "
             "b\"x\"); subprocess.Popen([\"sleep\", \"100\"], pass_fds=(r, w))'");
  program.descriptors = {{8, job_server[0]}};
  const Ended ended = run(program);
  ::close(job_server[0]);
  ::close(job_server[1]);
  CHECK(ended.exit_code() == 0);
  CHECK(ended.wall.count() < 50);
}

TEST_CASE("rules see what came through a filter", "[last-words]") {
  const std::string text =
      "{ echo 'Error response from registry: response status code 503' >&2; exit 1; } 2> "
      ">(sed 's/^/oras: /' >&2)";
  for (int round = 0; round < 20; ++round) {
    const Ended ended = run(script({"-r", "ghcr", "-a", "2", "-d", "0"}, text));
    CHECK(count(ended.err, "oras: Error") >= 2);
    CHECK_THAT(ended.err, ContainsSubstring("http/server-error"));
  }
}

TEST_CASE("last words of an attempt that is out of time come out through its filter",
          "[last-words]") {
  const std::string text =
      "exec > >(cat); trap 'echo LAST; exit 1' TERM; echo first; sleep 60 & wait; wait";
  for (int round = 0; round < 5; ++round) {
    const Ended ended = run(script({"-a", "1", "-q", "-t", "1s"}, text));
    CHECK(ended.exit_code() == 124);
    CHECK(ended.out == "first\nLAST\n");
  }
}

TEST_CASE("last words of a command that is interrupted come out through its filter",
          "[last-words]") {
  for (int round = 0; round < 5; ++round) {
    Running running(script({"-q"},
                           "exec > >(cat); trap 'echo LAST; exit 1' TERM; echo first; sleep 60 & "
                           "wait; wait"));
    REQUIRE(running.wait_for_out("first"));
    running.send(SIGTERM);
    const Ended ended = running.wait();
    CHECK(ended.signal() == SIGTERM);
    CHECK(ended.out == "first\nLAST\n");
  }
}

TEST_CASE("what a failed command left says its last words when it is ended", "[last-words]") {
  const TemporaryFolder folder;
  const std::string up = "'" + (folder / "up") + "'";
  const std::string text = "(trap 'sleep 0.3; echo BYE; exit' TERM; touch " + up +
                           "; while :; do sleep 0.02; done) & until test -e " + up +
                           "; do sleep 0.02; done; exit 1";
  CHECK(run(script({"-a", "1", "-q"}, text)).out == "BYE\n");
}

TEST_CASE("a background process that prints for ever is waited for up to a limit, and it is said",
          "[last-words]") {
  const std::string text = "(while :; do echo x; sleep 0.02; done) & exit 0";
  const Ended ended = run(script({"--drain-limit", "600ms"}, text));
  CHECK(ended.exit_code() == 0);
  CHECK(ended.wall.count() >= 0.6);
  CHECK(count(ended.out, "x\n") > 3);
  CHECK_THAT(ended.err, ContainsSubstring("was cut off"));
  CHECK(run(script({"-q", "--drain-limit", "100ms"}, text)).err.empty());
}

TEST_CASE("output that still comes is not waited for beyond the deadline, and it is said",
          "[last-words]") {
  const std::string text = "(while :; do echo x; sleep 0.02; done) & exit ";
  for (const std::string code : {"0", "1"}) {
    const Ended ended = run(script(
        {"--deadline", "500ms", "--drain-limit", "1h", "--drain-grace", "100ms"}, text + code));
    CHECK(ended.wall.count() >= 0.5);
    CHECK(ended.wall.count() < 20);
    CHECK_THAT(ended.err, ContainsSubstring("was cut off at the deadline"));
  }
}

TEST_CASE("a filter that does not end is waited for up to a limit", "[last-words]") {
  const Ended ended =
      run(script({"-a", "1", "--drain-limit", "600ms"}, "exec > >(sleep 60); echo x; exit 3"));
  CHECK(ended.exit_code() == 3);
  CHECK(ended.wall.count() < 20);
  CHECK_THAT(ended.err, ContainsSubstring("was cut off"));
}

TEST_CASE("a signal ends the wait for output that still comes", "[last-words]") {
  const TemporaryFolder folder;
  Running running(script(
      {"-q", "--drain-limit", "1h"},
      "(while :; do echo x; sleep 0.02; done) & echo $$ > '" + (folder / "pid") + "'; exit 0"));
  REQUIRE(eventually([&] {
    const std::string pid = read_file(folder / "pid");
    return !pid.empty() && command_line(static_cast<pid_t>(std::stol(pid))).empty();
  }));
  running.send(SIGTERM);
  const Ended ended = running.wait();
  CHECK(ended.signal() == SIGTERM);
  CHECK(ended.wall.count() < 20);
}

TEST_CASE("the time of an attempt does not count the time that its ending took", "[last-words]") {
  const Ended ended =
      run(wrapped({"-a", "1", "-v", "-t", "200ms", "-k", "3s"}, {"ignore", "15", "+", "sleep"}));
  CHECK(ended.wall.count() >= 3);
  const std::string words = "failed in ";
  const std::size_t at = ended.err.find(words);
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(ended.err.substr(at + words.size())) < 3);
  CHECK_THAT(ended.err, ContainsSubstring("SIGTERM was sent"));
  CHECK_THAT(ended.err, ContainsSubstring("SIGKILL was sent"));
}
