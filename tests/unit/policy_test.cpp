#include "catch_shim.hpp"

#include <retry_exec/policy.hpp>

#include <vector>

using namespace retry_exec;
using namespace std::chrono_literals;

namespace {

std::vector<Duration> waits(const Policy& policy, int count, double chance = 0.5) {
  Backoff backoff(policy, [chance] { return chance; });
  std::vector<Duration> waits;
  for (int i = 0; i < count; ++i) waits.push_back(backoff.next());
  return waits;
}

Policy without_jitter() {
  Policy policy;
  policy.jitter = {Jitter::Kind::none};
  return policy;
}

}  // namespace

TEST_CASE("no wait stays no wait, however often", "[policy]") {
  for (const Growth growth :
       {Growth::constant, Growth::linear, Growth::exponential, Growth::decorrelated}) {
    Policy policy;
    policy.delay = Duration(0);
    policy.backoff = growth;
    policy.factor = 1000;
    Backoff backoff(policy, [] { return 0.5; });
    for (int n = 0; n < 2000; ++n) REQUIRE(backoff.next({}) == Duration(0));
    CHECK(backoff.longest(2000) <= policy.jitter.added);
  }
}

TEST_CASE("the default policy is five attempts, 2 s doubling up to 32 s", "[policy]") {
  const Policy policy = policy_from({});
  CHECK(policy.attempts == 5);
  CHECK(waits(without_jitter(), 6) == std::vector<Duration>{2s, 4s, 8s, 16s, 32s, 32s});
}

TEST_CASE("each kind of backoff grows as it says", "[policy]") {
  Policy policy = without_jitter();
  policy.backoff = Growth::constant;
  CHECK(waits(policy, 3) == std::vector<Duration>{2s, 2s, 2s});
  policy.backoff = Growth::linear;
  CHECK(waits(policy, 3) == std::vector<Duration>{2s, 4s, 6s});
  policy.backoff = Growth::decorrelated;
  CHECK(waits(policy, 3, 0.0) == std::vector<Duration>{2s, 2s, 2s});
  CHECK(waits(policy, 3, 0.5) == std::vector<Duration>{4s, 7s, 11500ms});
}

TEST_CASE("jitter keeps to its bounds", "[policy]") {
  Policy policy = without_jitter();
  policy.jitter = {Jitter::Kind::equal};
  CHECK(waits(policy, 1, 0.0).front() == 1s);
  CHECK(waits(policy, 1, 0.999).front() < 2s);
  policy.jitter = {Jitter::Kind::full};
  CHECK(waits(policy, 1, 0.0).front() == 0s);
  policy.jitter = {Jitter::Kind::percent, 25};
  CHECK(waits(policy, 1, 0.0).front() == 1500ms);
  policy.jitter = {Jitter::Kind::added, 0, 500ms};
  CHECK(waits(policy, 1, 0.0).front() == 2s);
  CHECK(waits(policy, 1, 0.5).front() == 2250ms);
}

TEST_CASE("a wait that was asked for is a floor: never shortened, jitter only added", "[policy]") {
  Policy policy = without_jitter();
  Backoff backoff(policy, [] { return 0.5; });
  CHECK(backoff.next(60s) == 63s);     // beyond max-delay
  CHECK(backoff.next(12500us) == 4s);  // shorter than the backoff's own
}

TEST_CASE("hundreds of doublings do not overflow", "[policy]") {
  CHECK(waits(without_jitter(), 2000).back() == 32s);
}

TEST_CASE("the same seed gives the same waits", "[policy]") {
  Backoff one(Policy{}, seeded_random(42));
  Backoff other(Policy{}, seeded_random(42));
  for (int i = 0; i < 5; ++i) CHECK(one.next() == other.next());
}

TEST_CASE("a stronger layer decides field by field", "[policy]") {
  const PolicyFields strong{.delay = 1s};
  const PolicyFields weak{.attempts = 9, .delay = 5s};
  const Policy policy = policy_from(layered(strong, weak));
  CHECK(policy.attempts == 9);
  CHECK(policy.delay == 1s);
  CHECK(policy.max_delay == 32s);
}

