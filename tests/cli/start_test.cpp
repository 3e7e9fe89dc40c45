// Commands that cannot be started say why, in words that help.
#include "wrapped.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

using namespace test;

namespace {

std::string script(const TemporaryFolder& folder, const std::string& text) {
  const std::string path = folder / "script";
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0755);
  return path;
}

Ended once(const std::vector<std::string>& command) {
  return run(wrapping({"-a", "1"}, command));
}

}  // namespace

TEST_CASE("a script whose interpreter is missing names the interpreter", "[start]") {
  const TemporaryFolder folder;
  const Ended ended = once({script(folder, "#!/no/such/shell -e\n")});
  CHECK(ended.exit_code() == 127);
  CHECK_THAT(ended.err, ContainsSubstring("its interpreter '/no/such/shell' does not exist"));
}

TEST_CASE("a script with Windows line ends says so", "[start]") {
  const TemporaryFolder folder;
  const Ended ended = once({script(folder, "#!/bin/sh\r\necho hello\r\n")});
  CHECK(ended.exit_code() == 127);
  CHECK_THAT(ended.err, ContainsSubstring("carriage return"));
}

TEST_CASE("a script without a first line for the kernel is run by the shell, as execvp does",
          "[start]") {
  const TemporaryFolder folder;
  const Ended ended = once({script(folder, "echo from the shell $1\n"), "an argument"});
  CHECK(ended.exit_code() == 0);
  CHECK(ended.out == "from the shell an argument\n");
}

TEST_CASE("a program that somebody is still writing is waited for, for a moment", "[start]") {
  const TemporaryFolder folder;
  const std::string path = folder / "copy";
  REQUIRE(run({.argv = {"cp", helper(), path}}).exit_code() == 0);
  const int writer = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const Ended ended = once({path, "exit", "0"});
  CHECK(ended.exit_code() == 126);
  CHECK_THAT(ended.err, ContainsSubstring("open for writing"));
  ::close(writer);
  CHECK(once({path, "exit", "0"}).exit_code() == 0);
}

TEST_CASE("PATH is searched as execvp does", "[start]") {
  const TemporaryFolder folder;
  script(folder, "#!/bin/sh\necho found\n");
  Program program = wrapping({"-a", "1"}, {"script"});
  program.environment.push_back({"PATH", "/no/such/folder:" + folder.path().string()});
  CHECK(run(program).out == "found\n");
  ::chmod((folder / "script").c_str(), 0644);
  const Ended forbidden = run(program);
  CHECK(forbidden.exit_code() == 126);
}

TEST_CASE("a broken symbolic link is not found", "[start]") {
  const TemporaryFolder folder;
  const std::string link = folder / "link";
  REQUIRE(::symlink("/no/such/target", link.c_str()) == 0);
  CHECK(once({link}).exit_code() == 127);
}

TEST_CASE("arguments reach the command byte for byte, and no shell sees them", "[start]") {
  const Ended ended = run(
      wrapped({"-a", "1"}, {"print-arguments", "it's", "$HOME", "a b", "", "--", "-v", "\xff"}));
  CHECK(ended.out == "[it's]\n[$HOME]\n[a b]\n[]\n[--]\n[-v]\n[\xff]\n");
}

TEST_CASE("what only a shell knows says how a shell is had", "[start]") {
  struct Row {
    std::vector<std::string> command;
    std::string words;
  };
  for (const Row& row :
       {Row{{"shopt", "-s", "x"}, "-c 'shopt …' runs a line in one"},
        Row{{"FOO=1/2", "true"}, "write env FOO=… COMMAND, or -c 'FOO=… COMMAND'"},
        Row{{"echo a | cat"}, "a word for each argument, or -c '…'"},
        Row{{"/bin/echo a > /dev/null"}, "a word for each argument, or -c '…'"},
        Row{{"for", "i", "in", "1"}, "it is part of the shell"},
        Row{{"no_such_function"}, "a function or an alias of the shell needs -c"}}) {
    INFO(row.command.front());
    const Ended ended = once(row.command);
    CHECK(ended.exit_code() == 127);
    CHECK_THAT(ended.err, ContainsSubstring(row.words));
  }
  Program function = wrapping({"-a", "1"}, {"upload"});
  function.environment.push_back({"BASH_FUNC_upload%%", "() { true; }"});
  CHECK_THAT(run(function).err, ContainsSubstring("a function of bash: -c 'upload …'"));
  CHECK_THAT(once({"./no/such/file"}).err, !ContainsSubstring("shell"));
  CHECK_THAT(once({""}).err, ContainsSubstring("name is empty"));
}

TEST_CASE("a folder that PATH leads to is found and cannot be run", "[start]") {
  const TemporaryFolder folder;
  REQUIRE(::mkdir((folder / "tool").c_str(), 0755) == 0);
  Program program = wrapping({"-a", "1"}, {"tool"});
  program.environment.push_back({"PATH", folder.path().string()});
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 126);
  CHECK_THAT(ended.err, ContainsSubstring("is a directory"));
}

TEST_CASE("-q leaves what only we can tell", "[start]") {
  const Ended missing = run(wrapping({"-q"}, {"no-such-command"}));
  CHECK_THAT(missing.err, ContainsSubstring("not found in PATH"));
  CHECK(lines_of(missing.err).size() == 1);
}
