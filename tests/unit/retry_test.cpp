// The loop, with a scripted command and a clock that jumps: no process, no sleep.
#include "retry_world.hpp"

#include <csignal>

using namespace retry_exec;
using namespace test;
using namespace std::chrono_literals;

TEST_CASE("a transient failure is tried again after the backoff, until it succeeds", "[retry]") {
  RetryWorld world{.steps = {{failure}, {failure}, {success}}};
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::success);
  CHECK(result.exit_code == 0);
  CHECK(result.attempts == 3);
  CHECK(world.waits == std::vector<Duration>{2s, 4s});
}

TEST_CASE("a permanent failure ends the run at once with the command's own code", "[retry]") {
  RetryWorld world{.steps = {{Exited{42}, "permanent"}}};
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::permanent);
  CHECK(result.exit_code == 42);
  CHECK(world.runs == 1);
}

TEST_CASE("a failure that no rule knows stops, or is retried when asked", "[retry]") {
  RetryWorld stops{.steps = {{failure, ""}}};
  CHECK(stops.run().reason == StopReason::unmatched);
  RetryWorld retries{.steps = {{failure, ""}, {success}}};
  retries.options.retry_unmatched = true;
  CHECK(retries.run().reason == StopReason::success);
}

TEST_CASE("no attempt begins that would miss input, unless asked to", "[retry]") {
  RetryStep took{Exited{7}};
  took.input_taken = true;
  RetryWorld stops{.steps = {{failure}, took}};
  const RunResult result = stops.run();
  CHECK(result.reason == StopReason::input_spent);
  CHECK(result.exit_code == 7);
  CHECK(stops.runs == 2);
  RetryWorld goes_on{.steps = {took, {success}}};
  goes_on.options.go_on_without_input = true;
  CHECK(goes_on.run().reason == StopReason::success);
  RetryWorld last{.steps = {took}};
  last.options.strong.attempts = 1;
  CHECK(last.run().reason == StopReason::exhausted);
}

TEST_CASE("attempts count the first, and nothing is waited for after the last", "[retry]") {
  RetryWorld world{.steps = {{failure}, {failure}, {failure}}};
  world.options.strong.attempts = 3;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::exhausted);
  CHECK(result.exit_code == 1);
  CHECK(world.runs == 3);
  CHECK(world.waits.size() == 2);
}

TEST_CASE("each class counts its own failures against its own attempts", "[retry]") {
  RetryWorld world{.steps = {{failure, "throttled"},
                             {failure, "suspect"},
                             {failure, "throttled"},
                             {failure, "suspect"}}};
  world.classes["throttled"] = {.attempts = 5, .delay = 15s};
  world.classes["suspect"] = {.attempts = 2};
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::exhausted);
  CHECK(world.waits == std::vector<Duration>{15s, 2s, 30s});
}

TEST_CASE("a number of attempts that the user gave wins for all classes together", "[retry]") {
  RetryWorld world{.steps = {{failure, "throttled"}, {failure, "suspect"}}};
  world.classes["throttled"] = {.attempts = 9};
  world.options.strong.attempts = 2;
  CHECK(world.run().reason == StopReason::exhausted);
  CHECK(world.runs == 2);
}

TEST_CASE("a wait that the registry asked for is never cut short", "[retry]") {
  RetryWorld world{.steps = {{failure, "throttled", 90s}, {success}}};
  world.run();
  CHECK(world.waits == std::vector<Duration>{90s});
}

TEST_CASE("a wait that cannot fit before the deadline is not begun", "[retry]") {
  RetryWorld world{.steps = {{failure, "throttled", 30s}}};
  world.options.strong.deadline = 20s;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::deadline);
  CHECK(result.exit_code == exit_code::timed_out);
  CHECK(world.waits.empty());
}

TEST_CASE("a wait that ends at the deadline itself is not begun, and one that ends before it is",
          "[retry]") {
  RetryWorld at_it{.steps = {{failure, "throttled", 30s}}};
  at_it.options.strong.deadline = 31s;  // the attempt takes one
  CHECK(at_it.run().reason == StopReason::deadline);
  CHECK(at_it.waits.empty());
  RetryWorld before_it{.steps = {{failure, "throttled", 30s}, {success}}};
  before_it.options.strong.deadline = 31s + 1ms;
  CHECK(before_it.run().reason == StopReason::success);
  CHECK(before_it.waits == std::vector<Duration>{30s});
}

TEST_CASE("an attempt that the deadline ended is not followed by another", "[retry]") {
  RetryWorld world{.steps = {{TimedOut{TimeLimit::deadline, 5s}}}};
  CHECK(world.run().reason == StopReason::deadline);
}

