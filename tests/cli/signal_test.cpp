// Signals: passed on once, never retried, died by; and what of them the command inherits.
#include "wrapped.hpp"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t and friends
#include <sys/prctl.h>
#include <unistd.h>

using namespace test;

namespace {

bool noted(const std::string& path, const std::string& text) {
  return eventually([&] { return read_file(path).find(text) != std::string::npos; });
}

// 'T' when it is stopped: proc(5), the field behind the name.
char state_of(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(") ");
  return name_end == std::string::npos ? '?' : stat[name_end + 2];
}

}  // namespace

TEST_CASE("signals are passed on, each once", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(wrapped({}, {"print-signals", notes}));
  REQUIRE(noted(notes, "ready\n"));
  std::string expected = "ready\n";
  for (const int signal :
       {SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM, SIGCONT, SIGPWR, SIGRTMIN + 1, SIGTERM}) {
    running.send(signal);
    expected += std::to_string(signal) + "\n";
    REQUIRE(noted(notes, expected));
  }
  CHECK(running.wait().signal() == SIGTERM);
  CHECK(read_file(notes) == expected);
}

TEST_CASE("so are those of a failing write, an abort and a trap, where somebody sends them",
          "[signal]") {
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGABRT, SIGSYS, SIGTRAP}) {
    INFO(signal);
    const TemporaryFolder folder;
    const std::string notes = folder / "notes";
    Running running(
        wrapped({"-a", "1"}, {"trap", std::to_string(signal), "42", "had its say", notes}));
    REQUIRE(noted(notes, "ready\n"));
    running.send(signal);
    const Ended ended = running.wait();
    CHECK(ended.exit_code() == 42);
    CHECK(ended.err.starts_with("had its say\n"));
    Running killed(wrapped(at_once(), {"note", notes, "ran", "+", "sleep"}));
    REQUIRE(noted(notes, "ran\n"));
    killed.send(signal);
    CHECK(killed.wait().signal() == signal);
    CHECK(count(read_file(notes), "ran\n") == 1);
  }
}

TEST_CASE("the PIPE of our own failing write is not passed on", "[signal]") {
  const Ended ended = run({.argv = {"bash", "-c",
                                    "'" + required("RETRY_EXEC") + "' -v -a 1 -- '" + helper() +
                                        "' sleep-ms 200 + out x + sleep-ms 300 + exit 4 | true; "
                                        "echo ${PIPESTATUS[0]}"}});
  CHECK(ended.out == "4\n");
  CHECK_THAT(ended.err, !ContainsSubstring("passed on"));
}

TEST_CASE("a command that has left its process group gets them as well", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(wrapped({}, {"join-group", "+", "print-signals", notes}));
  REQUIRE(noted(notes, "ready\n"));
  running.send(SIGUSR1);
  REQUIRE(noted(notes, "ready\n10\n"));
  running.send(SIGTERM);
  CHECK(running.wait().signal() == SIGTERM);
  CHECK(read_file(notes) == "ready\n10\n15\n");
}

TEST_CASE("a signal that was blocked when we were started is left to the command", "[signal]") {
  const auto block = [] {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGTSTP}) sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
  };
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Program program = wrapped(at_once(), {"note", notes, "ready", "+", "sleep-ms", "700", "+",
                                        "fail-times", folder / "n", "1", "no"});
  program.before_exec = block;
  Running running(program);
  REQUIRE(noted(notes, "ready\n"));
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGTSTP}) running.send(signal);
  const Ended ended = running.wait();
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.err, ContainsSubstring("succeeded on attempt 2"));

  // It may take it all the same.
  Program takes = wrapped({}, {"trap", std::to_string(SIGTERM), "0", "took it", folder / "taken"});
  takes.before_exec = block;
  Running taking(takes);
  REQUIRE(noted(folder / "taken", "ready\n"));
  taking.send(SIGTERM);
  const Ended taken = taking.wait();
  CHECK(taken.exit_code() == 0);
  CHECK(taken.err == "took it\n");
}

TEST_CASE("an interrupted command is not retried, whatever it prints, and we die by the signal",
          "[signal]") {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    INFO(signal);
    const TemporaryFolder folder;
    const std::string notes = folder / "notes";
    Running running(wrapped(
        at_once(), {"trap", std::to_string(signal), "1", "503 Service Unavailable", notes}));
    REQUIRE(noted(notes, "ready\n"));
    running.send(signal);
    const Ended ended = running.wait();
    CHECK(ended.signal() == signal);
    CHECK_THAT(ended.err, ContainsSubstring("503 Service Unavailable\n"));
    CHECK(read_file(notes) == "ready\n");
  }
}

