#include "catch_shim.hpp"
#include "flaky_registry/chaos.hpp"

#include <chrono>

using namespace flaky;
using namespace std::chrono_literals;

namespace {

const Instant start = Instant(1h);
const std::string digest = "sha256:" + std::string(64, 'a');

Chaos chaos_of(const std::string& plan) {
  auto parsed = parse_plan(plan, "plan.yaml");
  REQUIRE(parsed.has_value());
  return Chaos(*std::move(parsed), start);
}

// The name of the fault that strikes; empty when none does.
std::string strike(Chaos& chaos, std::string_view method, std::string_view target,
                   Instant now = start) {
  return chaos.decide(subject_of(method, target), "", true, now).fault;
}

}  // namespace

TEST_CASE("a request's subject is read from its path", "[flaky]") {
  const Subject tag = subject_of("GET", "/v2/o/r/x/manifests/v1?ns=docker.io");
  CHECK(tag.kind == Kind::manifest);
  CHECK(tag.repository == "o/r/x");
  CHECK(tag.tag == "v1");
  CHECK(tag.digest.empty());

  const Subject by_digest = subject_of("HEAD", "/v2/o/r/manifests/sha256%3Aab");
  CHECK(by_digest.digest == "sha256:ab");
  CHECK(by_digest.tag.empty());

  CHECK(subject_of("GET", "/v2/o/r/blobs/sha256:ab").kind == Kind::blob);
  CHECK(subject_of("POST", "/v2/o/r/blobs/uploads/").kind == Kind::upload);
  CHECK(subject_of("GET", "/v2/").kind == Kind::other);
  CHECK(subject_of("GET", "/v2/manifests/x").kind == Kind::other);
}

TEST_CASE("a fault strikes after those it skips and for as long as it is told", "[flaky]") {
  Chaos chaos = chaos_of("faults: [{name: f, skip: 1, times: 2, methods: [GET], reset: true}]");
  CHECK(strike(chaos, "GET", "/v2/").empty());
  CHECK(strike(chaos, "HEAD", "/v2/").empty());
  CHECK(strike(chaos, "GET", "/v2/") == "f");
  CHECK(strike(chaos, "GET", "/v2/") == "f");
  CHECK(strike(chaos, "GET", "/v2/").empty());
}

TEST_CASE("a fault can count for each reference apart", "[flaky]") {
  Chaos chaos = chaos_of("faults: [{name: f, times: 1, per: reference, reset: true}]");
  CHECK(strike(chaos, "GET", "/v2/o/r/manifests/a") == "f");
  CHECK(strike(chaos, "GET", "/v2/o/r/manifests/a").empty());
  CHECK(strike(chaos, "GET", "/v2/o/r/manifests/b") == "f");
  CHECK(strike(chaos, "GET", "/v2/o/s/manifests/a") == "f");
}

TEST_CASE("chance depends on the seed alone", "[flaky]") {
  const auto struck = [](const std::string& seed) {
    Chaos chaos =
        chaos_of("seed: " + seed + "\nfaults: [{name: f, probability: 0.3, reset: true}]");
    std::string pattern;
    for (int i = 0; i < 1000; ++i) pattern += strike(chaos, "GET", "/v2/").empty() ? '-' : 'f';
    return pattern;
  };
  const std::string first = struck("7");
  CHECK(first == struck("7"));
  CHECK(first != struck("8"));
  const auto faults = std::count(first.begin(), first.end(), 'f');
  CHECK(faults > 200);
  CHECK(faults < 400);
}

TEST_CASE("only what was pushed lags, from its first push on", "[flaky]") {
  Chaos chaos = chaos_of("faults: [{name: lag, invisible: {for: 5s}}]");
  const std::string target = "/v2/o/r/manifests/" + digest;
  CHECK(strike(chaos, "GET", target).empty());
  chaos.pushed("o/r", digest, start);
  chaos.pushed("o/r", digest, start + 4s);
  CHECK(strike(chaos, "GET", target, start + 4900ms) == "lag");
  CHECK(strike(chaos, "GET", target, start + 5s).empty());
  CHECK(strike(chaos, "GET", "/v2/o/other/manifests/" + digest, start).empty());
}

TEST_CASE("a tag reads as it was so long ago", "[flaky]") {
  Chaos chaos = chaos_of("faults: [{stale: {for: 5s}}]");
  chaos.moved("o/r", "v1", "sha256:1", "sha256:2", start);
  chaos.moved("o/r", "v1", "sha256:2", "sha256:3", start + 3s);
  const auto shown = [&](Instant now) {
    const Decision decision =
        chaos.decide(subject_of("GET", "/v2/o/r/manifests/v1"), "", true, now);
    const auto* redirected = std::get_if<Redirected>(&decision.action);
    return redirected == nullptr ? "now" : redirected->digest;
  };
  CHECK(shown(start + 4s) == "sha256:1");
  CHECK(shown(start + 6s) == "sha256:2");
  CHECK(shown(start + 8s) == "now");
}

TEST_CASE("a delay goes on to the next fault", "[flaky]") {
  Chaos chaos = chaos_of("faults: [{delay: 2s}, {name: f, answer: {status: 429}}]");
  const Decision decision = chaos.decide(subject_of("GET", "/v2/"), "", false, start);
  CHECK(decision.delay == 2s);
  CHECK(decision.fault == "f");
  CHECK(std::get<Answer>(decision.action).code == "TOOMANYREQUESTS");
}

TEST_CASE("a plan's mistakes are all told, each with its place", "[flaky]") {
  const auto plan = parse_plan(
      "faults:\n"
      "  - {reset: true, cut: {}}\n"
      "  - {path: '(', reset: true}\n"
      "  - {kind: tag, reset: true}\n"
      "  - {invisible: {since: never}}\n",
      "p");
  REQUIRE_FALSE(plan.has_value());
  REQUIRE(plan.error().size() == 4);
  CHECK(to_string(plan.error()[0]).starts_with("p:2:5: a fault has exactly one of "));
  CHECK(to_string(plan.error()[1]).starts_with("p:3:12: 'path' is not a valid pattern"));
  CHECK(to_string(plan.error()[2]) ==
        "p:4:12: 'kind' must be one of manifest, blob, upload, other");
  CHECK(to_string(plan.error()[3]) == "p:5:25: 'since' must be one of push, plan");
}
