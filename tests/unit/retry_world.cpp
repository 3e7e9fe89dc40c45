#include "retry_world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <exception>

namespace test {

using namespace std::chrono_literals;

Verdict RetryWorld::judge(const RetryStep& step) const {
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

Seams RetryWorld::seams() {
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
  return seams;
}

RunResult RetryWorld::run() {
  options.strong.jitter = Jitter{Jitter::Kind::none};
  boost::asio::io_context context;
  RunResult result;
  boost::asio::co_spawn(
      context,
      [&]() -> boost::asio::awaitable<void> { result = co_await run_with_retry(options, seams()); },
      [](const std::exception_ptr& thrown) {
        if (thrown) std::rethrow_exception(thrown);
      });
  context.run();
  return result;
}

}  // namespace test
