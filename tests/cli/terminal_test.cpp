// At a terminal: the command shares our group, keys reach it once, and --pty shows it a terminal.
#include "terminal.hpp"

#include "wrapped.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

using namespace test;

TEST_CASE("a command at a terminal can read it", "[terminal]") {
  Terminal terminal;
  Running running(
      terminal.at(wrapped({}, {"out", "ready\n", "+", "read-stdin", "5", "+", "out", "done\n"})));
  REQUIRE(terminal.shows("ready"));
  terminal.type("line\n");
  CHECK(terminal.shows("done"));
  CHECK(running.wait().exit_code() == 0);
}

TEST_CASE("Ctrl-C reaches the command once, and we die by it", "[terminal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Terminal terminal;
  Running running(terminal.at(wrapped(at_once(), {"print-signals", notes})));
  REQUIRE(eventually([&] { return read_file(notes) == "ready\n"; }));
  terminal.type("\x03");
  REQUIRE(eventually([&] { return read_file(notes) == "ready\n2\n"; }));
  running.send(SIGTERM);  // now it asks a second time: the command, which ignores INT, is killed
  CHECK(running.wait().signal() == SIGINT);
  CHECK(count(read_file(notes), "2\n") == 1);
}

TEST_CASE("Ctrl-C reaches a command that has left our group for one of its own", "[terminal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Terminal terminal;
  Running running(terminal.at(
      wrapped({}, {"lead-group", "+", "trap", std::to_string(SIGINT), "0", "had enough", notes})));
  REQUIRE(eventually([&] { return read_file(notes) == "ready\n"; }));
  terminal.type("\x03");
  CHECK(terminal.shows("had enough"));
  CHECK(running.wait().signal() == SIGINT);
}

TEST_CASE("a command that has left our group for one of its own can read the terminal",
          "[terminal]") {
  Terminal terminal;
  Running running(terminal.at(wrapped(
      {}, {"lead-group", "+", "out", "ready\n", "+", "read-stdin", "5", "+", "out", "done\n"})));
  REQUIRE(terminal.shows("ready"));
  terminal.type("line\n");
  CHECK(terminal.shows("done"));
  CHECK(running.wait().exit_code() == 0);
}

TEST_CASE("the terminal that was lent to a command comes back, though others of its group live on",
          "[terminal]") {
  const TemporaryFolder folder;
  Terminal terminal;
  const std::string line = "'" + required("RETRY_EXEC") + "' -- '" + helper() +
                           "' lead-group + leave-grandchild '" + (folder / "pid") +
                           "' quiet + out ready + read-stdin 5; read line; echo got $line";
  Running running(terminal.at({.argv = {"bash", "-c", line}}));
  REQUIRE(terminal.shows("ready"));
  terminal.type("one!\ntwo\n");
  CHECK(terminal.shows("got two"));
  running.wait();
}

TEST_CASE("what a command sends to its whole group is for itself", "[terminal]") {
  Terminal terminal;
  const std::string script = "trap 'trap - TERM; kill 0' EXIT; sleep 100 & exit 1";
  Running running(terminal.at(wrapping(at_once({"-a", "3"}), {"bash", "-c", script})));
  CHECK(terminal.shows("gave up after 3 attempts"));
  CHECK_FALSE(terminal.seen().find("interrupted") != std::string::npos);
  running.wait();

  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Terminal other;
  const std::string counting =
      "trap 'echo got >> " + notes +
      "' USR1; kill -USR1 0; for i in {1..20}; do sleep 0.01; done; exit 4";
  Running counted(other.at(wrapping({"-v", "-a", "1"}, {"bash", "-c", counting})));
  CHECK(counted.wait().exit_code() == 4);
  CHECK(other.shows("exit 4"));
  CHECK_THAT(other.seen(), !ContainsSubstring("passed on"));
  CHECK(read_file(notes) == "got\n");
}

TEST_CASE("what a command sends to us alone is not", "[terminal]") {
  Terminal terminal;
  Running running(terminal.at(wrapping(
      at_once({"-a", "3"}), {"setsid", "sh", "-c", "kill -TERM $PPID; sleep 0.5; exit 1"})));
  CHECK(running.wait().signal() == SIGTERM);
}

