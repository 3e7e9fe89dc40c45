// Standard input: left alone, rewound, or recorded and replayed.
#include "wrapped.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <netinet/in.h>

using namespace test;

TEST_CASE("the command reads our stdin", "[stdin]") {
  Program program = wrapped({}, {"read-stdin"});
  program.input = "hello";
  CHECK(run(program).out == "hello");
}

TEST_CASE("a command that does not read leaves a loop's stdin alone", "[stdin]") {
  const std::string line = "printf '1\\n2\\n3\\n' | while read -r n; do '" +
                           required("RETRY_EXEC") + "' -- '" + helper() + "' out \"$n \"; done";
  CHECK(run({.argv = {"bash", "-c", line}}).out == "1 2 3 ");
}

TEST_CASE("an open stdin that nobody writes hangs nothing", "[stdin]") {
  Program program = wrapped({}, {"exit", "0"});
  program.input = OpenPipe{};
  Running running(program);
  CHECK(running.wait().exit_code() == 0);
}

TEST_CASE("a file as stdin is rewound for each attempt, to where it stood", "[stdin]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("in", "first line\nsecond line\n");
  const std::string line = "exec < '" + file + "'; read -r x; '" + required("RETRY_EXEC") +
                           "' -q -d 0 -a 2 -- '" + helper() + "' read-stdin + exit 1";
  const Ended ended = run({.argv = {"bash", "-c", line}});
  CHECK(ended.out == "second line\nsecond line\n");
}

TEST_CASE("that a second attempt would find less in a pipe is said, once, if it was read",
          "[stdin]") {
  const auto told = [&](std::vector<std::string> more, test::Input input) {
    Program program = wrapped(at_once(std::move(more)), {"read-stdin", "1", "+", "exit", "1"});
    program.input = std::move(input);
    return count(run(program).err, "-I replays it") +
           count(run(program).err, "-I records and replays it");
  };
  CHECK(told({"-a", "3"}, "data") == 1);
  CHECK(told({"-a", "3", "-I"}, "data") == 0);
  CHECK(told({"-a", "3"}, Null{}) == 0);
  CHECK(told({"-a", "1"}, "data") == 0);
}

TEST_CASE("-I replays to each attempt what stdin held", "[stdin]") {
  const TemporaryFolder folder;
  Program program = wrapped(
      at_once({"-I"}), {"read-stdin", "+", "out", ";", "+", "fail-times", folder / "n", "2", "no"});
  program.input = "from a pipe";
  CHECK(run(program).out == "from a pipe;from a pipe;from a pipe;");
}

TEST_CASE("-I replays what is always ready as well: a file, and the end of /dev/null", "[stdin]") {
  const TemporaryFolder folder;
  const auto read_twice = [](const std::string& file) {
    const std::string line = "'" + required("RETRY_EXEC") + "' -I -q -d 0 -a 2 -- '" + helper() +
                             "' read-stdin + exit 7 <'" + file + "'";
    const Ended ended = run({.argv = {"sh", "-c", line}});
    CHECK(ended.exit_code() == 7);
    return ended.out;
  };
  CHECK(read_twice(folder.write("in", "one\ntwo\n")) == "one\ntwo\none\ntwo\n");
  CHECK(read_twice("/dev/null").empty());
}

