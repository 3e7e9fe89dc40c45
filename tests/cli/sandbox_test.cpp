// Kernels and sandboxes that refuse system calls, and too few descriptors: it works without, or
// says so before the command has run.
#include "wrapped.hpp"

#include <sys/resource.h>

#include <filesystem>

using namespace test;

namespace {

Program refusing(const std::string& error, const std::string& calls, Program program) {
  const std::vector<std::string> words = {required("REFUSE"), error, calls};
  program.argv.insert(program.argv.begin(), words.begin(), words.end());
  return program;
}

}  // namespace

TEST_CASE("without a system call that it can do without, a command runs as it does with it",
          "[sandbox]") {
  const auto error = GENERATE(values<std::string>({"ENOSYS", "EPERM"}));
  const auto call = GENERATE(
      values<std::string>({"pidfd_open", "close_range", "faccessat2", "kcmp", "splice", "tee",
                           "eventfd2", "timerfd_create", "prctl", "getrandom", "socket", "sendfile",
                           "copy_file_range", "statx", "preadv2", "timer_create"}));
  INFO(error << " for " << call);
  const TemporaryFolder folder;
  const Ended ended = run(refusing(
      error, call,
      wrapped(at_once({"-a", "3", "-E"}), {"fail-times", folder / "n", "1", "no", "+", "flood",
                                           "3000000", "+", "err", "said", "+", "exit", "7"})));
  CHECK(ended.exit_code() == 7);
  CHECK(ended.out.size() == 2 * 3'000'000);  // the second attempt, and the third
  CHECK_THAT(ended.err, ContainsSubstring("said"));
  CHECK(lines_of(read_file(folder / "n")).size() == 3);
}

TEST_CASE("without all of them together it does too", "[sandbox]") {
  const auto error = GENERATE(values<std::string>({"ENOSYS", "EPERM"}));
  INFO(error);
  const TemporaryFolder folder;
  Program program = wrapped(at_once({"-I", "-t", "20s"}),
                            {"read-stdin", "+", "fail-times", folder / "n", "1", "no"});
  program.input = "data";
  const Ended ended = run(refusing(error,
                                   "pidfd_open,close_range,faccessat2,kcmp,splice,tee,"
                                   "eventfd2,timerfd_create,prctl,getrandom,socket,statx,"
                                   "preadv2,timer_create",
                                   program));
  CHECK(ended.exit_code() == 0);
  CHECK(ended.out == "datadata");
}

TEST_CASE("with few descriptors it runs the command right, or says so and has not run it",
          "[sandbox]") {
  const auto options = GENERATE(values<std::vector<std::string>>({{}, {"-I"}, {"-O", "-E"}}));
  for (rlim_t most = 4; most <= 24; ++most) {
    INFO("ulimit -n " << most);
    const TemporaryFolder folder;
    Program program =
        wrapped(options, {"note", folder / "ran", "yes", "+", "out", "x", "+", "exit", "0"});
    program.input = "data";
    program.before_exec = [most] {
      const rlimit limit{most, most};
      ::setrlimit(RLIMIT_NOFILE, &limit);
    };
    const Ended ended = run(program);
    const bool ran = std::filesystem::exists(folder / "ran");
    INFO(ended.err);
    CHECK(ended.exit_code() == (ran ? 0 : 125));
    CHECK(ended.out == (ran ? "x" : ""));
    if (!ran) CHECK_THAT(ended.err, ContainsSubstring("Too many open files"));
  }
}
