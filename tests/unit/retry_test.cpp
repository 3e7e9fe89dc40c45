// The loop, with a scripted command and a clock that jumps: no process, no sleep.
#include "catch_shim.hpp"

#include <retry_exec/retry.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <exception>
#include <map>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace std::chrono_literals;

namespace {

struct Step {
  Outcome outcome;
  std::string class_name = "transient";  // how a failure is judged; empty: by no rule
  std::optional<Duration> retry_after = {};
  std::optional<int> interrupted_by = {};
  std::vector<Survivor> survivors = {};
  bool input_taken = false;
};

// A world in which everything happens at once.
struct World {
  std::deque<Step> steps;
  RetryOptions options;
  std::map<std::string, PolicyFields> classes;
  std::optional<int> interrupt_wait;
  std::optional<Attempt> before_retry;  // what comes of it each time, a second later

  TimePoint now{};
  std::vector<Duration> waits;
  std::vector<Event> events;
  unsigned runs = 0;
  std::vector<unsigned> prepared;  // the attempts that something was run before

  Verdict judge(const Step& step) const {
    Verdict verdict;
    verdict.class_name = step.class_name.empty() ? "unmatched" : step.class_name;
    verdict.matched = !step.class_name.empty();
    constexpr std::array<std::string_view, 3> final = {"permanent", "expired", "done"};
    verdict.retry =
        verdict.matched && std::find(final.begin(), final.end(), step.class_name) == final.end();
    verdict.retry_after = step.retry_after;
    if (const auto found = classes.find(step.class_name); found != classes.end()) {
      verdict.policy = found->second;
    }
    return verdict;
  }

  RunResult run() {
    Step current;
    Seams seams;
    seams.attempt = [&](unsigned, const Policy&,
                        std::optional<TimePoint>) -> boost::asio::awaitable<Attempt> {
      REQUIRE_FALSE(steps.empty());
      current = steps.front();
      steps.pop_front();
      ++runs;
      now += 1s;
      Attempt attempt;
      attempt.outcome = current.outcome;
      attempt.interrupted_by = current.interrupted_by;
      attempt.has_survivors = !current.survivors.empty();
      attempt.survivors = current.survivors;
      attempt.input_taken = current.input_taken;
      attempt.elapsed = 1s;
      co_return attempt;
    };
    seams.wait = [&](Duration duration) -> boost::asio::awaitable<std::optional<int>> {
      waits.push_back(duration);
      now += duration;
      co_return interrupt_wait;
    };
    if (before_retry) {
      seams.before_retry =
          [&](unsigned number, const Policy&,
              std::optional<TimePoint>) -> boost::asio::awaitable<std::optional<Attempt>> {
        prepared.push_back(number);
        now += 1s;
        Attempt ran;
        ran.outcome = before_retry->outcome;
        ran.interrupted_by = before_retry->interrupted_by;
        co_return ran;
      };
    }
    seams.now = [&] { return now; };
    seams.judge = [&](const Attempt&) { return judge(current); };
    seams.random = [] { return 0.0; };
    seams.events = [&](const Event& event) { events.push_back(event); };
    options.strong.jitter = Jitter{Jitter::Kind::none};
    boost::asio::io_context context;
    RunResult result;
    boost::asio::co_spawn(
        context,
        [&]() -> boost::asio::awaitable<void> { result = co_await run_with_retry(options, seams); },
        [](const std::exception_ptr& failure) {
          if (failure) std::rethrow_exception(failure);
        });
    context.run();
    return result;
  }
};

const Outcome failure = Exited{1};
const Outcome success = Exited{0};

}  // namespace

TEST_CASE("a transient failure is tried again after the backoff, until it succeeds", "[retry]") {
  World world{.steps = {{failure}, {failure}, {success}}};
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::success);
  CHECK(result.exit_code == 0);
  CHECK(result.attempts == 3);
  CHECK(world.waits == std::vector<Duration>{2s, 4s});
}

TEST_CASE("a permanent failure ends the run at once with the command's own code", "[retry]") {
  World world{.steps = {{Exited{42}, "permanent"}}};
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::permanent);
  CHECK(result.exit_code == 42);
  CHECK(world.runs == 1);
}

TEST_CASE("a failure that no rule knows stops, or is retried when asked", "[retry]") {
  World stops{.steps = {{failure, ""}}};
  CHECK(stops.run().reason == StopReason::unmatched);
  World retries{.steps = {{failure, ""}, {success}}};
  retries.options.retry_unmatched = true;
  CHECK(retries.run().reason == StopReason::success);
}

TEST_CASE("no attempt begins that would miss input, unless asked to", "[retry]") {
  Step took{Exited{7}};
  took.input_taken = true;
  World stops{.steps = {{failure}, took}};
  const RunResult result = stops.run();
  CHECK(result.reason == StopReason::input_spent);
  CHECK(result.exit_code == 7);
  CHECK(stops.runs == 2);
  World goes_on{.steps = {took, {success}}};
  goes_on.options.go_on_without_input = true;
  CHECK(goes_on.run().reason == StopReason::success);
  World last{.steps = {took}};
  last.options.strong.attempts = 1;
  CHECK(last.run().reason == StopReason::exhausted);
}