TEST_CASE("an attempt that took the terminal and was killed leaves it to the next one",
          "[terminal]") {
  Terminal terminal;
  const std::string script =
      "[ $RETRY_EXEC_ATTEMPT = 2 ] || { set -m; sleep 100; }; echo rea''dy; read line; echo got "
      "$line";
  Running running(terminal.at(
      wrapping(at_once({"-a", "2", "-t", "1s", "-k", "100ms"}), {"bash", "-c", script})));
  REQUIRE(terminal.shows("ready"));
  terminal.type("hello\n");
  CHECK(terminal.shows("got hello"));
  CHECK(running.wait().exit_code() == 0);
}

TEST_CASE("an attempt that left the terminal raw and failed leaves it as it was to the next one",
          "[terminal]") {
  Terminal terminal;
  const std::string script =
      "[ $RETRY_EXEC_ATTEMPT = 2 ] || { stty raw -echo; exit 1; }; stty -a | grep -o '.icanon'; "
      "stty -a | grep -ow '.echo'; exit 0";
  Running running(terminal.at(wrapping(at_once({"-a", "2"}), {"sh", "-c", script})));
  CHECK(running.wait().exit_code() == 0);
  CHECK(terminal.shows("attempt"));
  CHECK_FALSE(terminal.seen().find("-icanon") != std::string::npos);
  CHECK_FALSE(terminal.seen().find("-echo") != std::string::npos);
}

TEST_CASE("Ctrl-C ends a wait after an attempt that left the terminal raw", "[terminal]") {
  Terminal terminal;
  Running running(terminal.at(wrapping({"-d", "100s"}, {"sh", "-c", "stty raw -echo; exit 1"})));
  REQUIRE(terminal.shows("waiting"));
  REQUIRE(eventually([&] { return terminal.echoes(); }));
  terminal.type("\x03");
  CHECK(running.wait().signal() == SIGINT);
}

TEST_CASE("what the last attempt made of the terminal stays, as it does bare", "[terminal]") {
  Terminal terminal;
  Running running(
      terminal.at(wrapping(at_once({"-a", "2"}), {"sh", "-c", "stty -echo -icanon; exit 1"})));
  CHECK(running.wait().exit_code() == 1);
  CHECK_FALSE(terminal.echoes());
}

TEST_CASE("of a last attempt that a signal or a limit ended, the terminal does not stay raw",
          "[terminal]") {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"sh", "-c", "stty -echo -icanon; kill -KILL $$"},
        std::vector<std::string>{"sh", "-c", "stty -echo -icanon; exec sleep 60"}}) {
    Terminal terminal;
    Running running(terminal.at(wrapping({"-a", "1", "-t", "1s"}, command)));
    running.wait();
    CHECK(terminal.echoes());
  }
}

TEST_CASE("what somebody else in our group made of the terminal stays after a failed attempt",
          "[terminal]") {
  const TemporaryFolder folder;
  Terminal terminal;
  const std::string line = "cd '" + folder.path().string() + "'; '" + required("RETRY_EXEC") +
                           "' -q -a 2 -d 0 -- sh -c 'touch up; until test -e go; do sleep 0.02; "
                           "done; exit 1' & until test -e up; do sleep 0.02; done; stty -echo; "
                           "touch go; wait $!; echo en''ded";
  Running running(terminal.at({.argv = {"bash", "-c", line}}));
  REQUIRE(terminal.shows("ended"));
  running.wait();
  CHECK_FALSE(terminal.echoes());
}

TEST_CASE("a terminal that hangs up reaches the command of a session's leader", "[terminal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Terminal terminal;
  Running running(terminal.at(
      wrapped({}, {"trap", std::to_string(SIGHUP), "0", "hung up", notes, "+", "exit", "0"})));
  REQUIRE(eventually([&] { return read_file(notes) == "ready\n"; }));
  terminal.hang_up();
  CHECK(running.wait().signal() == SIGHUP);
}

TEST_CASE("a terminal that takes nothing keeps no signal and no deadline from us", "[terminal]") {
  Terminal terminal;
  Running asked(terminal.at(wrapped({}, {"flood", "10000000"})));
  CHECK(eventually([&] { return terminal.is_full(); }));
  asked.send(SIGTERM);
  CHECK(asked.wait().signal() == SIGTERM);
  Terminal other;
  Running limited(other.at(wrapped({"--deadline", "300ms"}, {"flood", "10000000"})));
  CHECK(limited.wait().exit_code() == 124);
}

