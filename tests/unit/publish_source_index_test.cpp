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
using world::attestation;
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

namespace {

// The digest of an index of index{inner} and of what else is given.
std::string nested(World& world, const std::vector<Descriptor>& inner,
                   std::vector<Descriptor> others) {
  const std::string below = world.add_index("r.io/tmp", index_json(inner, {}));
  others.insert(others.begin(), world::index_entry(world, below));
  return world.add_index("r.io/tmp", index_json(others, {}));
}

Source in_tmp(const std::string& digest) {
  return {{"r.io", "tmp", "", digest}, std::nullopt};
}

}  // namespace

TEST_CASE("The images of an index in a source are of its platforms too", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.sources = {in_tmp(nested(world, {image('a'), attestation('e', 'a')}, {image('b')}))};
  SECTION("where they are named") {
    target.platforms = {platform("linux/cpu-a"), platform("linux/cpu-b")};
  }
  SECTION("where the tag says it, which the next build moves") {
    REQUIRE(world.run().exit_code() == 0);
    target.sources = {in_tmp(nested(world, {image('c')}, {image('d')}))};
    CHECK_THAT(why(world.run()), ContainsSubstring("f.io/r:1 holds linux/cpu-b, linux/cpu-a too"));
    Descriptor again = image('c');
    again.platform = image('a').platform;
    target.sources = {in_tmp(nested(world, {again}, {image('b')}))};
  }
  const PublishResult result = world.run();
  INFO(why(result));
  REQUIRE(result.exit_code() == 0);
  CHECK_THAT(result.targets[0].platforms,
             test::UnorderedEquals(std::vector{platform("linux/cpu-a"), platform("linux/cpu-b")}));
}

TEST_CASE("A source may be an index of nothing but indexes; one without any image is refused",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  const bool has_image = GENERATE(true, false);
  const Descriptor only = has_image ? image('a') : attestation('e', 'a');
  target.sources = {in_tmp(nested(world, {only}, {}))};
  const PublishResult result = world.run();
  if (has_image) {
    INFO(why(result));
    CHECK(result.targets[0].platforms == std::vector{platform("linux/cpu-a")});
  } else {
    CHECK_THAT(why(result), ContainsSubstring("is an index without an image of any platform"));
    CHECK(world.writes() == 0);
  }
}

TEST_CASE("An image of an index in a source and another one for its platform are two too many",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  Descriptor other = image('c');
  other.platform = image('a').platform;
  SECTION("beside the index") {
    target.sources = {in_tmp(nested(world, {image('a')}, {other, image('b')}))};
  }
  SECTION("in an index of another source") {
    target.sources = {in_tmp(nested(world, {image('a')}, {image('b')})),
                      in_tmp(nested(world, {other}, {image('d')}))};
  }
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("two sources are for linux/cpu-a: "));
  CHECK(world.writes() == 0);
}

TEST_CASE("An index that two sources list is none too many, nor is an image in it and beside it",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.sources.push_back(in_tmp(nested(world, {image('a')}, {image('b')})));
  target.sources.push_back(in_tmp(nested(world, {image('a')}, {image('d')})));
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
  CHECK(result.targets[0].platforms.size() == 3);
}
