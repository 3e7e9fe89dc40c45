#include "catch_shim.hpp"

#include <retry_exec/outcome.hpp>

#include <array>
#include <cerrno>
#include <csignal>

using namespace retry_exec;
using namespace std::chrono_literals;

TEST_CASE("an outcome stands for the exit code that the table names", "[values]") {
  CHECK(exit_code_of(Exited{7}) == 7);
  CHECK(exit_code_of(Signalled{SIGKILL}) == 137);
  CHECK(exit_code_of(TimedOut{TimeLimit::attempt, 1s}) == 124);
  CHECK(exit_code_of(NotStarted{ENOENT, "x"}) == 127);
  CHECK(exit_code_of(NotStarted{EACCES, "x"}) == 126);
  CHECK(exit_code_of(NotStarted{E2BIG, "x"}) == 126);
  CHECK(exit_code_of(NotStarted{EAGAIN, "cannot create a process"}) == 125);
}

TEST_CASE("only exit 0 is a success", "[values]") {
  CHECK(succeeded(Exited{0}));
  CHECK_FALSE(succeeded(Exited{1}));
  CHECK_FALSE(succeeded(Signalled{SIGTERM}));
  CHECK_FALSE(succeeded(TimedOut{}));
}

TEST_CASE("signals are read by name and number, and named", "[values]") {
  CHECK(parse_signal("TERM") == SIGTERM);
  CHECK(parse_signal("SIGINT") == SIGINT);
  CHECK(parse_signal("sigusr1") == SIGUSR1);
  CHECK(parse_signal("9") == SIGKILL);
  CHECK_FALSE(parse_signal("0").has_value());
  CHECK_FALSE(parse_signal("99").has_value());
  CHECK_FALSE(parse_signal("").has_value());
  CHECK(signal_name(SIGTERM) == "SIGTERM");
  CHECK(signal_name(SIGRTMIN + 2) == "SIGRTMIN+2");
}

TEST_CASE("the nearest known word is offered only when it is near", "[values]") {
  constexpr std::array<std::string_view, 3> known = {"match", "unless", "max-delay"};
  CHECK(nearest_word("mathc", known) == "match");
  CHECK(nearest_word("max_delay", known) == "max-delay");
  CHECK(nearest_word("zebra", known).empty());
}

TEST_CASE("real-time signals are named from either end", "[outcome]") {
  CHECK(parse_signal("RTMIN") == SIGRTMIN);
  CHECK(parse_signal("SIGRTMAX") == SIGRTMAX);
  CHECK(parse_signal("rtmin+2") == SIGRTMIN + 2);
  CHECK(parse_signal("RTMAX-1") == SIGRTMAX - 1);
  for (const char* wrong : {"RTMIN-1", "RTMAX+1", "RTMIN+", "RTMIN+99", "RTMIN+1x", "RTMIN+-1"}) {
    INFO(wrong);
    CHECK_FALSE(parse_signal(wrong).has_value());
  }
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
    CHECK(parse_signal(signal_name(signal)) == signal);
  }
}