TEST_CASE("nor does one that belongs to another user, and cannot be opened again", "[terminal]") {
  const TemporaryFolder folder;
  const std::string wrapper = folder / "wrapper";
  std::filesystem::copy_file(required("RETRY_EXEC"), wrapper);
  for (const std::string& path : {folder.path().string(), wrapper}) {
    REQUIRE(::chmod(path.c_str(), 0777) == 0);
  }
  const auto of_another_user = [&](const Terminal& terminal, std::vector<std::string> options) {
    terminal.keep_others_out();
    options.insert(options.begin(), {wrapper, "-a", "1"});
    options.insert(options.end(), {"--", "yes"});
    Program program{.argv = options};
    program.before_exec = [] {
      if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(99);
    };
    return terminal.at(program);
  };
  Terminal terminal;
  Running asked(of_another_user(terminal, {}));
  CHECK(eventually([&] { return terminal.is_full(); }));
  asked.send(SIGTERM);
  CHECK(asked.wait().signal() == SIGTERM);
  Terminal other;
  Running limited(of_another_user(other, {"--deadline", "300ms"}));
  CHECK(limited.wait().exit_code() == 124);
}

TEST_CASE("without --pty the command sees pipes, with it the terminal that we have", "[terminal]") {
  Terminal terminal;
  Running plain(terminal.at(wrapped({}, {"print-terminals"})));
  CHECK(terminal.shows("1 other"));
  plain.wait();
  Terminal other;
  Running pty(other.at(wrapped({"--pty"}, {"print-terminals"})));
  CHECK(other.shows("1 terminal"));
  CHECK(other.shows("2 terminal"));
  pty.wait();
}

TEST_CASE("the order of two streams is kept at one terminal that was opened by two names",
          "[terminal]") {
  Terminal terminal;
  const std::string line = "'" + required("RETRY_EXEC") +
                           "' -q -a 1 -- bash -c 'for i in {1..40}; do echo out$i; echo err$i >&2; "
                           "done; echo all' 2> /dev/tty";
  Running running(terminal.at({.argv = {"bash", "-c", line}}));
  REQUIRE(terminal.shows("all"));
  running.wait();
  std::string expected;
  for (int i = 1; i <= 40; ++i) {
    expected += "out" + std::to_string(i) + "\r\nerr" + std::to_string(i) + "\r\n";
  }
  CHECK(terminal.seen() == expected + "all\r\n");
}

TEST_CASE("--pty gives the command the size of our terminal", "[terminal]") {
  Terminal terminal;
  Running running(terminal.at(wrapping({"--pty"}, {"sh", "-c", "stty size <&1"})));
  CHECK(terminal.shows("40 120"));
  running.wait();
}

TEST_CASE("--pty tells the command of a new size of our terminal, after it is so", "[terminal]") {
  Terminal terminal;
  const std::string script =
      "trap 'stty size <&1' WINCH; echo rea''dy; while :; do sleep 0.02; done";
  Running running(terminal.at(wrapping({"--pty"}, {"sh", "-c", script})));
  REQUIRE(terminal.shows("ready"));
  for (unsigned short rows = 50; rows < 60; ++rows) {
    terminal.resize(rows, 100);
    CHECK(terminal.shows(std::to_string(rows) + " 100"));
  }
  running.send(SIGTERM);
  running.wait();
}

TEST_CASE("--pty without a terminal changes nothing", "[terminal]") {
  CHECK_THAT(run(wrapped({"--pty"}, {"print-terminals"})).out, ContainsSubstring("1 other"));
}

TEST_CASE("rules see what a coloured, redrawn line finally says", "[terminal]") {
  const TemporaryFolder folder;
  const std::string rules = folder.write("r.yaml", R"(
retry-rules: 1
name: t
evidence: [{stream: both}]
rules:
  - {id: failed, class: transient, match: '^Error: flaky$'}
)");
  const std::string script =
      "printf 'progress 1%%\\rprogress 2%%\\r\\033[31mError: \\033[1mflaky\\033[0m\\n'; exit 1";
  Terminal terminal;
  Running running(
      terminal.at(wrapping({"--pty", "-a", "2", "-d", "0", "-r", rules}, {"sh", "-c", script})));
  CHECK(terminal.shows("t/failed"));
  running.wait();
}

TEST_CASE("a terminal that takes nothing is waited for without turning in circles", "[terminal]") {
  Terminal terminal;
  // Lines of every length, so that the room that is left may be any.
  const std::string lines = "for i in $(seq 3000); do printf '%*s\\n' $((i % 7)) x; done";
  Running running(terminal.at(wrapping({}, {"bash", "-c", lines})));
  REQUIRE(eventually([&] { return terminal.is_full(); }));
  const auto before = running.processor_time();
  CHECK_FALSE(eventually([] { return false; }, 500ms));
  CHECK((running.processor_time() - before) < 100ms);
}