TEST_CASE("a timed-out attempt is judged like any failure, and its code is 124", "[retry]") {
  RetryWorld world{
      .steps = {{TimedOut{TimeLimit::attempt, 5s}}, {TimedOut{TimeLimit::attempt, 5s}}}};
  world.options.strong.attempts = 2;
  const RunResult result = world.run();
  CHECK(result.attempts == 2);
  CHECK(result.exit_code == exit_code::timed_out);
}

TEST_CASE("an interruption is final, whatever the command then printed", "[retry]") {
  RetryWorld world{.steps = {{failure, "transient", {}, SIGTERM}}};
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::interrupted);
  CHECK(result.exit_code == 128 + SIGTERM);
  CHECK(result.interrupted_by == SIGTERM);
}

TEST_CASE("nothing is started beside what could not be ended, and that is named", "[retry]") {
  RetryWorld world{.steps = {{failure, "transient", {}, {}, {{123, "sleep"}, {456, "sudo"}}}}};
  world.run();
  CHECK(world.runs == 1);
  CHECK_THAT(std::get<RunFinished>(world.events.back()).why,
             test::ContainsSubstring("123 (sleep), 456 (sudo)"));
}

TEST_CASE("an interruption of a wait starts no further attempt", "[retry]") {
  RetryWorld world{.steps = {{failure}}};
  world.interrupt_wait = SIGINT;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::interrupted);
  CHECK(world.runs == 1);
}

TEST_CASE("a command that cannot be started is never tried again", "[retry]") {
  RetryWorld world{.steps = {{NotStarted{ENOENT, "x: not found in PATH"}}}};
  world.options.retry_unmatched = true;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::not_started);
  CHECK(result.exit_code == 127);
}

TEST_CASE("--stop-on beats --retry-on, which beats the rules", "[retry]") {
  RetryWorld retried{.steps = {{Exited{75}, "permanent"}, {success}}};
  retried.options.retry_on.codes = {{75, 75}};
  CHECK(retried.run().reason == StopReason::success);
  RetryWorld stopped{.steps = {{Exited{75}, "transient"}}};
  stopped.options.retry_on.codes = {{75, 75}};
  stopped.options.stop_on.codes = {{70, 80}};
  CHECK(stopped.run().reason == StopReason::permanent);
}

TEST_CASE("the code for used-up attempts replaces the command's own, and only then", "[retry]") {
  RetryWorld exhausted{.steps = {{failure}}};
  exhausted.options.strong.attempts = 1;
  exhausted.options.exhausted_code = 75;
  CHECK(exhausted.run().exit_code == 75);
  RetryWorld permanent{.steps = {{failure, "permanent"}}};
  permanent.options.exhausted_code = 75;
  CHECK(permanent.run().exit_code == 1);
}

TEST_CASE("for ever means that attempts do not run out", "[retry]") {
  RetryWorld world;
  for (int i = 0; i < 50; ++i) world.steps.push_back({failure});
  world.steps.push_back({success});
  world.options.strong.attempts = 0;
  CHECK(world.run().attempts == 51);
}

TEST_CASE("events tell of each attempt, wait and the end, in order", "[retry]") {
  RetryWorld world{.steps = {{failure}, {success}}};
  world.run();
  REQUIRE(world.events.size() == 6);
  CHECK(std::holds_alternative<AttemptStarted>(world.events[0]));
  REQUIRE(std::holds_alternative<AttemptFinished>(world.events[1]));
  CHECK(std::get<AttemptFinished>(world.events[1]).max_attempts == 5);
  CHECK(std::holds_alternative<WaitStarted>(world.events[2]));
  CHECK(std::get<AttemptStarted>(world.events[3]).attempt == 2);
  CHECK(std::get<RunFinished>(world.events[5]).reason == StopReason::success);
}

TEST_CASE("what comes between attempts runs right before each further one", "[retry]") {
  RetryWorld world{.steps = {{failure}, {failure}, {success}}};
  world.before_retry.emplace().outcome = Exited{7};  // which stops nothing
  CHECK(world.run().reason == StopReason::success);
  CHECK(world.prepared == std::vector<unsigned>{2, 3});
  const auto told = [](const Event& event) {
    return std::holds_alternative<BeforeRetryFinished>(event);
  };
  CHECK(std::count_if(world.events.begin(), world.events.end(), told) == 2);
  RetryWorld final{.steps = {{failure, "permanent"}}};
  final.before_retry.emplace().outcome = success;
  final.run();
  CHECK(final.prepared.empty());
}

TEST_CASE("what comes between attempts counts to the deadline", "[retry]") {
  RetryWorld world{.steps = {{failure}}};
  world.before_retry.emplace().outcome = success;
  world.options.strong.deadline = 3500ms;  // an attempt of 1 s, a wait of 2 s, and 1 s is too much
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::deadline);
  CHECK(result.exit_code == exit_code::timed_out);
  CHECK(world.runs == 1);
}

