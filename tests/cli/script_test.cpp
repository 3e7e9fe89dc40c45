// -c SCRIPT: many lines in place of a command, as CI systems run them.
#include "wrapped.hpp"

#include <filesystem>

using namespace test;

namespace {

Program script(std::vector<std::string> options, const std::string& text,
               const std::vector<std::string>& arguments = {}) {
  options.insert(options.end(), {"-c", text});
  Program program;
  program.argv = {required("RETRY_EXEC"), "-d", "0"};
  program.argv.insert(program.argv.end(), options.begin(), options.end());
  program.argv.insert(program.argv.end(), arguments.begin(), arguments.end());
  return program;
}

}  // namespace

TEST_CASE("-c runs a script that stops at the first failure, also in a pipe", "[script]") {
  const Ended stopped = run(script({"-q", "-a", "1"}, "echo one\n(exit 7)\necho two"));
  CHECK(stopped.exit_code() == 7);
  CHECK(stopped.out == "one\n");
  CHECK(run(script({"-q", "-a", "1"}, "(exit 7) | cat\necho two")).exit_code() == 7);
}

TEST_CASE("-c takes a script that begins with a dash for a script", "[script]") {
  CHECK(run(script({"-q", "-a", "1"}, "-e\necho not reached")).exit_code() == 127);
}

TEST_CASE("-c retries the whole script", "[script]") {
  const Ended ended = run(
      script({"-q"}, "echo try $RETRY_EXEC_ATTEMPT\ntest $RETRY_EXEC_ATTEMPT = 2\necho through\n"));
  CHECK(ended.exit_code() == 0);
  CHECK(ended.out == "try 1\ntry 2\nthrough\n");
}

TEST_CASE("what follows -c SCRIPT are the script's arguments", "[script]") {
  CHECK(run(script({}, "echo \"$0:$1:$2:$#\"", {"a b", "-v"})).out == "retry-exec:a b:-v:2\n");
  CHECK(run(script({}, "echo \"$1\"", {"--", "-x"})).out == "-x\n");
}

TEST_CASE("-c runs by sh where there is no bash", "[script]") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/bin/sh", folder / "sh");
  Program program = script({"-q", "-a", "1"}, "echo one; (exit 7); echo two");
  program.environment = {{"PATH", folder.path().string()}};
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 7);
  CHECK(ended.out == "one\n");
}

TEST_CASE("-c is not found in the environment, where the script would run itself", "[script]") {
  Program program = wrapped({}, {"out", "ran"});
  program.environment = {{"RETRY_EXEC_COMMAND", "echo script"}};
  CHECK(run(program).out == "ran");
}

TEST_CASE("-r auto picks by what a script runs and the registries in it", "[script]") {
  const Ended ended =
      run(script({"-n", "-r", "auto"},
                 "cd x\nif true; then docker push \"ghcr.io/o/r:$TAG\"\nfi; oras tag\n"));
  CHECK_THAT(ended.out, ContainsSubstring("\nrules: ghcr, docker, oras, generic\n"));
}

TEST_CASE("secrets of a script are not echoed", "[script]") {
  const Ended ended =
      run(script({"-v", "-a", "1"}, "true\n: login --password hunter22hunter\nexit 3"));
  CHECK_THAT(ended.err, ContainsSubstring("--password [redacted]"));
  CHECK(count(ended.err, "hunter22hunter") == 0);
}
