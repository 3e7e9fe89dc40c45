// Output passes as if nobody stood between, and costs no more memory for being more.
#include "wrapped.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <sstream>

using namespace test;

namespace {

// A pipe that nobody reads until it is gone.
class UnreadPipe {
 public:
  UnreadPipe() { REQUIRE(::pipe2(ends_, O_CLOEXEC) == 0); }
  UnreadPipe(const UnreadPipe&) = delete;
  UnreadPipe& operator=(const UnreadPipe&) = delete;
  ~UnreadPipe() { close(); }

  void close() {
    for (int& end : ends_) {
      if (end >= 0) ::close(end);
      end = -1;
    }
  }

  int write_end() const { return ends_[1]; }
  int room() const { return ::fcntl(ends_[0], F_GETPIPE_SZ); }
  bool fills() const {
    return eventually([&] {
      pollfd request{ends_[1], POLLOUT, 0};
      return ::poll(&request, 1, 0) == 0;
    });
  }

 private:
  int ends_[2] = {-1, -1};
};

// A program of which only the peak memory is of interest, in KiB (VmHWM of GNU time's kind).
long peak_memory(const Program& program) {
  const TemporaryFolder folder;
  Program timed = program;
  timed.argv.insert(timed.argv.begin(), {helper(), "measure", folder / "peak"});
  timed.time_limit = std::chrono::minutes(3);
  REQUIRE(run(timed).exit_code() == 0);
  return std::stol(read_file(folder / "peak"));
}

}  // namespace

TEST_CASE("both streams pass unmerged and unchanged, to the last byte without a line end",
          "[stream]") {
  const Ended ended = run(wrapping({}, {"printf", "a\\000b\\377\\r\\nno end"}));
  CHECK(ended.out == "a" + std::string(1, '\0') + "b\xff\r\nno end");
  CHECK(run(wrapped({}, {"out", "to out", "+", "err", "to err"})).err == "to err");
}

TEST_CASE("a first success adds nothing of ours", "[stream]") {
  const Ended ended = run(wrapped({"-r", "ghcr"}, {"out", "x"}));
  CHECK(ended.out == "x");
  CHECK(ended.err.empty());
}

TEST_CASE("output is live: it is seen before the command ends", "[stream]") {
  Running running(wrapped({}, {"out", "early", "+", "sleep"}));
  CHECK(running.wait_for_out("early"));
  running.send(SIGTERM);
  running.wait();
}

TEST_CASE("200 MB pass through pipes and files without change", "[stream]") {
  const std::string size = "200000000";
  for (const char* after : {"| cat ", "> \"$0\"; cat \"$0\" "}) {
    const TemporaryFolder folder;
    const std::string line = "'" + required("RETRY_EXEC") + "' -- '" + helper() + "' flood " +
                             size + " " + after + "| cksum";
    const std::string bare = "'" + helper() + "' flood " + size + " | cksum";
    CHECK(run({.argv = {"sh", "-c", line, folder / "file"}}).out ==
          run({.argv = {"sh", "-c", bare}}).out);
  }
}

TEST_CASE("memory stays small and flat, however much passes", "[stream]") {
  for (const auto& [options, most] :
       {std::pair(std::vector<std::string>{"-r", "ghcr"}, 8 * 1024L),
        std::pair(std::vector<std::string>{"-O", "-r", "ghcr"}, 16 * 1024L)}) {
    Program little = wrapped(options, {"flood", "2000000"});
    Program much = wrapped(options, {"flood", "200000000"});
    little.standard_output = much.standard_output = Null{};
    const long peak = peak_memory(much);
    const long peak_of_little = peak_memory(little);
    if (instrumented) continue;  // a sanitizer keeps what was freed, to see who comes back to it
    CHECK(peak <= most);
    CHECK(peak <= peak_of_little * 5 / 4);
  }
}

TEST_CASE("the end of a flood is still there for the rules", "[stream]") {
  const TemporaryFolder folder;
  const std::string rules = folder.write("r.yaml", R"(
retry-rules: 1
name: t
rules:
  - {id: late, class: transient, match: '^the very end$', stream: stdout}
)");
  const std::string command = "'" + required("RETRY_EXEC") + "' -d 0 -a 2 -r '" + rules +
                              "' -- sh -c \"'" + helper() +
                              "' flood 50000000; printf 'the very end\\n'; exit 1\" | tail -c 13";
  const Ended ended = run({.argv = {"sh", "-c", command}, .time_limit = std::chrono::minutes(2)});
  CHECK(ended.out == "the very end\n");
  CHECK_THAT(ended.err, ContainsSubstring("t/late"));
}

