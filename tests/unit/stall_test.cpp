// Whether anything moves.
#include "process/stall.hpp"

#include "catch_shim.hpp"
#include "process/activity.hpp"

#include <unistd.h>

#include <optional>

using namespace retry_exec;
using namespace std::chrono_literals;

namespace {

// Looks every second; returns when a limit of ten seconds is found to be passed, if it is.
template <class ActivityAt>
std::optional<Duration> stalled_at(ActivityAt activity_at, Duration until = 100s) {
  StallDetector detector(10s);
  const TimePoint start{};
  for (Duration at{}; at <= until; at += 1s) {
    if (detector.observe(start + at, activity_at(at)) >= 10s) return at;
  }
  return std::nullopt;
}

Duration share(Duration at, int percent) {
  return at * percent / 100 / 10ms * 10ms;  // in whole ticks
}

}  // namespace

TEST_CASE("nothing that moves is a stall once the limit has passed", "[stall]") {
  CHECK(stalled_at([](Duration) { return Activity{{1}, 5, 30ms}; }) == 10s);
}

TEST_CASE("a byte, a process, or processor time starts the clock anew", "[stall]") {
  const auto bytes = [](Duration at) {
    return Activity{{1}, static_cast<std::uint64_t>(at / 9s), {}};
  };
  CHECK_FALSE(stalled_at(bytes));
  const auto once = [](Duration at) { return Activity{{1}, at >= 5s ? 1U : 0U, {}}; };
  CHECK(stalled_at(once) == 15s);
  const auto children = [](Duration at) {
    return Activity{{1, static_cast<pid_t>(2 + at / 9s)}, 0, {}};
  };
  CHECK_FALSE(stalled_at(children));
  CHECK_FALSE(stalled_at([](Duration at) { return Activity{{1}, 0, share(at, 3)}; }));
}

TEST_CASE("the little that a waiting runtime uses is no movement", "[stall]") {
  CHECK(stalled_at([](Duration at) { return Activity{{1}, 0, share(at, 1)}; }) == 10s);
}

TEST_CASE("time in line for a processor counts for nothing", "[stall]") {
  CHECK_FALSE(stalled_at([](Duration) { return Activity{{1}, 0, {}, true}; }));
  // A runtime that wakes now and then, and has to stand in line for it.
  CHECK(stalled_at([](Duration at) { return Activity{{1}, 0, {}, at / 1s % 3 != 1}; }) == 28s);
}

TEST_CASE("a socket that was closed, with its count, is movement", "[stall]") {
  const auto closing = [](Duration at) { return Activity{{1}, at >= 8s ? 0U : 9U, {}}; };
  CHECK(stalled_at(closing) == 18s);
}

TEST_CASE("time in which nobody looked counts for nothing", "[stall]") {
  StallDetector detector(10s);
  const Activity still{{1}, 0, {}};
  detector.observe(TimePoint(1s), still);
  CHECK(detector.observe(TimePoint(2s), still) == 1s);
  CHECK(detector.observe(TimePoint(1h), still) == 0s);
  CHECK(detector.observe(TimePoint(1h + 1s), still) == 1s);
  detector.restart(TimePoint(1h + 2s));
  CHECK(detector.observe(TimePoint(1h + 3s), still) == 0s);
}

TEST_CASE("it looks ten times within the limit, at most four times a second", "[stall]") {
  CHECK(StallDetector(1min).interval() == 6s);
  CHECK(StallDetector(1s).interval() == 250ms);
}

TEST_CASE("what a process does is seen; one that is gone is not told of", "[stall]") {
  const auto before = activity_of({::getpid()});
  REQUIRE(before.has_value());
  CHECK(before->processes == std::vector<pid_t>{::getpid()});
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "abc", 3) == 3);
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK(activity_of({::getpid(), ::getpid()})->bytes >= before->bytes + 3);
  CHECK(activity_of({})->processes.empty());
}
