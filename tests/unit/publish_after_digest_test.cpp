// What runs once a target is published, where its digest shows late or others publish it too.
#include "catch_shim.hpp"
#include "publish_images.hpp"
#include "publish_world.hpp"

#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

using world::World;

namespace {

void add_signed_target(World& world) {
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2", "g.io/r:1"});
  target.after = {{"cosign", "sign", "--yes", "{repository}@{digest}"},
                  {"tell", "{name}", "{repository}:{tag}"}};
}

// By its digest; by its tags at once.
auto index_shows_after(Duration lag) {
  return [lag](const std::string&, const std::string& what) -> Duration {
    return what.starts_with("tag ") || what == World::digest('a') ? 0s : lag;
  };
}

}  // namespace

TEST_CASE("A digest that shows later than its tag is waited for before anything is done about it",
          "[publish]") {
  World world;
  add_signed_target(world);
  world.lag = index_shows_after(5s);
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  CHECK(world.done_after.size() == 5);
  CHECK(world.elapsed() < 10s);
  REQUIRE_FALSE(result.targets[0].lags.empty());
  CHECK(result.targets[0].lags.back().phase == Phase::after);
  CHECK(result.targets[0].lags.back().what.find("@sha256:") != std::string::npos);
}

TEST_CASE("A digest that does not show for a while has all the same what has been done for it",
          "[publish]") {
  World world;
  add_signed_target(world);
  const PublishResult first = world.run();
  REQUIRE(first.exit_code() == 0);
  for (const char* name : {"f.io/r", "g.io/r"}) {
    world.repositories[name].shows[first.targets[0].digest] = world.now + 3s;
  }
  world.done_after.clear();
  world.log.clear();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after.empty());
  CHECK(world.writes() == 0);
}

TEST_CASE("A digest that never shows is not signed, and the target says why", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.after = {{"cosign", "sign", "{repository}@{digest}"}};
  world.lag = index_shows_after(24h);
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(world.done_after.empty());
  CHECK_THAT(result.targets[0].failure->what,
             test::ContainsSubstring("is published, but could not be read by its digest"));
  CHECK(result.targets[0].failure->reason == StopReason::deadline);
}
