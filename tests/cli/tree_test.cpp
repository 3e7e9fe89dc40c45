// Everything that a failed attempt had started is dead before the next one starts; what a
// successful one left in the background is left alone.
#include "wrapped.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <unistd.h>

#include <fstream>
#include <iterator>

using namespace test;

namespace {

std::vector<pid_t> pids(const std::string& path) {
  std::ifstream file(path);
  std::vector<pid_t> found;
  for (long pid = 0; file >> pid;) found.push_back(static_cast<pid_t>(pid));
  return found;
}

bool alive(pid_t pid) {
  return ::kill(pid, 0) == 0 && !command_line(pid).empty();
}

}  // namespace

TEST_CASE("an attempt that is out of time is asked to end, then killed", "[tree]") {
  const Ended ended =
      run(wrapped({"-a", "1", "-t", "100ms", "-k", "200ms"}, {"ignore", "15", "+", "sleep"}));
  CHECK(ended.exit_code() == 124);
  CHECK(ended.survivors.empty());
  CHECK(ended.wall.count() >= 0.3);
  CHECK(ended.wall.count() < 20);
}

TEST_CASE("the first signal is the one that was asked for", "[tree]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  const Ended ended =
      run(wrapped({"-a", "1", "-t", "200ms", "-s", "INT"}, {"trap", "2", "0", "got INT", notes}));
  CHECK(ended.exit_code() == 124);
  CHECK_THAT(ended.err, ContainsSubstring("got INT\n"));
}

TEST_CASE("a stopped attempt can still be ended", "[tree]") {
  const Ended ended =
      run(wrapped({"-a", "1", "-t", "200ms", "-k", "20s"}, {"stop-self", "+", "sleep"}));
  CHECK(ended.exit_code() == 124);
  CHECK(ended.wall.count() < 10);
}

TEST_CASE("an attempt whose command has left its process group is ended, and another follows",
          "[tree]") {
  for (const char* signal : {"10", "15"}) {  // deaf to the first request, or not
    const Ended ended = run(wrapped(at_once({"-a", "2", "-t", "200ms", "-k", "200ms"}),
                                    {"join-group", "+", "ignore", signal, "+", "sleep"}));
    CHECK(ended.exit_code() == 124);
    CHECK_THAT(ended.err, ContainsSubstring("attempt 2"));
    CHECK_THAT(ended.err, !ContainsSubstring("could not be ended"));
    CHECK(ended.survivors.empty());
  }
}

TEST_CASE("grandchildren of an attempt that is out of time die with it, wherever they hid",
          "[tree]") {
  for (const std::vector<std::string>& manner : {std::vector<std::string>{},
                                                 {"setsid"},
                                                 {"ignore-term"},
                                                 {"setsid", "ignore-term", "quiet"}}) {
    const TemporaryFolder folder;
    const std::string file = folder / "pids";
    std::vector<std::string> words = {"leave-grandchild", file};
    words.insert(words.end(), manner.begin(), manner.end());
    words.insert(words.end(), {"+", "sleep"});
    // As much time as the machine needs to get that far.
    for (int limit = 300; pids(file).empty() && limit < 20'000; limit *= 4) {
      const std::string time = std::to_string(limit) + "ms";
      CHECK(run(wrapped({"-a", "1", "-t", time, "-k", "100ms"}, words)).exit_code() == 124);
    }
    REQUIRE(pids(file).size() == 1);
    CHECK_FALSE(alive(pids(file).front()));
  }
}

TEST_CASE("what a failed attempt left behind is dead before the next one starts", "[tree]") {
  const TemporaryFolder folder;
  const std::string file = folder / "pids";
  // Each attempt writes its grandchild's pid, then tells whether the earlier ones still live.
  const std::string script = "for pid in $(cat '" + file +
                             "' 2>/dev/null); do kill -0 $pid 2>/dev/null && echo alive; done; '" +
                             helper() + "' leave-grandchild '" + file + "' setsid quiet; exit 1";
  const Ended ended = run(wrapping(at_once({"-a", "3"}), {"sh", "-c", script}));
  CHECK(ended.exit_code() == 1);
  CHECK(ended.out.empty());
  const auto left = pids(file);
  REQUIRE(left.size() == 3);
  for (const pid_t pid : left) CHECK_FALSE(alive(pid));
}

TEST_CASE("what forks faster than we look is dead as well before the next attempt starts",
          "[tree]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  Program program = wrapped(at_once({"-a", "2", "-k", "100ms"}), {"fork-chain", "+", "exit", "6"});
  program.descriptors = {{9, ends[1]}};
  CHECK(run(program).exit_code() == 6);
  ::close(ends[1]);
  pollfd request{ends[0], POLLIN, 0};
  CHECK(::poll(&request, 1, 0) == 1);  // nobody holds the other end any more
  ::close(ends[0]);
}

