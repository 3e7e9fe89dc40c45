// Full disks, many runs, and being process 1.
#include "wrapped.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

using namespace test;

// Nothing larger than this can be written: what is kept aside does not fit.
void limit_files() {
  const rlimit limit{100'000, 100'000};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

TEST_CASE("what does not fit on the disk is kept in memory", "[resource]") {
  const TemporaryFolder folder;
  Program program = wrapped(
      at_once({"-O", "-E", "-I"}),
      {"read-stdin", "+", "flood", "3000000", "2", "+", "fail-times", folder / "n", "1", "no"});
  std::string input;
  for (int i = 0; input.size() < 5'000'000; ++i) input += std::to_string(i) + '\n';
  program.input = input;
  program.before_exec = limit_files;
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 0);
  CHECK(ended.out == input);
  CHECK(count(ended.err, std::string(127, 'x') + "\n") >= 3'000'000 / 128);
}

TEST_CASE("a small stack is enough", "[resource]") {
  if (instrumented) return;
  Program program = wrapping(at_once({"-O", "-E", "-I", "-v", "--stall-timeout", "5s"}),
                             {"sh", "-c", "cat; exit $((RETRY_EXEC_ATTEMPT == 1))"});
  const std::string input(300'000, 'x');
  program.input = input;
  program.before_exec = [] {
    const rlimit limit{std::size_t{64} << 10U, std::size_t{64} << 10U};
    ::setrlimit(RLIMIT_STACK, &limit);
  };
  const Ended ended = run(program);
  INFO(ended.err.substr(0, 1000));
  CHECK(ended.exit_code() == 0);
  CHECK((ended.out == input));
}

TEST_CASE("where no folder can be written, what is kept aside is kept in memory", "[resource]") {
  const TemporaryFolder folder;
  Program program = wrapped(
      at_once({"-O", "-E", "-I"}),
      {"read-stdin", "+", "flood", "3000000", "2", "+", "fail-times", folder / "n", "1", "no"});
  const std::string input(5'000'000, 'x');
  program.input = input;
  for (const char* where : {"/no/such/folder", "/proc"}) {
    program.environment = {{"TMPDIR", where}};
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 0);
    CHECK(ended.out == input);
    CHECK(count(ended.err, std::string(127, 'x') + "\n") >= 3'000'000 / 128);
  }
}

TEST_CASE("memory is not used for more than its share, and that is said", "[resource]") {
  const bool full = GENERATE(true, false);
  Program program = wrapped({"-O"}, {"flood", "300000000", "+", "exit", "0"});
  if (full) {
    program.before_exec = limit_files;
  } else {
    program.environment.push_back({"TMPDIR", "/no/such/folder"});
  }
  program.time_limit = std::chrono::minutes(2);
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 125);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err, ContainsSubstring("cannot keep standard output aside"));
  CHECK_THAT(ended.err, ContainsSubstring("more than the 256 MiB that memory is used for"));
  CHECK_THAT(ended.err, ContainsSubstring(full ? "(File too large)" : "/no/such/folder"));
}

TEST_CASE("where memory runs out, that is said, and nothing is left running", "[resource]") {
  if (instrumented) return;  // a sanitizer reserves terabytes
  const TemporaryFolder folder;
  const std::string pid = folder / "pid";
  Program program = wrapped({"-O"}, {"write-pid", pid, "+", "leave-grandchild", pid, "setsid",
                                     "quiet", "+", "flood", "300000000", "+", "sleep"});
  program.environment.push_back({"TMPDIR", "/no/such/folder"});
  program.before_exec = [] {
    const rlimit limit{150'000'000, 150'000'000};
    ::setrlimit(RLIMIT_AS, &limit);
  };
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("retry-exec: out of memory\n"));
  for (const std::string& number : lines_of(read_file(pid))) {
    CHECK(eventually([&] { return ::kill(std::stoi(number), 0) != 0; }));
  }
}

TEST_CASE("input that cannot be recorded reaches the first attempt whole, and no other in part",
          "[resource]") {
  const std::string line = "head -c 280000000 /dev/zero | '" + required("RETRY_EXEC") +
                           "' -I -d 0 -a 2 -- sh -c 'wc -c; exit 1'";
  Program program{.argv = {"bash", "-c", line}};
  program.environment.push_back({"TMPDIR", "/no/such/folder"});
  program.time_limit = std::chrono::minutes(2);
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 125);
  CHECK(ended.out == "280000000\n");
  CHECK_THAT(ended.err, ContainsSubstring("could not provide standard input"));
}

TEST_CASE("many runs, many at a time, leave no process and no file", "[resource]") {
  const TemporaryFolder folder;
  const std::string script =
      "for i in $(seq 6); do for j in $(seq 50); do '" + required("RETRY_EXEC") +
      "' -q -O -E -I -d 0 -a 2 -- '" + helper() +
      "' flood 300000 + exit $((j % 2)) </dev/null >/dev/null 2>&1 & done; wait; done";
  Program program{.argv = {"bash", "-c", script}};
  program.time_limit = std::chrono::minutes(2);
  program.environment.push_back({"TMPDIR", folder.path()});
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 0);
  CHECK(ended.survivors.empty());
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("no descriptor is left over from one attempt to the next", "[resource]") {
  const std::string count_of = "ls /proc/$PPID/fd | wc -l; exit 1";
  Program program = wrapping(at_once({"-q", "-a", "30"}), {"sh", "-c", count_of});
  program.time_limit = std::chrono::minutes(2);
  const Ended ended = run(program);
  std::vector<int> counts;
  for (const std::string& line : lines_of(ended.out)) counts.push_back(std::stoi(line));
  REQUIRE(counts.size() == 30);
  // The first failure opens what judging needs; from then on nothing more. A command that is quick
  // may still see the ends of its pipes that we are about to close.
  CHECK(*std::min_element(counts.begin() + 2, counts.begin() + 12) ==
        *std::min_element(counts.begin() + 20, counts.end()));
}

