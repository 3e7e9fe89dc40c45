// What runs once a target is published, where its digest shows late or others publish it too.
#include "catch_shim.hpp"
#include "publish_images.hpp"
#include "publish_world.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

using world::add_signed_target;
using world::Said;
using world::sorted;
using world::Words;
using world::World;

namespace {

// By its digest; by its tags at once.
auto index_shows_after(Duration lag) {
  return [lag](const std::string&, const std::string& what) -> Duration {
    return what.starts_with("tag ") || what == World::digest('a') ? 0s : lag;
  };
}

}  // namespace

TEST_CASE(
    "Targets of one digest in one repository lose nothing that they attach, and do once what "
    "is the same",
    "[publish]") {
  World world;
  world.without_referrers.insert("f.io/r");
  for (const std::string name : {"one", "two", "three"}) {
    Target& target = world.add_target(name, {'a'}, {"f.io/r:" + name});
    target.after = {{"cosign", "sign", "{repository}@{digest}"},
                    {"oras", "attach", "--annotation", "of={name}", "{repository}@{digest}"},
                    {"tell", "{tag}"}};
  }
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  const std::string image = "f.io/r@" + result.targets[0].digest;
  CHECK(sorted(world.done_after) ==
        Words{"cosign sign " + image, "tell one", "tell three", "tell two"});
  Words attached;
  for (const auto& [root, record] : world.records) {
    if (root == image && record.starts_with("of")) attached.push_back(record);
  }
  CHECK(sorted(attached) == Words{"of\":\"one", "of\":\"three", "of\":\"two"});
  const auto told = [&](const std::string& what) {
    return std::count_if(result.targets.begin(), result.targets.end(),
                         [&](const auto& target) { return target.phases.back().note == what; });
  };
  CHECK(told("") == 1);
  CHECK(told("1 had been done for another target") == 2);
  world.log.clear();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.writes() == 0);
}

TEST_CASE("A target that waits for another to be signed has the whole of its own time then",
          "[publish]") {
  World world;
  for (const std::string name : {"one", "two", "three"}) {
    Target& target = world.add_target(name, {'a'}, {"f.io/r:" + name});
    target.after = {{"tell", "{name}"}};
  }
  world.options.jobs = 1;
  world.plan.phases[Phase::after].deadline = 60s;
  world.spoil = [](const Words& argv, Said said) {
    if (argv[0] == "tell") said.took = 50s;
    return said;
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.done_after.size() == 3);
}

TEST_CASE("What takes records back waits for what another target attaches to the digest",
          "[publish]") {
  World world;
  world.without_referrers.insert("f.io/r");
  for (const std::string name : {"one", "two"}) {
    Target& target = world.add_target(name, {'a'}, {"f.io/r:" + name});
    target.after = {{"tell", "{tag}"}};
  }
  REQUIRE(world.run().exit_code() == 0);
  world.set_tag("f.io/r:two", World::digest('a'));  // by another run
  for (Target& target : world.plan.targets) target.after.push_back({"sign", "{name}"});
  world.spoil = [](const Words& argv, Said said) {
    if (argv[1] == "attach") said.took = 20s;
    return said;
  };
  world.done_after.clear();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(sorted(world.done_after) == Words{"sign one", "sign two", "tell two"});
  world.spoil = nullptr;
  world.done_after.clear();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after.empty());
}

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

TEST_CASE("A command that hangs for one target keeps no other from being published", "[publish]") {
  World world;
  for (const std::string name : {"one", "two"}) {
    Target& target = world.add_target(name, {'a'}, {"f.io/r:" + name});
    target.after = {{"tell", "{tag}"}};
  }
  world.add_target("three", {'b'}, {"f.io/r:three"});
  REQUIRE(world.run().exit_code() == 0);
  world.set_tag("f.io/r:two", World::digest('a'));  // by another run
  world.set_tag("f.io/r:three", World::digest('b'));
  world.plan.targets[0].after = {{"sign", "{name}"}};
  world.options.deadline = 60s;
  world.spoil = [](const Words& argv, Said said) {
    if (argv[0] == "sign") said.took = 24h;
    if (argv[1] == "manifest" && argv.back() == "f.io/r:two") said.took = 5s;
    return said;
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  for (const std::size_t other : {1U, 2U}) {
    CHECK_FALSE(result.targets[other].failure);
    CHECK(result.targets[other].tags[0].copied);
  }
  CHECK(world.done_after.back() == "tell two");
}

TEST_CASE("A command that hangs for one target keeps no other from being signed", "[publish]") {
  World world;
  for (const std::string name : {"one", "two", "three", "five", "six", "seven", "eight", "four"}) {
    Target& target = world.add_target(name, {'a'}, {"f.io/r:" + name});
    target.after = {{"sign", "{name}"}, {"tell", "{name}"}};
  }
  world.plan.phases[Phase::after].deadline = 60s;
  world.spoil = [](const Words& argv, Said said) {
    if (argv[0] == "sign" && argv[1] != "four") said.took = 24h;
    return said;
  };
  const PublishResult result = world.run();
  for (std::size_t hanging = 0; hanging < 7; ++hanging) CHECK(result.targets[hanging].failure);
  CHECK_FALSE(result.targets[7].failure);
  CHECK(world.done_after.back() == "tell four");
  CHECK(world.elapsed() < 200s);
}

TEST_CASE("A command that fails for one target is not run again for others of its digest",
          "[publish]") {
  World world;
  for (const std::string name : {"one", "two", "three"}) {
    Target& target = world.add_target(name, {'a'}, {"f.io/r:" + name});
    target.after = {{"sign", "{digest}"}, {"tell", "{name}"}};
  }
  world.plan.phases[Phase::after].deadline = 60s;
  world.plan.policy.attempts = 1;
  const bool hangs = GENERATE(true, false);
  std::size_t times = 0;
  world.spoil = [&](const Words& argv, Said said) {
    if (argv[0] != "sign") return said;
    ++times;
    if (hangs) said.took = 24h;
    return hangs ? said : Said{1, "", "sign: no key"};
  };
  const PublishResult result = world.run();
  CHECK(times == 1);
  CHECK(world.elapsed() < 70s);
  std::size_t of_another = 0;
  for (const TargetResult& target : result.targets) {
    REQUIRE(target.failure);
    CHECK(target.after[0].failed);
    of_another += target.failure->what.find("'sign' failed for target '") != std::string::npos;
  }
  CHECK(of_another == 2);
}

TEST_CASE("A digest that never shows is waited for by all of its targets at once", "[publish]") {
  World world;
  for (const std::string name : {"one", "two", "three"}) {
    Target& target = world.add_target(name, {'a'}, {"f.io/r:" + name});
    target.after = {{"sign", "{digest}"}};
  }
  world.plan.phases[Phase::after].deadline = 60s;
  world.lag = index_shows_after(24h);
  const PublishResult result = world.run();
  for (const TargetResult& target : result.targets) CHECK(target.failure);
  CHECK(world.elapsed() < 70s);
}