TEST_CASE("a reader that goes away ends the run, as it would end the command alone", "[stream]") {
  const std::string line = "'" + required("RETRY_EXEC") + "' -- yes | head -n 1";
  const Ended ended = run({.argv = {"bash", "-c", line + "; echo ${PIPESTATUS[0]}"}});
  CHECK(ended.out == "y\n141\n");
  CHECK(ended.err.find("Broken pipe") == std::string::npos);
}

TEST_CASE("output that a reader who has gone did not take is no success", "[stream]") {
  const auto code = [](const std::string& options, const std::string& command) {
    const std::string line = "{ sleep 0.3; exec '" + required("RETRY_EXEC") + "' " + options +
                             " -- " + command + "; } | true; echo ${PIPESTATUS[0]}";
    return run({.argv = {"bash", "-c", line}}).out;
  };
  CHECK(code("", "echo hi") == "141\n");
  CHECK(code("-O", "echo hi") == "141\n");
  CHECK(code("-d 0 -a 2", "sh -c 'echo hi >&2; exit 7'") == "7\n");
  CHECK(code("", "true") == "0\n");
  // All of it was taken before the reader left.
  const std::string line = "'" + required("RETRY_EXEC") + "' -- sh -c 'echo hi; sleep 0.3'";
  CHECK(run({.argv = {"bash", "-c", line + " | head -n 1; echo ${PIPESTATUS[0]}"}}).out ==
        "hi\n0\n");
}

TEST_CASE("a reader that goes away does not make us wait for the other stream", "[stream]") {
  const TemporaryFolder folder;
  UnreadPipe pipe;
  // It leaves more than the reader's pipe takes, and somebody who holds stderr and says nothing.
  const std::string script = "head -c " + std::to_string(pipe.room() + 1000) +
                             " /dev/zero; sleep 100 >/dev/null & echo $$ > '" + (folder / "pid") +
                             "'; exit 0";
  Program program =
      wrapping({"--drain-grace", "100ms", "--drain-limit", "100s"}, {"bash", "-c", script});
  program.standard_output = Descriptor{pipe.write_end()};
  Running running(program);
  REQUIRE(eventually([&] {
    const std::string pid = read_file(folder / "pid");
    return !pid.empty() && command_line(static_cast<pid_t>(std::stol(pid))).empty();
  }));
  pipe.close();
  CHECK(running.wait().exit_code() == 141);
}

TEST_CASE("the command's own pipes end by SIGPIPE as usual", "[stream]") {
  const Ended ended = run(wrapping({}, {"sh", "-c", "yes | head -1"}));
  CHECK(ended.out == "y\n");
  CHECK(ended.err.empty());
}

TEST_CASE("the last of the output waits for a reader that comes late", "[stream]") {
  // The command is gone by then, and its pipe is empty: what is left is in our hands.
  const std::string line =
      "'" + required("RETRY_EXEC") + "' -- '" + helper() + "' flood 66000 | (sleep 1; wc -c)";
  CHECK(run({.argv = {"bash", "-c", line}}).out == "66000\n");
}

TEST_CASE("a slow reader is waited for without turning in circles", "[stream]") {
  const std::string line = "time '" + required("RETRY_EXEC") + "' --drain-grace 0 -- '" + helper() +
                           "' flood 66000 | (sleep 1; wc -c)";
  const Ended ended = run({.argv = {"bash", "-c", "TIMEFORMAT='%U %S'; " + line}});
  double user = 9;
  double system = 9;
  std::istringstream(ended.err) >> user >> system;
  CHECK(user + system < 0.5);
}

TEST_CASE("held output of a failed attempt is shown once, also when the wait is interrupted",
          "[stream]") {
  // Neither the log's command line nor its last line of evidence says the word.
  const std::string script = "printf 'HE''LD\\nthe end\\n' >&2; exit 1";
  Running running(wrapping({"-v", "-E", "-d", "1h", "--unmatched", "retry"}, {"sh", "-c", script}));
  REQUIRE(running.wait_for_err("HELD"));
  running.send(SIGTERM);
  const Ended ended = running.wait();
  CHECK(ended.signal() == SIGTERM);
  CHECK(count(ended.err, "HELD") == 1);
}

TEST_CASE("signals are served while nobody takes our output", "[stream]") {
  for (const char* option : {"-q", "-O"}) {
    INFO(option);
    const UnreadPipe pipe;
    Program program = wrapped({option}, {"flood", "1000000"});
    program.standard_output = Descriptor{pipe.write_end()};
    Running running(program);
    CHECK(pipe.fills());
    running.send(SIGTERM);
    CHECK(running.wait().signal() == SIGTERM);
  }
}

