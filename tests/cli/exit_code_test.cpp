// The table of exit codes in --help and README.md, row by row.
#include "wrapped.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

using namespace test;

TEST_CASE("a command's own exit code is passed on, each of the 256", "[exit-code]") {
  for (int code = 0; code < 256; ++code) {
    INFO(code);
    CHECK(run(wrapped({"-a", "1"}, {"exit", std::to_string(code)})).exit_code() == code);
  }
}

TEST_CASE("a command that a signal ended gives 128 and the signal's number", "[exit-code]") {
  CHECK(run(wrapped({"-a", "1"}, {"die-by", "9"})).exit_code() == 137);
  CHECK(run(wrapped({"-a", "1"}, {"die-by", "15"})).exit_code() == 143);
}

TEST_CASE("a command that SIGINT ended makes us die by it, as a shell's loop wants it",
          "[exit-code]") {
  CHECK(run(wrapped({"-a", "1"}, {"die-by", std::to_string(SIGINT)})).signal() == SIGINT);
}

TEST_CASE("an attempt that ran out of time gives 124", "[exit-code]") {
  const Ended ended = run(wrapped({"-a", "1", "-t", "100ms"}, {"sleep"}));
  CHECK(ended.exit_code() == 124);
  CHECK_THAT(ended.err, ContainsSubstring("timed out after "));
}

TEST_CASE("a deadline that ended the run gives 124", "[exit-code]") {
  CHECK(run(wrapped({"--deadline", "100ms"}, {"sleep"})).exit_code() == 124);
  const Ended no_room =
      run(wrapped({"--deadline", "30s", "-d", "1h", "-j", "none"}, {"exit", "3"}));
  CHECK(no_room.exit_code() == 124);
  CHECK(no_room.wall.count() < 20);
}

TEST_CASE("our own failure gives 125 and runs nothing", "[exit-code]") {
  const TemporaryFolder folder;
  const std::string file = folder / "ran";
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--no-such-option"}, {"-d", "soon"}, {"-r", "no-such-set"}}) {
    const Ended ended = run(wrapped(options, {"note", file, "ran"}));
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, StartsWith("retry-exec: "));
  }
  CHECK_FALSE(std::ifstream(file).good());
}

TEST_CASE("without a command there is usage, and 125", "[exit-code]") {
  const Ended ended = run({.argv = {required("RETRY_EXEC")}});
  CHECK(ended.exit_code() == 125);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err, ContainsSubstring("Usage: retry-exec [options] [--] COMMAND"));
}

TEST_CASE("what cannot be run gives 126, what is not found 127, and neither is retried",
          "[exit-code]") {
  const TemporaryFolder folder;
  const std::string plain = folder / "plain";
  std::ofstream(plain) << "#!/bin/sh\n";
  struct Row {
    std::string command;
    int code;
    std::string words;
  };
  for (const Row& row :
       {Row{plain, 126, "not executable"}, Row{folder.path().string(), 126, "is a directory"},
        Row{"no-such-command-anywhere", 127, "not found in PATH"},
        Row{folder / "missing", 127, "no such file"}}) {
    INFO(row.command);
    const Ended ended = run(wrapping(at_once({"-a", "3"}), {row.command}));
    CHECK(ended.exit_code() == row.code);
    CHECK(test::count(ended.err, row.words) == 1);
  }
}

TEST_CASE("a code that replaces the command's is ours also when SIGINT ended the command",
          "[exit-code]") {
  const std::vector<std::string> dies = {"die-by", std::to_string(SIGINT)};
  CHECK(run(wrapped(at_once({"-a", "2", "--exhausted-code", "75"}), dies)).exit_code() == 75);
  CHECK(run(wrapped({"--deadline", "30s", "-d", "1h", "-j", "none"}, dies)).exit_code() == 124);
}

TEST_CASE("what cannot be run is retried when just that is asked for", "[exit-code]") {
  const Ended ended =
      run(wrapping({"--retry-on", "127", "-a", "2", "-d", "0"}, {"no-such-command"}));
  CHECK(ended.exit_code() == 127);
  CHECK_THAT(ended.err, ContainsSubstring("attempt 2/2"));
}

