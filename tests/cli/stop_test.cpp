// Stopped and continued at a terminal, as a job of its shell.
#include "terminal.hpp"
#include "wrapped.hpp"

#include <csignal>

using namespace test;

namespace {

// A shell with job control that runs retry-exec around the helper, says when that has stopped, puts
// it in front again, and says how it ended.
Program under_a_shell(const std::string& options, const std::string& words) {
  return {
      .argv = {"bash", "-c",
               "set -m; '" + required("RETRY_EXEC") + "' " + options + " -- '" + helper() + "' " +
                   words +
                   "; c=$?; if [ $c = 147 ] || [ $c = 148 ]; then echo stop''ped; fg; c=$?; fi; "
                   "echo co''de $c"}};
}

}  // namespace

TEST_CASE("Ctrl-Z stops both, and both go on together", "[stop]") {
  Terminal terminal;
  Running running(terminal.at(under_a_shell("", "out 'run''ning\n' + read-stdin 5 + exit 0")));
  REQUIRE(terminal.shows("running"));
  terminal.type("\x1a");
  REQUIRE(terminal.shows("stopped"));
  terminal.type("line\n");
  CHECK(terminal.shows("code 0"));
  running.wait();
}

TEST_CASE("Ctrl-Z does not part us from a command that ignores it or has another use for it",
          "[stop]") {
  Terminal terminal;
  Running running(terminal.at(under_a_shell(
      "-a 1", "ignore 20 + out 'run''ning\n' + read-stdin 5 + out 'done\n' + exit 4")));
  REQUIRE(terminal.shows("running"));
  terminal.type("\x1a");
  CHECK_FALSE(eventually([] { return false; }, 300ms));
  terminal.type("line\n");
  CHECK(terminal.shows("code 4"));
  CHECK_THAT(terminal.seen(), ContainsSubstring("done") && !ContainsSubstring("stopped"));
  running.wait();

  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Terminal other;
  Running using_it(other.at(under_a_shell("-a 1", "trap 20 6 used '" + notes + "'")));
  REQUIRE(eventually([&] { return read_file(notes) == "ready\n"; }));
  other.type("\x1a");
  CHECK(other.shows("code 6"));
  CHECK_THAT(other.seen(), ContainsSubstring("used") && !ContainsSubstring("stopped"));
  using_it.wait();
}

TEST_CASE("a command may take its time to stop, and what it prints before is seen before",
          "[stop]") {
  Terminal terminal;
  const std::string script =
      "import os, signal, sys, time\n"
      "def put(text): os.write(1, (text + chr(10)).encode())\n"
      "def stop(number, frame):\n"
      "  time.sleep(0.2)\n"
      "  put('x' * 30000 + ' resto' + 'red')\n"
      "  os.kill(os.getpid(), signal.SIGSTOP)\n"
      "  put('again'); sys.exit(4)\n"
      "signal.signal(signal.SIGTSTP, stop)\n"
      "put('rea' + 'dy'); time.sleep(20)\n";
  const TemporaryFolder folder;
  const std::string file = folder.write("slow.py", script);
  Running running(terminal.at(under_a_shell("-a 1", "exec python3 '" + file + "'")));
  REQUIRE(terminal.shows("ready"));
  terminal.type("\x1a");
  REQUIRE(terminal.shows("stopped"));
  CHECK(terminal.seen().find("restored") < terminal.seen().find("stopped"));
  CHECK(terminal.shows("code 4"));
  CHECK(terminal.seen().find("again") > terminal.seen().find("stopped"));
  running.wait();
}

TEST_CASE("Ctrl-Z stops a pipeline that we are part of", "[stop]") {
  Terminal terminal;
  Running running(
      terminal.at(under_a_shell("", "out 'run''ning\n' + read-stdin 5 + exit 0 | cat")));
  REQUIRE(terminal.shows("running"));
  terminal.type("\x1a");
  REQUIRE(terminal.shows("stopped"));
  terminal.type("line\n");
  CHECK(terminal.shows("code 0"));
  running.wait();
}

TEST_CASE("Ctrl-Z between attempts stops us at once", "[stop]") {
  Terminal terminal;
  Running running(terminal.at(under_a_shell("-a 2 -d 2s -j none --unmatched retry", "exit 1")));
  REQUIRE(terminal.shows("waiting"));
  terminal.type("\x1a");
  REQUIRE(terminal.shows("stopped"));
  CHECK(terminal.shows("code 1"));
  running.wait();
}

TEST_CASE("a command that stops itself stops us, so that its shell sees a stopped job", "[stop]") {
  Terminal terminal;
  Running running(
      terminal.at(under_a_shell("", "stop-self " + std::to_string(SIGTSTP) + " + exit 0")));
  REQUIRE(terminal.shows("stopped"));
  CHECK(terminal.shows("code 0"));
  running.wait();
}

TEST_CASE("a command that stops itself by STOP stops us as well", "[stop]") {
  Terminal terminal;
  Running running(terminal.at(under_a_shell("-a 1", "stop-self + exit 4")));
  REQUIRE(terminal.shows("stopped"));
  CHECK(terminal.shows("code 4"));
  running.wait();
}

TEST_CASE("so does one that began in the background, once it is in front", "[stop]") {
  const TemporaryFolder folder;
  Terminal terminal;
  const std::string line = "set -m; cd '" + folder.path().string() + "'; '" +
                           required("RETRY_EXEC") +
                           "' -q -a 1 -- sh -c 'until test -e go; do sleep 0.02; done; kill -STOP "
                           "$$; exit 4' & echo beg''un; read wait; fg; echo stop''ped; fg; "
                           "echo co''de $?";
  Running running(terminal.at({.argv = {"bash", "-c", line}}));
  REQUIRE(terminal.shows("begun"));
  const pid_t shell = terminal.group_in_front();
  terminal.type("\n");
  REQUIRE(eventually([&] { return terminal.group_in_front() != shell; }));
  folder.write("go", "");
  REQUIRE(terminal.shows("stopped"));
  CHECK(terminal.shows("code 4"));
  running.wait();
}

TEST_CASE("where nobody could continue us, it does not, and our time limits hold", "[stop]") {
  Terminal terminal;
  Running running(terminal.at(wrapped({"-a", "1", "-t", "200ms"}, {"stop-self", "+", "sleep"})));
  CHECK(running.wait().exit_code() == 124);
}

TEST_CASE("a command in the background that reads the terminal can do so once it is put in front",
          "[stop]") {
  Terminal terminal;
  const std::string line = "set -m; '" + required("RETRY_EXEC") + "' -- '" + helper() +
                           "' read-stdin 5 + out 'do''ne\n' + exit 0 & "
                           "until jobs -s | grep -q Stopped; do sleep 0.02; done; "
                           "echo stop''ped; fg; echo code $?";
  Running running(terminal.at({.argv = {"bash", "-c", line}}));
  REQUIRE(terminal.shows("stopped"));
  terminal.type("line\n");
  CHECK(terminal.shows("done"));
  CHECK(terminal.shows("code 0"));
  running.wait();
}