TEST_CASE("with -I, too, a file stands where the command left it", "[stdin]") {
  const TemporaryFolder folder;
  std::string numbers;
  for (int number = 1; number <= 40'000; ++number) numbers += std::to_string(number) + "\n";
  const std::string file = folder.write("in", numbers);
  const auto left = [&](const std::string& script) {
    const std::string line = "{ '" + required("RETRY_EXEC") + "' -I -q -d 0 -a 3 -- bash -c '" +
                             script + "'; head -n 1; } < '" + file + "'";
    return run({.argv = {"bash", "-c", line}}).out;
  };
  CHECK(left("true") == "1\n");
  CHECK(left("exec <&-; sleep 0.1") == "1\n");
  CHECK(left("read a; echo $a") == "1\n2\n");
  CHECK(left("read a; read b; echo $b; [ $RETRY_EXEC_ATTEMPT = 3 ]") == "2\n2\n2\n3\n");
  CHECK(left("sed -n 30000q >/dev/null; [ $RETRY_EXEC_ATTEMPT = 2 ]").size() > 1);
  CHECK(
      left(
          "[ $RETRY_EXEC_ATTEMPT = 3 ] || cat >/dev/null; [ $RETRY_EXEC_ATTEMPT = 3 ] && read a") ==
      "2\n");
  CHECK(left("cat >/dev/null").empty());
}

TEST_CASE("-v tells what -I has read ahead of the command from a pipe", "[stdin]") {
  const auto told = [&](std::vector<std::string> options, const std::vector<std::string>& words) {
    Program program = wrapped(std::move(options), words);
    program.input = "0123456789";
    return run(program).err;
  };
  const std::string ahead = " of standard input ahead of the command";
  CHECK_THAT(told({"-v", "-I"}, {"read-stdin", "9"}), ContainsSubstring("-I read 1 byte" + ahead));
  CHECK(count(told({"-v", "-I"}, {"read-stdin"}), ahead) == 0);
  CHECK(count(told({"-v"}, {"read-stdin", "4"}), ahead) == 0);
  CHECK(told({"-I"}, {"read-stdin", "4"}).empty());
}

TEST_CASE("-I replays what was read and goes on with what was not", "[stdin]") {
  const TemporaryFolder folder;
  Program program = wrapped(at_once({"-I"}), {"read-stdin", "4", "+", "fail-times", folder / "n",
                                              "1", "no", "+", "read-stdin"});
  program.input = "0123456789";
  CHECK(run(program).out == "01230123456789");
}

TEST_CASE("-I waits for no end of file", "[stdin]") {
  const TemporaryFolder folder;
  Program program =
      wrapped(at_once({"-I"}), {"read-stdin", "3", "+", "fail-times", folder / "n", "1", "no"});
  program.input = OpenPipe{};
  Running running(program);
  running.write("abc");
  CHECK(running.wait_for_out("abcabc"));
  CHECK(running.wait().exit_code() == 0);
}

TEST_CASE("-I records more than memory, and leaves no file behind", "[stdin]") {
  const TemporaryFolder folder;
  Program program =
      wrapped(at_once({"-I"}), {"read-stdin", "+", "fail-times", folder / "n", "1", "no"});
  const std::string input(5'000'000, 'x');
  program.input = input;
  const std::string temporary = folder / "tmp";
  std::filesystem::create_directory(temporary);
  program.environment.push_back({"TMPDIR", temporary});
  CHECK(run(program).out.size() == 2 * input.size());
  CHECK(std::filesystem::is_empty(temporary));
}

TEST_CASE("stdin is never made non-blocking", "[stdin]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"-I"}}) {
    Program program = wrapped(options, {"exit", "0"});
    program.input = Descriptor{ends[0]};
    run(program);
    CHECK((::fcntl(ends[0], F_GETFL) & O_NONBLOCK) == 0);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE(
    "a file that is both stdin and stdout is not rewound, for that would overwrite the output",
    "[stdin]") {
  const TemporaryFolder folder;
  const std::string sandbox = GENERATE(std::string(), "'" + required("REFUSE") + "' EPERM kcmp ");
  const auto left_by = [&](const std::string& script, const std::string& options) {
    const std::string file = folder.write("io", "first\nsecond\n");
    const std::string line = sandbox + "'" + required("RETRY_EXEC") + "' -q -d 0 -a 2 " + options +
                             " -- bash -c '" + script + "; exit 1' 2> /dev/null <> '" + file +
                             "' >&0";
    run({.argv = {"bash", "-c", line}});
    return read_file(file);
  };
  CHECK(left_by("echo out$RETRY_EXEC_ATTEMPT", "") == "out1\nout2\nnd\n");
  // What was read could not be given again: no other attempt.
  CHECK(left_by("read x; echo $RETRY_EXEC_ATTEMPT", "") == "first\n1\ncond\n");
  CHECK(left_by("read x; echo $RETRY_EXEC_ATTEMPT", "-O") == "first\n1\ncond\n");
  const std::string line = sandbox + "'" + required("RETRY_EXEC") + "' -d 0 -a 2 -- '" + helper() +
                           "' out x + exit 7 <> /dev/null >&0";
  CHECK_THAT(run({.argv = {"bash", "-c", line}}).err, ContainsSubstring("after 2 attempts"));
}

TEST_CASE("a file that is stdin and written by another descriptor is not rewound either",
          "[stdin]") {
  const TemporaryFolder folder;
  const std::string sandbox = GENERATE(std::string(), "'" + required("REFUSE") + "' EPERM kcmp ");
  const auto left_by = [&](const std::string& script, const std::string& redirections) {
    const std::string file = folder.write("io", "first\nsecond\n");
    const std::string line = "sleep 0.1; exec " + redirections + "; " + sandbox + "'" +
                             required("RETRY_EXEC") + "' -d 0 -a 2 -- bash -c '" + script +
                             "; exit 1'";
    const Ended ended = run({.argv = {"bash", "-c", line}, .environment = {{"IO", file}}});
    return read_file(file) + (ended.err.find("-I records") == std::string::npos ? "" : "spent");
  };
  CHECK(left_by("echo out$RETRY_EXEC_ATTEMPT >&3", "3<>$IO <&3") == "out1\nout2\nnd\n");
  CHECK(left_by("echo out$RETRY_EXEC_ATTEMPT >&0", "0>$IO") == "out1\nout2\n");
  CHECK(left_by("read x", "3<>$IO <&3") == "first\nsecond\nspent");
  // Nobody else writes there: rewound, as any file.
  CHECK(left_by("read x; test $x = first || echo $x >$IO", "<>$IO") == "first\nsecond\n");
  CHECK(left_by("read x; test $x = first || echo $x >$IO", "3>>$IO <$IO") == "first\nsecond\n");
}

namespace {

// Our end of a connection that has brought `bytes` and is then reset: what lies behind is unknown.
struct ResetConnection {
  explicit ResetConnection(std::string_view bytes) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    ours = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, name, &size) == 0);
    REQUIRE(::connect(ours, name, size) == 0);
    peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listener);
    REQUIRE(::send(peer, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  ResetConnection(const ResetConnection&) = delete;
  ResetConnection& operator=(const ResetConnection&) = delete;
  ~ResetConnection() { ::close(ours); }
  void reset() const {
    const linger at_once{1, 0};
    ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(peer);
  }
  int ours = -1;
  int peer = -1;
};

}  // namespace

TEST_CASE("-I waits for no bytes that another reader of the same pipe has taken", "[stdin]") {
  Running running(Program{
      .argv = {"bash", "-c",
               "{ for i in $(seq 300); do echo x; sleep 0.002; done; sleep 30; } | { exec 3<&0; "
               "readers=; for i in 1 2 3 4; do \"$RETRY_EXEC\" -q -a 1 -I -t 1s -- cat <&3 "
               ">/dev/null & readers=\"$readers $!\"; done; wait $readers; echo done; }"},
      .time_limit = 40s});
  CHECK(running.wait_for_out("done", 15s));
}

TEST_CASE("-I never turns input that cannot be read into an end of file", "[stdin]") {
  const TemporaryFolder folder;
  const std::string note = folder / "end";
  // The second one ignores TERM, and outlives the shell: it, too, must see no end.
  for (const std::string& script :
       {"cat; echo >" + note, "(trap '' TERM; cat; echo >" + note + ") | cat; echo >" + note}) {
    INFO(script);
    const ResetConnection connection("first half\n");
    Program program = wrapping(at_once({"-I", "-k", "300ms"}), {"sh", "-c", script});
    program.input = Descriptor{connection.ours};
    Running running(program);
    REQUIRE(running.wait_for_out("first half\n"));
    connection.reset();
    const Ended ended = running.wait();
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("could not read stdin: Connection reset by peer"));
    CHECK_THAT(ended.err, !ContainsSubstring("waiting"));
    CHECK(!std::filesystem::exists(note));
  }
}