TEST_CASE("what was asked for and could not be printed is a failure", "[exit-code]") {
  for (const char* option : {"--help", "--version", "-n"}) {
    INFO(option);
    const std::string line = "'" + required("RETRY_EXEC") + "' " + option + " -- true > /dev/full";
    CHECK(run({.argv = {"sh", "-c", line}}).exit_code() == 125);
  }
}

TEST_CASE("used-up attempts give the last code, or the one that was asked for", "[exit-code]") {
  CHECK(run(wrapped(at_once({"-a", "2"}), {"exit", "9"})).exit_code() == 9);
  CHECK(run(wrapped(at_once({"-a", "2", "--exhausted-code", "75"}), {"exit", "9"})).exit_code() ==
        75);
}

TEST_CASE("--help, README.md and this file speak of the same codes and options", "[exit-code]") {
  const Ended ended = run({.argv = {required("RETRY_EXEC"), "--help"}});
  CHECK(ended.exit_code() == 0);
  for (const char* row : {"  124 ", "  125 ", "  126 ", "  127 ", "  128+n "}) {
    CHECK_THAT(ended.out, ContainsSubstring(row));
  }
  std::ifstream file(required("README"));
  std::stringstream readme;
  readme << file.rdbuf();
  const std::size_t options = ended.out.find("Options:\n");
  REQUIRE(options != std::string::npos);
  CHECK_THAT(readme.str(), ContainsSubstring(ended.out.substr(options)));
}

TEST_CASE("a shell's 126 and 127 are final unless somebody says otherwise", "[exit-code]") {
  const TemporaryFolder folder;
  const std::string file = folder / "n";
  const auto tries = [&](std::vector<std::string> options, const std::string& code) {
    std::ofstream(file).close();
    options.insert(options.end(), {"-d", "0", "-a", "3"});
    const Ended ended = run(wrapped(options, {"note", file, "x", "+", "exit", code}));
    CHECK(ended.exit_code() == std::stoi(code));
    return test::count(read_file(file), "x");
  };
  CHECK(tries({}, "126") == 1);
  CHECK(tries({}, "127") == 1);
  CHECK(tries({}, "125") == 3);
  CHECK(tries({"--retry-on", "127"}, "127") == 3);
  CHECK(tries({"--unmatched", "retry"}, "127") == 3);
  const Ended ended = run(wrapping({"-d", "0"}, {"sh", "-c", "no-such-command"}));
  CHECK(ended.exit_code() == 127);
  CHECK_THAT(ended.err, ContainsSubstring("--retry-on 126,127"));
}

TEST_CASE("what nobody reads is not complained about, what goes nowhere is", "[exit-code]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  ::close(ends[0]);
  for (const char* option : {"--help", "--version"}) {
    INFO(option);
    Program program{.argv = {required("RETRY_EXEC"), option}};
    program.standard_output = Descriptor{ends[1]};
    const Ended unread = run(program);
    CHECK(unread.signal() == SIGPIPE);
    CHECK(unread.err.empty());
    program.standard_output = Closed{};
    const Ended closed = run(program);
    CHECK(closed.exit_code() == 125);
    CHECK_THAT(closed.err, ContainsSubstring("standard output: "));
  }
  ::close(ends[1]);
}

TEST_CASE("output that a full disk did not take is told as such, and gives 125", "[exit-code]") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{}, {"-q"}, {"-O"}, {"--log", "github"}}) {
    Program program = wrapped(options, {"out", "x"});
    program.standard_output = Descriptor{full};
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("output was lost: "));
    CHECK_THAT(ended.err, ContainsSubstring("No space left on device"));
    CHECK_THAT(ended.err, !ContainsSubstring("internal error"));
    CHECK(lines_of(ended.err).size() == 1);
  }
  ::close(full);
}

TEST_CASE("--help is true of a run without rules, too", "[exit-code]") {
  const std::string help = run({.argv = {required("RETRY_EXEC"), "--help"}}).out;
  CHECK_THAT(help.substr(0, help.find("Options:")),
             ContainsSubstring("runs it again after a wait when it fails. With --rules, only"));
}
