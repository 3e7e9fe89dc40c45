// Tags that another run moves while ours is at work.
#include "catch_shim.hpp"
#include "publish_images.hpp"

#include <algorithm>
#include <string>
#include <utility>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

using test::ContainsSubstring;
using world::image;
using world::platform;
using world::Said;
using world::why;
using world::World;

namespace {

// What another run puts at a tag: our image 'a', and 'b' for a platform of which we know nothing.
std::string moved_by_another_run(World& world, const std::string& tag) {
  const std::string index = world.add_index(world::repository_of(tag),
                                            index_json(std::vector{image('a'), image('b')}, {}));
  world.set_tag(tag, index);
  return index;
}

}  // namespace

TEST_CASE("A tag does not lose a platform that another run gave it since it was looked at",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest", "g.io/r:latest"});
  std::string theirs;
  bool moved = false;
  const auto move_before = [&](auto is_time) {
    world.fault = [&, is_time](const world::Words& argv) -> std::optional<Said> {
      if (moved || !is_time(argv)) return std::nullopt;
      moved = true;
      theirs = moved_by_another_run(world, "g.io/r:latest");
      if (argv[2] != "push") return std::nullopt;
      return Said{1, "", "Error response from registry: 503 Service Unavailable\n"};
    };
  };
  SECTION("while we copied") {
    move_before([](const world::Words& argv) { return argv[1] == "cp"; });
    CHECK_THAT(why(world.run()), ContainsSubstring("g.io/r:latest holds linux/cpu-b too"));
    CHECK(world.at("f.io/r:latest").empty());
  }
  SECTION("while our attempt to move it failed") {
    move_before([](const world::Words& argv) {
      return argv[2] == "push" && argv[argv.size() - 2] == "g.io/r:latest";
    });
    CHECK_THAT(why(world.run()), ContainsSubstring("g.io/r:latest holds linux/cpu-b too"));
  }
  SECTION("while it waited for its turn") {
    world.add_target("two", {'c'}, {"g.io/r:latest-c"});
    std::swap(world.plan.targets[0], world.plan.targets[1]);
    const unsigned moved_in = GENERATE(1, 2);  // since the tags of all repositories were looked at
    unsigned attempts = 0;
    world.fault = [&](const world::Words& argv) -> std::optional<Said> {
      const bool first = argv[2] == "push" && argv[argv.size() - 2] == "g.io/r:latest-c";
      if (!first) return std::nullopt;
      if (++attempts == moved_in) theirs = moved_by_another_run(world, "g.io/r:latest");
      if (attempts > 1) return std::nullopt;
      return Said{1, "", "Error response from registry: 503 Service Unavailable\n", 10s};
    };
    const PublishResult result = world.run();
    CHECK(why(result, 0).empty());
    CHECK_THAT(why(result, 1), ContainsSubstring("g.io/r:latest holds linux/cpu-b too"));
  }
  SECTION("unless the plan says which are meant") {
    target.platforms = {platform("linux/cpu-a")};
    move_before([](const world::Words& argv) { return argv[1] == "cp"; });
    const PublishResult result = world.run();
    CHECK(why(result).empty());
    theirs = result.targets[0].digest;
  }
  CHECK_FALSE(theirs.empty());
  CHECK(world.at("g.io/r:latest") == theirs);
}

TEST_CASE("Before they move, tags are looked at once more, where what they hold decides",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2"});
  std::size_t looks = 2;
  SECTION("which they do where the plan does not say the platforms") {}
  SECTION("which they do not where it does") {
    target.platforms = {platform("linux/cpu-a")};
    looks = 0;
  }
  REQUIRE(world.run().exit_code() == 0);
  const auto push = std::find_if(world.log.begin(), world.log.end(), [](const std::string& line) {
    return line.starts_with("manifest push");
  });
  const auto copy = std::find_if(world.log.begin(), push,
                                 [](const std::string& line) { return line.starts_with("cp"); });
  CHECK(static_cast<std::size_t>(std::count_if(copy, push, [](const std::string& line) {
          return line.starts_with("manifest fetch") && line.find("f.io/r:") != std::string::npos;
        })) == looks);
}

TEST_CASE("A new tag that another run moved meanwhile is pulled, and moves when all can be read",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.lag = [](const std::string&, const std::string& what) {
    return what == World::digest('a') ? Duration(30s) : Duration(0);
  };
  TimePoint moved;
  world.fault = [&](const world::Words& argv) -> std::optional<Said> {
    if (argv[1] == "cp" && world.at("f.io/r:1").empty()) {
      world.set_tag("f.io/r:1", world.add_index("r.io/x", index_json(std::vector{image('a')},
                                                                     {{"of", "another"}})));
    }
    if (argv[2] == "push") moved = world.now;
    return std::nullopt;
  };
  const PublishResult result = world.run();
  INFO(why(result));
  REQUIRE(result.exit_code() == 0);
  CHECK(moved - world.start > 30s);
}

TEST_CASE("What follows from a look after a wait has the time that was waited", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:one"});
  world.add_target("two", {'b'}, {"f.io/r:two"});
  world.shows('a') = world.start + 12s;
  world.plan.phases[Phase::copy].deadline = 5s;
  bool was_moved = false;
  world.spoil = [&](const world::Words&, Said said) {
    if (world.now < world.start + 8s || was_moved) return said;
    was_moved = true;
    world.set_tag("f.io/r:two", World::digest('b'));
    return said;
  };
  const PublishResult result = world.run();
  CHECK(was_moved);
  CHECK(result.exit_code() == 0);
}

TEST_CASE("Tags are looked at twice, however many targets move theirs in one repository",
          "[publish]") {
  World world;
  constexpr std::size_t targets = 10;
  constexpr std::size_t tags = 20;
  for (std::size_t i = 0; i < targets; ++i) {
    const std::string name = "target-" + std::to_string(i);
    world::Words finals;
    for (std::size_t tag = 0; tag < tags; ++tag) {
      finals.push_back("f.io/r:" + name + "-" + std::to_string(tag));
    }
    world.add_target(name, {'a'}, finals);
  }
  REQUIRE(world.run().exit_code() == 0);
  // In preflight, and when it is the target's turn.
  CHECK(world.count("manifest fetch f.io/r:") == 2 * targets * tags);
  CHECK(world.log.size() <= 2 * targets * tags + 5 * targets);
}

TEST_CASE("No tag moves where one elsewhere would lose a platform when the turns to move come",
          "[publish]") {
  World world;
  world.add_target("first", {'c'}, {"f.io/r:c", "g.io/r:c"});
  world.add_target("one", {'a'}, {"f.io/r:latest", "g.io/r:latest"});
  const std::string tag = GENERATE("f.io/r:latest", "g.io/r:latest");
  const Duration until_the_other = GENERATE(0s, 10s);
  std::string theirs;
  world.spoil = [&](const world::Words& argv, Said said) {
    const std::string& place = argv[argv.size() - 2];
    if (argv[2] != "push" || !place.ends_with("/r:c")) return said;
    said.took = place.starts_with("f") ? 10s : 10s + until_the_other;
    if (theirs.empty()) theirs = moved_by_another_run(world, tag);
    return said;
  };
  const PublishResult result = world.run();
  CHECK(why(result, 0).empty());
  CHECK_THAT(why(result, 1), ContainsSubstring(tag + " holds linux/cpu-b too"));
  CHECK(world.at(tag) == theirs);
  CHECK(world.at(tag.starts_with("f") ? "g.io/r:latest" : "f.io/r:latest").empty());
}
