// Time limits, and the truth about which one ended an attempt.
#include "wrapped.hpp"

using namespace test;

TEST_CASE("an attempt that hangs is ended, and the next one can succeed", "[limit]") {
  const TemporaryFolder folder;
  const std::string script = "test -e '" + (folder / "second") + "' && exit 0; touch '" +
                             (folder / "second") + "'; sleep 60";
  const Ended ended = run(wrapping({"-r", "ghcr", "-t", "300ms", "-d", "0"}, {"sh", "-c", script}));
  CHECK(ended.exit_code() == 0);
  CHECK(ended.wall.count() < 10);
  CHECK_THAT(ended.err, ContainsSubstring("timed out after "));
}

TEST_CASE("an attempt that prints nothing for too long is ended; one that prints is not",
          "[limit]") {
  const Ended silent =
      run(wrapped({"-a", "1", "--idle-timeout", "200ms"}, {"out", "x", "+", "sleep"}));
  CHECK(silent.exit_code() == 124);
  CHECK_THAT(silent.err, ContainsSubstring("printed nothing for "));
  const Ended busy =
      run(wrapping({"-a", "1", "--idle-timeout", "1s"},
                   {"sh", "-c", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done"}));
  CHECK(busy.exit_code() == 0);
}

TEST_CASE("limits as long as durations can be are limits", "[limit]") {
  for (const std::string limit : {"106751.9d", "106751d23h47m16s"}) {
    for (const char* option : {"--timeout", "--deadline", "--idle-timeout", "--stall-timeout"}) {
      INFO(option << " " << limit);
      CHECK(run(wrapping({"-a", "1", option, limit}, {"sh", "-c", "sleep 0.05; exit 3"}))
                .exit_code() == 3);
    }
    const Ended ended = run(wrapping({"-a", "1", "--drain-grace", limit, "--kill-after", limit},
                                     {"sh", "-c", "(sleep 0.3; echo late) & exit 3"}));
    CHECK(ended.out == "late\n");
  }
}

TEST_CASE("the deadline clamps an attempt, and says that it was the deadline", "[limit]") {
  const Ended ended = run(wrapped({"-t", "60s", "--deadline", "300ms"}, {"sleep"}));
  CHECK(ended.exit_code() == 124);
  CHECK_THAT(ended.err, ContainsSubstring("deadline reached after "));
  CHECK(ended.wall.count() < 10);
}

TEST_CASE("a command that ends by itself in the grace after a time limit has still timed out",
          "[limit]") {
  const TemporaryFolder folder;
  const Ended ended =
      run(wrapped({"-a", "1", "-t", "200ms"}, {"trap", "15", "0", "bye", folder / "n"}));
  CHECK(ended.exit_code() == 124);
}

TEST_CASE("a wait that was asked for is kept, and not begun when it cannot fit", "[limit]") {
  const std::string text =
      "Error response from registry: toomanyrequests: retry-after: 30s, allowed: 2000/minute";
  const Ended ended = run(wrapping({"-r", "ghcr", "--deadline", "20s"},
                                   {"sh", "-c", "echo '" + text + "' >&2; exit 1"}));
  CHECK(ended.exit_code() == 124);
  CHECK(ended.wall.count() < 15);
}