TEST_CASE("attempts count the first, and nothing is waited for after the last", "[retry]") {
  World world{.steps = {{failure}, {failure}, {failure}}};
  world.options.strong.attempts = 3;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::exhausted);
  CHECK(result.exit_code == 1);
  CHECK(world.runs == 3);
  CHECK(world.waits.size() == 2);
}

TEST_CASE("each class counts its own failures against its own attempts", "[retry]") {
  World world{.steps = {{failure, "throttled"},
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
  World world{.steps = {{failure, "throttled"}, {failure, "suspect"}}};
  world.classes["throttled"] = {.attempts = 9};
  world.options.strong.attempts = 2;
  CHECK(world.run().reason == StopReason::exhausted);
  CHECK(world.runs == 2);
}

TEST_CASE("a wait that the registry asked for is never cut short", "[retry]") {
  World world{.steps = {{failure, "throttled", 90s}, {success}}};
  world.run();
  CHECK(world.waits == std::vector<Duration>{90s});
}

TEST_CASE("a wait that cannot fit before the deadline is not begun", "[retry]") {
  World world{.steps = {{failure, "throttled", 30s}}};
  world.options.strong.deadline = 20s;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::deadline);
  CHECK(result.exit_code == exit_code::timed_out);
  CHECK(world.waits.empty());
}

TEST_CASE("an attempt that the deadline ended is not followed by another", "[retry]") {
  World world{.steps = {{TimedOut{TimeLimit::deadline, 5s}}}};
  CHECK(world.run().reason == StopReason::deadline);
}

TEST_CASE("a timed-out attempt is judged like any failure, and its code is 124", "[retry]") {
  World world{.steps = {{TimedOut{TimeLimit::attempt, 5s}}, {TimedOut{TimeLimit::attempt, 5s}}}};
  world.options.strong.attempts = 2;
  const RunResult result = world.run();
  CHECK(result.attempts == 2);
  CHECK(result.exit_code == exit_code::timed_out);
}

TEST_CASE("an interruption is final, whatever the command then printed", "[retry]") {
  World world{.steps = {{failure, "transient", {}, SIGTERM}}};
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::interrupted);
  CHECK(result.exit_code == 128 + SIGTERM);
  CHECK(result.interrupted_by == SIGTERM);
}

TEST_CASE("nothing is started beside what could not be ended, and that is named", "[retry]") {
  World world{.steps = {{failure, "transient", {}, {}, {{123, "sleep"}, {456, "sudo"}}}}};
  world.run();
  CHECK(world.runs == 1);
  CHECK_THAT(std::get<RunFinished>(world.events.back()).why,
             test::ContainsSubstring("123 (sleep), 456 (sudo)"));
}

TEST_CASE("an interruption of a wait starts no further attempt", "[retry]") {
  World world{.steps = {{failure}}};
  world.interrupt_wait = SIGINT;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::interrupted);
  CHECK(world.runs == 1);
}

TEST_CASE("a command that cannot be started is never tried again", "[retry]") {
  World world{.steps = {{NotStarted{ENOENT, "x: not found in PATH"}}}};
  world.options.retry_unmatched = true;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::not_started);
  CHECK(result.exit_code == 127);
}

TEST_CASE("--stop-on beats --retry-on, which beats the rules", "[retry]") {
  World retried{.steps = {{Exited{75}, "permanent"}, {success}}};
  retried.options.retry_on.codes = {{75, 75}};
  CHECK(retried.run().reason == StopReason::success);
  World stopped{.steps = {{Exited{75}, "transient"}}};
  stopped.options.retry_on.codes = {{75, 75}};
  stopped.options.stop_on.codes = {{70, 80}};
  CHECK(stopped.run().reason == StopReason::permanent);
}

TEST_CASE("the code for used-up attempts replaces the command's own, and only then", "[retry]") {
  World exhausted{.steps = {{failure}}};
  exhausted.options.strong.attempts = 1;
  exhausted.options.exhausted_code = 75;
  CHECK(exhausted.run().exit_code == 75);
  World permanent{.steps = {{failure, "permanent"}}};
  permanent.options.exhausted_code = 75;
  CHECK(permanent.run().exit_code == 1);
}

TEST_CASE("for ever means that attempts do not run out", "[retry]") {
  World world;
  for (int i = 0; i < 50; ++i) world.steps.push_back({failure});
  world.steps.push_back({success});
  world.options.strong.attempts = 0;
  CHECK(world.run().attempts == 51);
}