// The start of a command line whose rest is run in a pid namespace of its own. Root needs no
// namespace of users for that, and in a chroot(2) the kernel gives none.
std::vector<std::string> in_new_pid_namespace(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"unshare", "--pid", "--fork", "--kill-child"};
  if (::geteuid() != 0) words.insert(words.end(), {"--user", "--map-root-user"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// The same with its own /proc; `rest` is what the shell there does with "$@".
std::vector<std::string> in_container(const std::string& rest) {
  const std::string script = "mount --make-private /proc && mount -t proc proc /proc && " + rest;
  return in_new_pid_namespace({"--mount", "--propagation", "unchanged", "sh", "-c", script, "sh"});
}

TEST_CASE("as process 1 of a container it works, and ends when asked to", "[resource]") {
  const auto container = in_container("exec \"$@\"");
  Program program = wrapped({"-a", "1"}, {"exit", "9"});
  program.argv.insert(program.argv.begin(), container.begin(), container.end());
  CHECK(run(program).exit_code() == 9);

  const TemporaryFolder folder;
  const std::string notes = folder / "notes";
  Program asked = wrapped({}, {"note", notes, "ready", "+", "sleep"});
  asked.argv.insert(asked.argv.begin(), container.begin(), container.end());
  Running running(asked);
  REQUIRE(eventually([&] { return read_file(notes) == "ready\n"; }));
  for (const pid_t pid : session_members(running.pid())) {
    if (command_line(pid).find("/retry-exec") != std::string::npos &&
        command_line(pid).find("unshare") == std::string::npos) {
      ::kill(pid, SIGTERM);
    }
  }
  CHECK(running.wait().exit_code() == 128 + SIGTERM);
}

TEST_CASE("process 1 cannot be stopped, so its command goes on", "[resource]") {
  Program program = wrapped({"-a", "1"}, {"stop-self", std::to_string(SIGTSTP), "+", "exit", "4"});
  const auto container = in_container("exec \"$@\"");
  program.argv.insert(program.argv.begin(), container.begin(), container.end());
  CHECK(run(program).exit_code() == 4);
}

TEST_CASE("a parent that is process 1 is not taken for a dead one", "[resource]") {
  Program program = wrapped({"-a", "1"}, {"exit", "0"});
  const auto container = in_container("\"$@\"; exit $?");
  program.argv.insert(program.argv.begin(), container.begin(), container.end());
  CHECK(run(program).exit_code() == 0);
}

TEST_CASE("a /proc of another pid namespace is not read for what an attempt left behind",
          "[resource]") {
  const TemporaryFolder folder;
  const auto container = in_new_pid_namespace({});
  Program program =
      wrapped(at_once({"-a", "2"}), {"leave-grandchild", folder / "pid", "+", "exit", "9"});
  program.argv.insert(program.argv.begin(), container.begin(), container.end());
  CHECK(run(program).exit_code() == 9);

  // What has left the group cannot be found there: nothing is started beside it.
  program = wrapped(at_once({"-a", "2", "-k", "100ms"}),
                    {"leave-grandchild", folder / "pid", "setsid", "quiet", "+", "exit", "9"});
  program.argv.insert(program.argv.begin(), container.begin(), container.end());
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 9);
  CHECK_THAT(ended.err, ContainsSubstring("no further attempt is started"));
}

TEST_CASE("where there are too few descriptors to begin, that is said", "[resource]") {
  Program program = wrapped({}, {"exit", "0"});
  program.before_exec = [] {
    const rlimit limit{5, 5};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  };
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("Too many open files"));
}

TEST_CASE("output that a full disk refuses is told, and is never a success", "[resource]") {
  for (const char* options : {"", "-O"}) {
    INFO(options);
    const std::string line = "'" + required("RETRY_EXEC") + "' " + options + " -- '" + helper() +
                             "' out lost + exit 0 > /dev/full";
    const Ended ended = run({.argv = {"bash", "-c", line}});
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("No space left on device"));
  }
}

TEST_CASE("held output whose reader has gone away ends as the command alone would", "[resource]") {
  const std::string line = "'" + required("RETRY_EXEC") + "' -O -- '" + helper() +
                           "' flood 2000000 | head -n 1 > /dev/null; echo ${PIPESTATUS[0]}";
  CHECK(run({.argv = {"bash", "-c", line}}).out == "141\n");
}

TEST_CASE("an outer run's last attempt is not told as ours", "[resource]") {
  Program program = wrapped({}, {"print-environment", "RETRY_EXEC_LAST_EXIT"});
  program.environment.push_back({"RETRY_EXEC_LAST_EXIT", "9"});
  CHECK(run(program).out == "RETRY_EXEC_LAST_EXIT=(unset)\n");
}

TEST_CASE("our lines begin at the start of a line, where the command stopped within one",
          "[resource]") {
  const Ended ended = run(wrapped({"-a", "1"}, {"err", "partial", "+", "exit", "1"}));
  CHECK_THAT(ended.err, StartsWith("partial\nretry-exec: "));

  const std::string line =
      "'" + required("RETRY_EXEC") + "' -a 1 -- '" + helper() + "' out partial + exit 1 2>&1";
  CHECK_THAT(run({.argv = {"sh", "-c", line}}).out, StartsWith("partial\nretry-exec: "));
}

TEST_CASE("options that contradict each other are told", "[resource]") {
  const Ended ended = run(wrapped({"--retries", "1", "-a", "5"}, {"exit", "0"}));
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("--attempts and --retries contradict each other"));
}