TEST_CASE("what comes between attempts and ends at the deadline itself is the last", "[retry]") {
  RetryWorld world{.steps = {{failure}}};
  world.before_retry.emplace().outcome = success;
  world.options.strong.deadline = 4s;  // an attempt of 1 s, a wait of 2 s, and 1 s
  CHECK(world.run().reason == StopReason::deadline);
  CHECK(world.prepared == std::vector<unsigned>{2});
  CHECK(world.runs == 1);
}

TEST_CASE("a signal between attempts ends the run", "[retry]") {
  RetryWorld world{.steps = {{failure}}};
  world.before_retry.emplace().interrupted_by = SIGTERM;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::interrupted);
  CHECK(result.exit_code == 128 + SIGTERM);
  CHECK(world.runs == 1);
}

TEST_CASE("credentials that ran out are tried once more where they can be renewed", "[retry]") {
  RetryWorld world{.steps = {{failure, "expired"}, {success}}};
  world.options.renews_credentials = true;
  CHECK(world.run().reason == StopReason::success);
  for (const unsigned attempts : {0U, 9U}) {
    RetryWorld again{.steps = {{failure, "expired"}, {failure, "expired"}}};
    again.options.renews_credentials = true;
    again.options.strong.attempts = attempts;
    CHECK(again.run().reason == StopReason::exhausted);
    CHECK(again.runs == 2);
  }
  RetryWorld once{.steps = {{failure, "expired"}}};
  once.options.renews_credentials = true;
  once.options.strong.attempts = 1;
  CHECK(once.run().reason == StopReason::exhausted);
}

TEST_CASE("credentials that ran out are final where nothing renews them, and that is said",
          "[retry]") {
  RetryWorld world{.steps = {{failure, "expired"}}};
  world.options.renews_credentials = false;
  CHECK(world.run().reason == StopReason::permanent);
  CHECK_THAT(std::get<RunFinished>(world.events.back()).why,
             test::ContainsSubstring("--before-retry"));
  RetryWorld elsewhere{.steps = {{failure, "expired"}}};
  CHECK(elsewhere.run().reason == StopReason::permanent);
  CHECK(std::get<RunFinished>(elsewhere.events.back()).why.empty());
}

TEST_CASE("what is there already is success behind an attempt whose answer was lost", "[retry]") {
  const std::vector<RetryStep> lost = {{failure, "transient"},
                                       {failure, "suspect"},
                                       {TimedOut{TimeLimit::attempt, 5s}, "transient"},
                                       {TimedOut{TimeLimit::idle, 5s}, ""},
                                       {Signalled{SIGKILL}, ""}};
  for (const RetryStep& first : lost) {
    INFO(to_string(first.outcome));
    RetryWorld world{.steps = {first, {Exited{3}, "done"}}};
    world.options.accept_done = true;
    world.options.retry_unmatched = true;
    const RunResult result = world.run();
    CHECK(result.reason == StopReason::done);
    CHECK(result.exit_code == 0);
  }
}

TEST_CASE("what is there already is a failure where no attempt can have put it there", "[retry]") {
  for (const char* answered : {"throttled", "absent", "permanent", ""}) {
    INFO(answered);
    RetryWorld world{.steps = {{Exited{75}, answered}, {Exited{3}, "done"}}};
    world.options.accept_done = true;
    world.options.retry_on.codes = {{75, 75}};
    const RunResult result = world.run();
    CHECK(result.reason == StopReason::permanent);
    CHECK(result.exit_code == 3);
  }
  RetryWorld first{.steps = {{Exited{3}, "done"}}};
  first.options.accept_done = true;
  CHECK(first.run().exit_code == 3);
}

TEST_CASE("an attempt behind a lost one that finds it there names the option", "[retry]") {
  RetryWorld world{.steps = {{failure}, {Exited{3}, "done"}}};
  world.options.accept_done = false;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::permanent);
  CHECK(result.exit_code == 3);
  CHECK_THAT(std::get<RunFinished>(world.events.back()).why,
             test::ContainsSubstring("--accept-done"));
}

TEST_CASE("an outcome can be final where no rule knows it, though others are retried", "[retry]") {
  const RetryOptions options{.retry_unmatched = true, .stop_unmatched = {.codes = {{126, 127}}}};
  RetryWorld final{.steps = {{Exited{127}, ""}}, .options = options};
  CHECK(final.run().reason == StopReason::permanent);
  RetryWorld other{.steps = {{Exited{1}, ""}, {Exited{0}}}, .options = options};
  CHECK(other.run().reason == StopReason::success);
  RetryWorld by_rule{.steps = {{Exited{127}}, {Exited{0}}}, .options = options};
  CHECK(by_rule.run().reason == StopReason::success);
  RetryWorld asked{.steps = {{Exited{127}, ""}, {Exited{0}}}, .options = options};
  asked.options.retry_on.codes = {{127, 127}};
  CHECK(asked.run().reason == StopReason::success);
}
