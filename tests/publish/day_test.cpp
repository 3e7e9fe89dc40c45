// The days that made people write scripts around their publish jobs, with a plan that sets nothing
// but sources and tags. What `bakery ci publish` took for each of them is told beside it.
#include "publish_scene.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace test;

namespace {

PublishScene& two_targets(PublishScene& scene, std::uint64_t seed) {
  scene.default_policies = true;
  scene.targets = {make_target("alpha", seed), make_target("beta", seed + 1)};
  return scene;
}

void tell(const char* day, const Ended& ended, const char* theirs) {
  std::printf("%-52s %6.1f s; bakery ci publish: %s\n", day, ended.wall.count(), theirs);
  std::fflush(stdout);
}

}  // namespace

TEST_CASE("a registry that lags seven seconds behind every push is hardly slower", "[days]") {
  PublishScene scene;
  two_targets(scene, 52);
  scene.push_sources();
  const Ended without = scene.publish();
  REQUIRE(without.exit_code() == 0);
  two_targets(scene, 40);
  const auto before = scene.moment();
  scene.both("faults:\n  - {name: late, methods: [GET, HEAD], invisible: {for: 7s}}\n");
  scene.push_sources();
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  CHECK(scene.first.struck("late") > 0);
  // The sources, then all that is put side by side at both destinations: two lags.
  CHECK(ended.wall < 14s * 1.1 + 2s + without.wall);
  tell("nothing visible before 7 s after its push", ended, "72 s");
  scene.both("faults: []");
  check_published(scene, before);
}

TEST_CASE("with a registry that is well a run takes a second or two", "[days]") {
  PublishScene scene;
  two_targets(scene, 42);
  scene.push_sources();
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  CHECK(ended.wall < (std::getenv("TEST_INSTRUMENTED") == nullptr ? 2400ms : 6s));
  tell("no fault", ended, "2.4 s");
  check_published(scene);
}

TEST_CASE("a republish under tags that read stale ends with the new images", "[days]") {
  PublishScene scene;
  two_targets(scene, 44);
  scene.push_sources();
  REQUIRE(scene.publish().exit_code() == 0);
  const std::vector<std::string> old = scene.digests_of(scene.targets[0]);
  two_targets(scene, 46);
  const auto before = scene.moment();
  scene.both(
      "faults:\n  - {name: stale, methods: [GET, HEAD], kind: manifest, tag: '.*', "
      "stale: {for: 10s}}\n");
  scene.push_sources();
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  CHECK(scene.digests_of(scene.targets[0]) != old);
  tell("republished under tags that read stale for 10 s", ended, "old images at the tags, exit 0");
  scene.both("faults: []");
  check_published(scene, before);
}

TEST_CASE("a registry that goes silent once is left after the time-out of one probe", "[days]") {
  PublishScene scene;
  two_targets(scene, 48);
  scene.push_sources();
  scene.both("faults:\n  - {name: silent, kind: manifest, times: 1, silence: {}}\n");
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  CHECK(ended.wall < 75s);
  tell("a registry that is silent once", ended, "held until killed after 120 s");
  scene.both("faults: []");
  check_published(scene);
}

TEST_CASE("a second run writes nothing, whatever it is told to do side by side", "[days]") {
  PublishScene scene;
  two_targets(scene, 50);
  scene.push_sources();
  REQUIRE(scene.publish().exit_code() == 0);
  const auto before = scene.moment();
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  const auto entries = scene.entries_since(before);
  CHECK(std::none_of(entries.begin(), entries.end(), is_write));
  tell("a second run", ended, "every tag is written again");
  check_published(scene);
}