TEST_CASE("events tell of each attempt, wait and the end, in order", "[retry]") {
  World world{.steps = {{failure}, {success}}};
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
  World world{.steps = {{failure}, {failure}, {success}}};
  world.before_retry.emplace().outcome = Exited{7};  // which stops nothing
  CHECK(world.run().reason == StopReason::success);
  CHECK(world.prepared == std::vector<unsigned>{2, 3});
  const auto told = [](const Event& event) {
    return std::holds_alternative<BeforeRetryFinished>(event);
  };
  CHECK(std::count_if(world.events.begin(), world.events.end(), told) == 2);
  World final{.steps = {{failure, "permanent"}}};
  final.before_retry.emplace().outcome = success;
  final.run();
  CHECK(final.prepared.empty());
}

TEST_CASE("what comes between attempts counts to the deadline", "[retry]") {
  World world{.steps = {{failure}}};
  world.before_retry.emplace().outcome = success;
  world.options.strong.deadline = 3500ms;  // an attempt of 1 s, a wait of 2 s, and 1 s is too much
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::deadline);
  CHECK(result.exit_code == exit_code::timed_out);
  CHECK(world.runs == 1);
}

TEST_CASE("a signal between attempts ends the run", "[retry]") {
  World world{.steps = {{failure}}};
  world.before_retry.emplace().interrupted_by = SIGTERM;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::interrupted);
  CHECK(result.exit_code == 128 + SIGTERM);
  CHECK(world.runs == 1);
}

TEST_CASE("credentials that ran out are tried once more where they can be renewed", "[retry]") {
  World world{.steps = {{failure, "expired"}, {success}}};
  world.options.renews_credentials = true;
  CHECK(world.run().reason == StopReason::success);
  for (const unsigned attempts : {0U, 9U}) {
    World again{.steps = {{failure, "expired"}, {failure, "expired"}}};
    again.options.renews_credentials = true;
    again.options.strong.attempts = attempts;
    CHECK(again.run().reason == StopReason::exhausted);
    CHECK(again.runs == 2);
  }
  World once{.steps = {{failure, "expired"}}};
  once.options.renews_credentials = true;
  once.options.strong.attempts = 1;
  CHECK(once.run().reason == StopReason::exhausted);
}

TEST_CASE("credentials that ran out are final where nothing renews them, and that is said",
          "[retry]") {
  World world{.steps = {{failure, "expired"}}};
  world.options.renews_credentials = false;
  CHECK(world.run().reason == StopReason::permanent);
  CHECK_THAT(std::get<RunFinished>(world.events.back()).why,
             test::ContainsSubstring("--before-retry"));
  World elsewhere{.steps = {{failure, "expired"}}};
  CHECK(elsewhere.run().reason == StopReason::permanent);
  CHECK(std::get<RunFinished>(elsewhere.events.back()).why.empty());
}

TEST_CASE("what is there already is success behind an attempt whose answer was lost", "[retry]") {
  const std::vector<Step> lost = {{failure, "transient"},
                                  {failure, "suspect"},
                                  {TimedOut{TimeLimit::attempt, 5s}, "transient"},
                                  {TimedOut{TimeLimit::idle, 5s}, ""},
                                  {Signalled{SIGKILL}, ""}};
  for (const Step& first : lost) {
    INFO(to_string(first.outcome));
    World world{.steps = {first, {Exited{3}, "done"}}};
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
    World world{.steps = {{Exited{75}, answered}, {Exited{3}, "done"}}};
    world.options.accept_done = true;
    world.options.retry_on.codes = {{75, 75}};
    const RunResult result = world.run();
    CHECK(result.reason == StopReason::permanent);
    CHECK(result.exit_code == 3);
  }
  World first{.steps = {{Exited{3}, "done"}}};
  first.options.accept_done = true;
  CHECK(first.run().exit_code == 3);
}

TEST_CASE("an attempt behind a lost one that finds it there names the option", "[retry]") {
  World world{.steps = {{failure}, {Exited{3}, "done"}}};
  world.options.accept_done = false;
  const RunResult result = world.run();
  CHECK(result.reason == StopReason::permanent);
  CHECK(result.exit_code == 3);
  CHECK_THAT(std::get<RunFinished>(world.events.back()).why,
             test::ContainsSubstring("--accept-done"));
}

TEST_CASE("an outcome can be final where no rule knows it, though others are retried", "[retry]") {
  const RetryOptions options{.retry_unmatched = true, .stop_unmatched = {.codes = {{126, 127}}}};
  World final{.steps = {{Exited{127}, ""}}, .options = options};
  CHECK(final.run().reason == StopReason::permanent);
  World other{.steps = {{Exited{1}, ""}, {Exited{0}}}, .options = options};
  CHECK(other.run().reason == StopReason::success);
  World by_rule{.steps = {{Exited{127}}, {Exited{0}}}, .options = options};
  CHECK(by_rule.run().reason == StopReason::success);
  World asked{.steps = {{Exited{127}, ""}, {Exited{0}}}, .options = options};
  asked.options.retry_on.codes = {{127, 127}};
  CHECK(asked.run().reason == StopReason::success);
}