TEST_CASE("words of the policy are read, and wrong ones name the right ones", "[policy]") {
  CHECK(parse_growth("linear").value() == Growth::linear);
  CHECK_THAT(parse_growth("fib").error().what, test::ContainsSubstring("decorrelated"));
  CHECK(parse_jitter("25%").value() == Jitter{Jitter::Kind::percent, 25});
  CHECK(parse_jitter("500ms").value() == Jitter{Jitter::Kind::added, 0, 500ms});
  CHECK_THAT(parse_jitter("some").error().what, test::ContainsSubstring("none, equal, full"));
  CHECK_FALSE(parse_jitter("101%").has_value());
  CHECK_FALSE(parse_attempts("0").has_value());
  CHECK_FALSE(parse_attempts("-1").has_value());
  CHECK_FALSE(parse_attempts("1.5").has_value());
  CHECK_FALSE(parse_factor("0").has_value());
}

TEST_CASE("waits of centuries do not wrap around", "[backoff]") {
  Policy policy;
  policy.delay = policy.max_delay = std::chrono::hours(2'550'000);
  policy.jitter = {.kind = Jitter::Kind::added, .added = std::chrono::hours(2'550'000)};
  Backoff backoff(policy, [] { return 0.999; });
  CHECK(backoff.longest(1) == Duration::max());
  CHECK(backoff.next() >= policy.delay);
}

TEST_CASE("a longest wait cuts no delay that a stronger layer chose", "[policy]") {
  const auto most = [](const PolicyFields& strong, const PolicyFields& middle = {},
                       const PolicyFields& weak = {}) {
    const Policy left = policy_from(layered(layered(strong, middle), weak));
    CHECK(left == policy_from(layered(strong, layered(middle, weak))));  // layers associate
    return left.max_delay;
  };
  CHECK(most({.delay = 60s}) == 60s);
  CHECK(most({.delay = 10s}) == 32s);
  CHECK(most({.delay = 60s}, {.max_delay = 5s}) == 60s);
  CHECK(most({.max_delay = 5s}, {.delay = 60s}) == 5s);
  CHECK(most({.delay = 1s}, {.delay = 60s}, {.max_delay = 5s}) == 5s);
  CHECK(most({}, {.delay = 60s}, {.delay = 1s, .max_delay = 5s}) == 60s);
  CHECK(most({.delay = 60s}, {.delay = 15s, .max_delay = 300s}) == 300s);
}

TEST_CASE("a limit that is switched off beats what weaker layers say", "[policy]") {
  const PolicyFields off{.timeout = unlimited, .idle_timeout = unlimited, .deadline = unlimited};
  const PolicyFields weak{.timeout = 1s, .idle_timeout = 1s, .deadline = 1s};
  const Policy policy = policy_from(layered(off, weak));
  CHECK_FALSE(policy.timeout.has_value());
  CHECK_FALSE(policy.idle_timeout.has_value());
  CHECK_FALSE(policy.deadline.has_value());
}

TEST_CASE("waits without an upper limit grow on", "[policy]") {
  Policy policy = without_jitter();
  policy.max_delay = unlimited;
  CHECK(waits(policy, 8).back() == 256s);
  CHECK(waits(policy, 100).back() == Duration::max());
}

TEST_CASE("what a jitter is written as is read back as the same", "[policy]") {
  for (const Jitter& jitter :
       {Jitter{Jitter::Kind::percent, 33.3333333}, Jitter{Jitter::Kind::added, 0, 90061500ms}}) {
    CHECK(parse_jitter(to_string(jitter)).value() == jitter);
  }
}

TEST_CASE("each field of a policy is layered, chosen, parted and described by its entry",
          "[policy]") {
  for_each_policy_field([](const auto& field) {
    CAPTURE(field.name);
    const auto parsed = [&] {
      auto value = field.parse("3");
      for (const char* other : {"linear", "full"}) {
        if (!value) value = field.parse(other);
      }
      return *value;
    };
    PolicyFields fields;
    fields.*field.said = parsed();
    CHECK(layered(fields, {}).*field.said == fields.*field.said);
    CHECK(layered({}, fields).*field.said == fields.*field.said);
    CHECK(policy_from(fields).*field.chosen == fields.*field.said);
    CHECK(describe(fields).find(field.name) != std::string::npos);
    CHECK(only(field.part, fields).*field.said == fields.*field.said);
    const PolicyPart other =
        field.part == PolicyPart::pace ? PolicyPart::attempt : PolicyPart::pace;
    CHECK_FALSE((only(other, fields).*field.said).has_value());
  });
}
