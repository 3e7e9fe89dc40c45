// Sources that are indexes, to the bottom.
#include "catch_shim.hpp"
#include "publish_images.hpp"

#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;

using test::ContainsSubstring;
using world::image;
using world::platform;
using world::Said;
using world::why;
using world::World;

TEST_CASE("An index that lists an image with a wrong size is not published: nobody could pull it",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1", "r.io/tmp:1"});
  target.only_newer = GENERATE(false, true);
  std::vector images = {image('a'), image('b')};
  images[1].size += 1;
  target.sources = {
      {{"r.io", "tmp", "", world.add_index("r.io/tmp", index_json(images, {}))}, std::nullopt}};
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result),
             ContainsSubstring(World::digest('b') +
                               " has 243 bytes, and the index that lists it says 244"));
  CHECK(world.writes() == 0);
}

TEST_CASE("An image that is a source by itself too must have the size that an index says of it",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'b'}, {"f.io/r:1"});
  std::vector images = {image('a'), image('b')};
  images[1].size += 1;
  world.shows('a') = TimePoint{};
  target.sources.push_back(
      {{"r.io", "tmp", "", world.add_index("r.io/tmp", index_json(images, {}))}, std::nullopt});
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("the index that lists it says 244"));
  CHECK(world.writes() == 0);
}

TEST_CASE("A source that is an index is read to the bottom before anything is written",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.platforms = {platform("linux/cpu-a")};
  std::string missing;
  SECTION("the config of its image") {
    const std::string index = world.add_index("r.io/tmp", index_json(std::vector{image('a')}, {}));
    target.sources = {{{"r.io", "tmp", "", index}, std::nullopt}};
    world.fault = [](const world::Words& argv) -> std::optional<Said> {
      const bool reads_config =
          argv[1] == "manifest" && (argv[3] == "create" || argv[2] == "fetch-config");
      if (!reads_config || argv.back().find(World::digest('a')) == std::string::npos) return {};
      return World::not_found(World::digest('c'));
    };
    missing = World::digest('a');
  }
  SECTION("an image of an index in it") {
    const std::string inner = world.add_index("r.io/tmp", index_json(std::vector{image('b')}, {}));
    const Descriptor entry = world::index_entry(world, inner);
    const std::string index =
        world.add_index("r.io/tmp", index_json(std::vector{image('a'), entry}, {}));
    target.sources = {{{"r.io", "tmp", "", index}, std::nullopt}};
    world.shows('b') = TimePoint::max();
    missing = World::digest('b');
  }
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring(missing + " could not be read"));
  CHECK(result.targets[0].failure->phase == Phase::preflight);
  CHECK(world.writes() == 0);
}

TEST_CASE("The size of an index in an index must be the one that is said of it", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  const std::string inner = world.add_index("r.io/tmp", index_json(std::vector{image('b')}, {}));
  Descriptor entry{std::string(oci_index), inner, world.manifests.at(inner).size() + 1,
                   std::nullopt};
  target.sources = {{{"r.io", "tmp", "",
                      world.add_index("r.io/tmp", index_json(std::vector{image('a'), entry}, {}))},
                     std::nullopt}};
  CHECK(world.run().exit_code() == 1);
  CHECK(world.writes() == 0);
}

TEST_CASE("An index in a source that is to be flattened is not dropped without a word",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.flatten = true;
  const std::string inner = world.add_index("r.io/tmp", index_json(std::vector{image('b')}, {}));
  const Descriptor entry = world::index_entry(world, inner);
  target.sources = {{{"r.io", "tmp", "",
                      world.add_index("r.io/tmp", index_json(std::vector{image('a'), entry}, {}))},
                     std::nullopt}};
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("lists another index"));
  CHECK(world.writes() == 0);
}