TEST_CASE("signals are served while nobody takes our own lines", "[stream]") {
  const TemporaryFolder folder;
  const UnreadPipe pipe;
  Program program = wrapped(at_once(), {"write-pid", folder / "pid", "+", "flood",
                                        std::to_string(pipe.room()), "2", "+", "exit", "1"});
  program.standard_error = Descriptor{pipe.write_end()};
  Running running(program);
  CHECK(pipe.fills());
  CHECK(eventually([&] { return session_members(running.pid()).size() == 1; }));
  running.send(SIGTERM);
  CHECK(running.wait().signal() == SIGTERM);
  CHECK(lines_of(read_file(folder / "pid")).size() == 1);
}

TEST_CASE("a signal while held output of a failed attempt is shown is followed by no other",
          "[stream]") {
  const TemporaryFolder folder;
  const UnreadPipe pipe;
  Program program = wrapped(at_once({"-v", "-O"}), {"note", folder / "notes", "ran", "+", "flood",
                                                    "1000000", "+", "exit", "1"});
  program.standard_error = Descriptor{pipe.write_end()};
  Running running(program);
  CHECK(pipe.fills());
  running.send(SIGTERM);
  CHECK(running.wait().signal() == SIGTERM);
  CHECK(read_file(folder / "notes") == "ran\n");
}

TEST_CASE("the deadline ends a run whose output nobody takes", "[stream]") {
  for (const char* option : {"--log=text", "-O"}) {
    INFO(option);
    const UnreadPipe pipe;
    Program program = wrapped({option, "--deadline", "300ms"}, {"flood", "3000000"});
    program.standard_output = Descriptor{pipe.write_end()};
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 124);
    CHECK_THAT(ended.err, ContainsSubstring("output was not read in time"));
    CHECK_THAT(ended.err, !ContainsSubstring("background process"));
  }
}

TEST_CASE("a command that our own reader holds up is not silent", "[stream]") {
  const std::string line = "'" + required("RETRY_EXEC") + "' -a 1 --idle-timeout 1s -- '" +
                           helper() + "' flood 3000000 | (sleep 3; wc -c)";
  CHECK(run({.argv = {"bash", "-c", line}}).out == "3000000\n");
}

TEST_CASE("descriptors 0 to 2 are never made non-blocking", "[stream]") {
  int out[2];
  REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  Program program = wrapped({}, {"flood", "10000"});
  program.standard_output = Descriptor{out[1]};
  run(program);
  CHECK((::fcntl(out[1], F_GETFL) & O_NONBLOCK) == 0);
  CHECK((::fcntl(out[0], F_GETFL) & O_NONBLOCK) == 0);
  ::close(out[0]);
  ::close(out[1]);
}

TEST_CASE("an output that was non-blocking already loses nothing", "[stream]") {
  const std::string line = "('" + helper() + "' make-nonblocking 1; '" + required("RETRY_EXEC") +
                           "' -- '" + helper() + "' flood 3000000) | (sleep 0.2; wc -c)";
  CHECK(run({.argv = {"bash", "-c", line}}).out == "3000000\n");
}