TEST_CASE("what a leftover starts when it is asked to end is asked as well", "[tree]") {
  const TemporaryFolder folder;
  const std::string up = "'" + (folder / "up") + "'";
  const Ended ended = run(wrapping({"-a", "1", "-q", "-k", "100s"},
                                   {"bash", "-c",
                                    "(trap 'setsid sleep 100 & exit' TERM; touch " + up +
                                        "; while :; do sleep 0.02; done) & until test -e " + up +
                                        "; do sleep 0.02; done; exit 3"}));
  CHECK(ended.exit_code() == 3);
  CHECK(ended.survivors.empty());
  CHECK(ended.wall.count() < 50);
}

TEST_CASE("what a successful attempt left in the background lives on", "[tree]") {
  const TemporaryFolder folder;
  const std::string file = folder / "pids";
  const Ended ended = run(wrapped({}, {"leave-grandchild", file, "quiet", "+", "exit", "0"}));
  CHECK(ended.exit_code() == 0);
  CHECK(ended.wall.count() < 20);
  CHECK(ended.survivors.size() == 1);
}

TEST_CASE("a background process that holds our pipe does not hold us, and is named", "[tree]") {
  const TemporaryFolder folder;
  const auto options = GENERATE(values<std::vector<std::string>>({{}, {"-v"}, {"-O", "-E"}}));
  const Ended ended = run(
      wrapped(options, {"out", "result", "+", "leave-grandchild", folder / "p", "+", "exit", "0"}));
  CHECK(ended.exit_code() == 0);
  CHECK(ended.out == "result");
  CHECK(ended.wall.count() < 20);
  const std::string pid = std::to_string(pids(folder / "p").front());
  CHECK(count(ended.err, "a background process (" + pid + " helper) still holds stdout") == 1);
}

TEST_CASE("of the background processes that hold our pipe four are named, and more are hinted at",
          "[tree]") {
  const auto told_of = [](int number) {
    const std::string script =
        "for i in $(seq " + std::to_string(number) + "); do sleep 100 & done; exit 0";
    return run(wrapping({}, {"bash", "-c", script})).err;
  };
  const std::string four = told_of(4);
  CHECK(count(four, " sleep") == 4);
  CHECK_THAT(four, ContainsSubstring(" sleep) still hold stdout"));
  const std::string five = told_of(5);
  CHECK(count(five, " sleep") == 4);
  CHECK_THAT(five, ContainsSubstring(" sleep, …) still hold stdout"));
}

TEST_CASE("the name that a process gives itself begins no line of ours", "[tree]") {
  const TemporaryFolder folder;
  for (const std::string format : {"text", "github", "json"}) {
    INFO(format);
    const Ended ended =
        run(wrapped({"--log", format}, {"name", "x)\n::error::\x1b[31m", "+", "leave-grandchild",
                                        folder / format, "+", "exit", "0"}));
    CHECK_THAT(ended.err, ContainsSubstring("still holds stdout"));
    CHECK(ended.err.find('\x1b') == std::string::npos);
    for (const std::string& line : lines_of(ended.err)) {
      CHECK((line.starts_with("retry-exec: ") || line.starts_with("{")));
      if (format == "github") CHECK_THAT(line, !ContainsSubstring("::error"));
    }
  }
}

TEST_CASE("interruption ends the grandchildren as well", "[tree]") {
  const TemporaryFolder folder;
  const std::string file = folder / "pids";
  Running running(wrapped({}, {"leave-grandchild", file, "setsid", "quiet", "+", "sleep"}));
  REQUIRE(eventually([&] { return !pids(file).empty(); }));
  running.send(SIGTERM);
  CHECK(running.wait().signal() == SIGTERM);
  CHECK_FALSE(alive(pids(file).front()));
}

TEST_CASE("a command that closes its output and works on is waited for", "[tree]") {
  const Ended ended = run(wrapped(
      {"-a", "1"}, {"close", "1", "+", "close", "2", "+", "sleep-ms", "300", "+", "exit", "5"}));
  CHECK(ended.exit_code() == 5);
  CHECK(ended.wall.count() >= 0.3);
}

TEST_CASE("the command leads a process group of its own", "[tree]") {
  const Ended ended = run(wrapped({}, {"print-process"}));
  long pid = 0;
  long parent = 0;
  long group = 0;
  REQUIRE(std::sscanf(ended.out.c_str(), "pid %ld parent %ld group %ld", &pid, &parent, &group) ==
          3);
  CHECK(group == pid);
}
