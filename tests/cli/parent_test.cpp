// --end-with-parent: nothing of ours outlives who started us.
#include "wrapped.hpp"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <unistd.h>

using namespace test;

namespace {

// A shell that runs retry-exec and waits for it; `folder` is told the pids.
Program shell_around(const TemporaryFolder& folder, const std::string& options,
                     const std::string& words) {
  const std::string line = "'" + required("RETRY_EXEC") + "' " + options + " -- '" + helper() +
                           "' write-pid '" + (folder / "command") + "' + " + words +
                           " & echo $! > '" + (folder / "wrapper") + "'; wait; exit 0";
  return {.argv = {"bash", "-c", line}};
}

pid_t pid_in(const std::string& file) {
  const std::string text = read_file(file);
  return text.ends_with('\n') ? static_cast<pid_t>(std::stol(text)) : 0;
}

bool gone(pid_t pid) {
  return ::kill(pid, 0) != 0 || command_line(pid).empty();
}

}  // namespace

TEST_CASE("when the parent has been killed, the attempt is ended and none begins", "[parent]") {
  const TemporaryFolder folder;
  for (const char* words : {"sleep", "ignore 15 + sleep", "exit 1"}) {
    INFO(words);
    Running running(shell_around(folder, "--end-with-parent -d 20s -k 300ms", words));
    REQUIRE(eventually(
        [&] { return pid_in(folder / "command") > 0 && pid_in(folder / "wrapper") > 0; }));
    const pid_t command = pid_in(folder / "command");
    const pid_t wrapper = pid_in(folder / "wrapper");
    ::kill(running.pid(), SIGKILL);
    CHECK(eventually([&] { return gone(wrapper) && gone(command); }));
    running.wait();
    CHECK(lines_of(read_file(folder / "command")).size() == 1);
    ::unlink((folder / "command").c_str());
    ::unlink((folder / "wrapper").c_str());
  }
}

TEST_CASE("the end of the parent is told, and the exit code is that of TERM", "[parent]") {
  const TemporaryFolder folder;
  Running running(
      shell_around(folder, "--end-with-parent -R json:'" + (folder / "report") + "'", "sleep"));
  REQUIRE(eventually([&] { return pid_in(folder / "command") > 0; }));
  ::kill(running.pid(), SIGKILL);
  REQUIRE(eventually([&] { return !read_file(folder / "report").empty(); }));
  CHECK_THAT(read_file(folder / "report"), ContainsSubstring(R"("reason":"interrupted")"));
  CHECK_THAT(read_file(folder / "report"), ContainsSubstring(R"("exit_code":143)"));
  running.wait();
}

TEST_CASE("when the parent ends, the attempt has time for its last words, and all of it ends",
          "[parent]") {
  const TemporaryFolder folder;
  const std::string file = folder / "grandchild";
  Running running(shell_around(folder, "--end-with-parent -k 100s",
                               "leave-grandchild '" + file + "' setsid quiet + trap " +
                                   std::to_string(SIGTERM) + " 0 BYE '" + (folder / "notes") +
                                   "'"));
  REQUIRE(eventually([&] { return read_file(folder / "notes") == "ready\n"; }));
  const pid_t grandchild = pid_in(file);
  ::kill(running.pid(), SIGKILL);
  CHECK(running.wait_for_err("BYE"));
  CHECK(eventually([&] { return gone(grandchild); }));
  running.wait();
}

TEST_CASE("the end of the parent ends the wait for output that still comes", "[parent]") {
  const TemporaryFolder folder;
  Running running(shell_around(folder, "--end-with-parent --drain-limit 1h",
                               "exec bash -c '(while :; do echo x; sleep 0.02; done) & exit 1'"));
  REQUIRE(eventually([&] {
    return pid_in(folder / "command") > 0 && pid_in(folder / "wrapper") > 0 &&
           gone(pid_in(folder / "command"));
  }));
  const pid_t wrapper = pid_in(folder / "wrapper");
  ::kill(running.pid(), SIGKILL);
  CHECK(eventually([&] { return gone(wrapper); }));
  running.wait();
}

TEST_CASE("the end of the thread that started us is not that of the parent", "[parent]") {
  const std::string script =
      "import subprocess, threading\n"
      "started = []\n"
      "def start(): started.append(subprocess.Popen(['" +
      required("RETRY_EXEC") + "', '--end-with-parent', '-a', '1', '--', '" + helper() +
      "', 'sleep-ms', '700', '+', 'exit', '9']))\n"
      "thread = threading.Thread(target=start); thread.start(); thread.join()\n"
      "print(started[0].wait())\n";
  CHECK(run({.argv = {"python3", "-c", script}}).out == "9\n");
}

TEST_CASE("without the option the attempt goes on when the parent has gone", "[parent]") {
  const TemporaryFolder folder;
  Running running(shell_around(folder, "-a 1", "sleep"));
  REQUIRE(eventually([&] { return pid_in(folder / "command") > 0; }));
  const pid_t command = pid_in(folder / "command");
  ::kill(running.pid(), SIGKILL);
  CHECK_FALSE(eventually([&] { return gone(command); }, 500ms));
  ::kill(command, SIGKILL);
  running.wait();
}