TEST_CASE("the command has 0, 1, 2 and what was passed on purpose, no more", "[stream]") {
  Program bare{.argv = {helper(), "print-fds"}};
  CHECK(run(wrapped({}, {"print-fds"})).out == run(bare).out);
  const TemporaryFolder folder;
  const int mine = ::open((folder / "file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  Program program = wrapped({}, {"print-fds"});
  program.descriptors = {{7, mine}};
  bare.descriptors = program.descriptors;
  CHECK(run(program).out == run(bare).out);
  CHECK_THAT(run(program).out, ContainsSubstring("7\n"));
  ::close(mine);
}

TEST_CASE("make's job server reaches the command", "[stream]") {
  const TemporaryFolder folder;
  folder.write("Makefile", "all:\n\t+@'" + required("RETRY_EXEC") + "' -- $(MAKE) -f inner\n");
  folder.write("inner", "all: a b\na b:\n\t@echo $@\n");
  const Ended ended = run({.argv = {"make", "-s", "-j2", "-C", folder.path()}});
  CHECK(ended.exit_code() == 0);
  CHECK(ended.err.find("jobserver unavailable") == std::string::npos);
}

TEST_CASE("closed standard descriptors are no trap", "[stream]") {
  for (const char* closed : {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"}) {
    INFO(closed);
    const std::string line =
        "'" + required("RETRY_EXEC") + "' -a 1 -- '" + helper() + "' exit 6 " + closed;
    CHECK(run({.argv = {"bash", "-c", line}}).exit_code() == 6);
  }
}

TEST_CASE("a standard descriptor that is closed is closed for the command too", "[stream]") {
  for (const char* closed : {"<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"}) {
    INFO(closed);
    const TemporaryFolder folder;
    const std::string command = " sh -c 'ls -l /proc/self/fd | grep -o \"[0-9]* ->\" > \"$0\"' ";
    const std::string list = command + "'" + (folder / "list") + "' " + closed;
    run({.argv = {"sh", "-c", "exec" + list}});
    const std::string bare = read_file(folder / "list");
    for (const char* options : {"", "-I", "-O", "-E", "--pty"}) {
      INFO(options);
      run({.argv = {"sh", "-c", "'" + required("RETRY_EXEC") + "' " + options + " --" + list}});
      CHECK(read_file(folder / "list") == bare);
    }
  }
}

TEST_CASE("what cannot be written or read without us fails with us as well", "[stream]") {
  const std::string ours = "'" + required("RETRY_EXEC") + "' -a 1 -q -- ";
  const Ended writes = run({.argv = {"sh", "-c", ours + "/usr/bin/printf x >&-"}});
  CHECK(writes.exit_code() == 1);
  CHECK_THAT(writes.err, ContainsSubstring("write error"));
  CHECK(run({.argv = {"sh", "-c", ours + "cat <&-"}}).exit_code() == 1);
}

TEST_CASE("programs side by side that write short lines into one pipe tear none", "[stream]") {
  const std::string line(96, 'x');
  const std::string one = "'" + required("RETRY_EXEC") +
                          "' -q -- bash -c 'for i in {1..3000}; do echo $0-" + line + "-$0; done' ";
  const Ended ended =
      run({.argv = {"bash", "-c",
                    "{ for c in a b c d; do " + one + "$c & done; wait; } | { sleep 1; cat; }"}});
  const std::vector<std::string> lines = lines_of(ended.out);
  CHECK(lines.size() == 12'000);
  std::size_t torn = 0;
  for (const std::string& found : lines) {
    const std::string name = found.substr(0, 1);
    torn += found == name + "-" + line + "-" + name ? 0 : 1;
  }
  CHECK(torn == 0);
}

TEST_CASE("a line that our own buffer's end cuts goes into a pipe whole", "[stream]") {
  // Longer and longer lines, so that every place in our buffer is once the end of a read.
  const std::string one = "'" + required("RETRY_EXEC") + "' -q --capture-limit 1 -- bash -c \"" +
                          std::string(
                              "for i in {1..3000}; do printf '%s%*s\\n' \\$0 \\$((i % "
                              "200)) \\$0; done") +
                          "\" ";
  const Ended ended =
      run({.argv = {"bash", "-c",
                    "{ for c in a b c d; do " + one + "$c & done; wait; } | { sleep 1; cat; }"}});
  const std::vector<std::string> lines = lines_of(ended.out);
  CHECK(lines.size() == 12'000);
  std::size_t torn = 0;
  for (const std::string& found : lines) {
    torn += found.size() >= 2 && found.front() == found.back() &&
                    found.find_first_not_of(' ', 1) == found.size() - 1
                ? 0
                : 1;
  }
  CHECK(torn == 0);
}

TEST_CASE("held output is that of the deciding attempt, once", "[stream]") {
  const TemporaryFolder folder;
  const std::vector<std::string> words = {
      "out", "some output\n", "+",          "err", "some error\n",
      "+",   "fail-times",    folder / "n", "2",   "not yet"};
  CHECK(count(run(wrapped(at_once({"-O"}), words)).out, "some output\n") == 1);
  const TemporaryFolder other;
  std::vector<std::string> failing = {"out", "x", "+", "err", "y", "+", "exit", "4"};
  const Ended ended = run(wrapped(at_once({"-O", "-E", "-a", "3", "-q"}), failing));
  CHECK(ended.exit_code() == 4);
  CHECK(ended.out == "x");
  CHECK(ended.err == "y");
}

TEST_CASE("held output of earlier attempts is shown with -v, on stderr", "[stream]") {
  const TemporaryFolder folder;
  const Ended ended = run(
      wrapped(at_once({"-O", "-v"}), {"out", "try\n", "+", "fail-times", folder / "n", "1", "no"}));
  CHECK(ended.out == "try\n");
  CHECK_THAT(ended.err, ContainsSubstring("try\n"));
}

TEST_CASE("held output beyond memory is whole, and leaves no file behind", "[stream]") {
  const TemporaryFolder folder;
  Program program = wrapped({"-O"}, {"flood", "30000000"});
  program.environment.push_back({"TMPDIR", folder.path()});
  CHECK(run(program).out.size() == 30'000'000);
  CHECK(std::filesystem::is_empty(folder.path()));
}