TEST_CASE("a command that does not come to where its input failed is not ended", "[stdin]") {
  const ResetConnection connection("first half\n");
  Program program = wrapped({"-I"}, {"read-stdin", "6", "+", "sleep-ms", "500", "+", "exit", "0"});
  program.input = Descriptor{connection.ours};
  Running running(program);
  REQUIRE(running.wait_for_out("first "));
  connection.reset();
  const Ended ended = running.wait();
  CHECK(ended.exit_code() == 0);
  CHECK(ended.err.empty());
}

TEST_CASE("under -I a command finds input that nobody can read as it is", "[stdin]") {
  const TemporaryFolder folder;
  const int directory = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int write_only = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (const auto& [fd, why] :
       {std::pair(directory, "Is a directory"), std::pair(write_only, "Bad file descriptor")}) {
    Program program = wrapping(at_once({"-I", "-a", "2"}), {"sh", "-c", "echo started; cat"});
    program.input = Descriptor{fd};
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 1);
    CHECK(ended.out == "started\nstarted\n");
    CHECK_THAT(ended.err, ContainsSubstring(std::string("cat: -: ") + why));
    ::close(fd);
  }
}

TEST_CASE("an input that is recorded and has nothing for now costs no time", "[stdin]") {
  Program program = wrapped({"-I"}, {"sleep"});
  program.input = OpenPipe{};
  Running running(program);
  CHECK_FALSE(eventually([] { return false; }, 700ms));
  CHECK(running.processor_time() < 300ms);
}