TEST_CASE("a signal during a wait ends it at once, and no attempt follows", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(
      wrapped({"-d", "1h", "--unmatched", "retry"}, {"note", notes, "ran", "+", "exit", "1"}));
  REQUIRE(running.wait_for_err("waiting"));
  running.send(SIGTERM);
  const Ended ended = running.wait();
  CHECK(ended.signal() == SIGTERM);
  CHECK(ended.wall.count() < 10);
  CHECK(read_file(notes) == "ran\n");
}

TEST_CASE("a command that a signal of ours killed is not run again, and we die by it too",
          "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(wrapped(at_once(), {"note", notes, "ran", "+", "sleep"}));
  REQUIRE(noted(notes, "ran\n"));
  running.send(SIGUSR1);
  CHECK(running.wait().signal() == SIGUSR1);
  CHECK(read_file(notes) == "ran\n");
}

TEST_CASE("a signal that would end a process ends a wait between attempts as well", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(
      wrapped({"-d", "1h", "--unmatched", "retry"}, {"note", notes, "ran", "+", "exit", "1"}));
  REQUIRE(running.wait_for_err("waiting"));
  running.send(SIGWINCH);
  running.send(SIGUSR1);
  CHECK(running.wait().signal() == SIGUSR1);
  CHECK(read_file(notes) == "ran\n");
}

TEST_CASE("a stopped command is continued when we are asked to continue", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(wrapped({"-a", "1"}, {"write-pid", notes, "+", "stop-self", "+", "exit", "4"}));
  REQUIRE(noted(notes, "\n"));
  const auto command = static_cast<pid_t>(std::stol(read_file(notes)));
  REQUIRE(eventually([&] { return state_of(command) == 'T'; }));
  running.send(SIGCONT);
  CHECK(running.wait().exit_code() == 4);
}

TEST_CASE("where nobody could continue us, a command that stops itself goes on as it does bare",
          "[signal]") {
  const std::vector<std::string> words = {"stop-self", std::to_string(SIGTSTP), "+", "exit", "4"};
  CHECK(run(wrapped({"-a", "1"}, words)).exit_code() == 4);
}

TEST_CASE("where nobody could continue us, a stop that we are sent stops nothing", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(
      wrapped({"-a", "1"}, {"write-pid", notes, "+", "sleep-ms", "500", "+", "exit", "4"}));
  REQUIRE(noted(notes, "\n"));
  running.send(SIGTSTP);
  CHECK(running.wait().exit_code() == 4);

  Running between(wrapped({"-a", "2", "-d", "500ms", "--unmatched", "retry"}, {"exit", "1"}));
  REQUIRE(between.wait_for_err("waiting"));
  between.send(SIGTSTP);
  CHECK(between.wait().exit_code() == 1);
}

TEST_CASE("a command that has a use for a stop of its own gets it wherever it runs", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(
      wrapped({"-a", "1"}, {"trap", std::to_string(SIGTSTP), "6", "no more jobs", notes}));
  REQUIRE(noted(notes, "ready\n"));
  running.send(SIGTSTP);
  const Ended ended = running.wait();
  CHECK(ended.exit_code() == 6);
  CHECK(ended.err.starts_with("no more jobs\n"));
}

TEST_CASE("a stop that the command has a use for does not stop its children", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  const std::string script =
      "trap \"exit 3\" TSTP; echo ready > " + notes + "; sleep 0.5; sleep 0.1; exit 5";
  Running running({.argv = {"bash", "-c",
                            "set -m; '" + required("RETRY_EXEC") + "' -a 1 -- bash -c '" + script +
                                "' & until test -s '" + notes +
                                "'; do sleep 0.02; done; kill -TSTP $!; wait $!; echo code $?"}});
  CHECK(running.wait_for_out("code 3"));
  running.wait();
}

TEST_CASE("what stops us stops the command, and what continues us continues it", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  // A shell with job control keeps our group from being orphaned.
  Running running(
      {.argv = {"bash", "-c",
                "set -m; '" + required("RETRY_EXEC") + "' -a 1 -- '" + helper() + "' write-pid '" +
                    notes + "' + sleep-ms 500 + exit 4 & until test -s '" + notes +
                    "'; do sleep 0.02; done; kill -TSTP $!; "
                    "until jobs -s | grep -q Stopped; do sleep 0.02; done; "
                    "echo stopped; read line; fg; echo code $?"},
       .input = OpenPipe{}});
  REQUIRE(running.wait_for_out("stopped"));
  const auto command = static_cast<pid_t>(std::stol(read_file(notes)));
  CHECK(state_of(command) == 'T');
  running.write("go on\n");
  CHECK(running.wait_for_out("code 4"));
  running.wait();
}

TEST_CASE("a second request to end kills what ignored the first", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(wrapped({}, {"ignore", "15", "+", "write-pid", notes, "+", "sleep"}));
  REQUIRE(noted(notes, "\n"));
  const auto command = static_cast<pid_t>(std::stol(read_file(notes)));
  // The same signal again within 200 ms counts as the same request, so it is sent until it counts.
  CHECK(eventually([&] {
    running.send(SIGTERM);
    ::usleep(250'000);
    return command_line(command).empty();
  }));
  const Ended ended = running.wait();
  CHECK(ended.signal() == SIGTERM);
  CHECK(ended.survivors.empty());
}

TEST_CASE("a signal that was ignored when we started stays ignored, for the command too",
          "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Program program =
      wrapped({}, {"note", notes, "started", "+", "sleep-ms", "300", "+", "exit", "0"});
  program.before_exec = [] { ::signal(SIGHUP, SIG_IGN); };
  Running running(program);
  REQUIRE(noted(notes, "started\n"));
  running.send(SIGHUP);
  CHECK(running.wait().exit_code() == 0);
}

TEST_CASE("the command has the signal mask and dispositions that it would have without us",
          "[signal]") {
  const auto prepare = [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGUSR2, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
  };
  Program bare{.argv = {helper(), "print-signal-state"}, .before_exec = prepare};
  Program with = wrapped({}, {"print-signal-state"});
  with.before_exec = prepare;
  CHECK(run(with).out == run(bare).out);
  with.before_exec = [] { ::signal(SIGPIPE, SIG_IGN); };
  bare.before_exec = [] { ::signal(SIGPIPE, SIG_IGN); };
  CHECK(run(with).out == run(bare).out);
  with.before_exec = [] { ::signal(SIGCHLD, SIG_IGN); };
  bare.before_exec = [] { ::signal(SIGCHLD, SIG_IGN); };
  CHECK(run(with).out == run(bare).out);
}

TEST_CASE("an inherited \"ignore\" of SIGCHLD does not hide the command's exit code", "[signal]") {
  Program program = wrapped({"-a", "1"}, {"exit", "7"});
  program.before_exec = [] { ::signal(SIGCHLD, SIG_IGN); };
  CHECK(run(program).exit_code() == 7);
}

TEST_CASE("killing us with KILL leaves no command behind", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Running running(wrapped({}, {"ignore", "15", "+", "write-pid", notes, "+", "sleep"}));
  REQUIRE(noted(notes, "\n"));
  const pid_t command = static_cast<pid_t>(std::stol(read_file(notes)));
  running.send(SIGKILL);
  CHECK(eventually([&] { return ::kill(command, 0) != 0 || command_line(command).empty(); }));
  running.wait();
}

TEST_CASE("a background job of the shell that became us is not ours to end", "[signal]") {
  const Ended ended = run({.argv = {"bash", "-c",
                                    "sleep 20 & exec '" + required("RETRY_EXEC") + "' -a 1 -- '" +
                                        helper() + "' exit 3"}});
  CHECK(ended.exit_code() == 3);
  CHECK(ended.survivors.size() == 1);
}

TEST_CASE("a signal that was passed on several times is told once", "[signal]") {
  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  const std::string script = "got=0; trap 'got=$((got + 1)); echo $got >>" + notes +
                             "' USR1; echo ready >>" + notes +
                             "; until [ $got = 3 ]; do sleep 0.01; done; exit 1";
  Running running({.argv = {required("RETRY_EXEC"), "-v", "-a", "1", "--", "bash", "-c", script}});
  REQUIRE(noted(notes, "ready\n"));
  for (const char* times : {"1\n", "2\n", "3\n"}) {
    running.send(SIGUSR1);
    REQUIRE(noted(notes, times));
  }
  CHECK(count(running.wait().err, "SIGUSR1 was passed on to it") == 1);
}
