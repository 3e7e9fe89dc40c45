// What indexes list besides images and what attests them.
#include "catch_shim.hpp"
#include "publish_images.hpp"

#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;

using world::image;
using world::published;
using world::why;
using world::World;

namespace {

// It names the platform of the image that it is for.
Descriptor soci_index(char c, char of) {
  Descriptor descriptor = image(of);
  descriptor.digest = World::digest(c);
  descriptor.artifact_type = "application/vnd.amazon.soci.index.v2+json";
  return descriptor;
}

Source in_tmp(const std::string& digest) {
  return {{"r.io", "tmp", "", digest}, std::nullopt};
}

// An index of image 'a' and its SOCI index, which comes first where digests decide.
Source converted(World& world) {
  return in_tmp(
      world.add_index("r.io/tmp", index_json(std::vector{image('a'), soci_index('0', 'a')}, {})));
}

}  // namespace

TEST_CASE("Whoever pulls for a platform finds its image first, whatever else is for it",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.sources = {converted(world)};
  SECTION("merged with another source") {
    target.sources.push_back(in_tmp(World::digest('b')));
    world.shows('b') = world.start;
  }
  SECTION("by itself, though the source has it behind") {
    target.sources = {in_tmp(world.add_index(
        "r.io/tmp", index_json(std::vector{soci_index('0', 'a'), image('a')}, {})))};
  }
  SECTION("given an annotation") {
    target.annotations = {{"title", "one"}};
  }
  const PublishResult result = world.run();
  INFO(why(result));
  REQUIRE(result.exit_code() == 0);
  const std::vector<Descriptor> entries = published(world, "f.io/r:1");
  CHECK(entries.front().digest == World::digest('a'));
  CHECK(entries.back().digest == World::digest('0'));
}

TEST_CASE("Where soci makes nothing, what was left out for it is published all the same",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.soci.enabled = true;
  SECTION("SOCI indexes") {
    target.sources = {converted(world)};
  }
  SECTION("attestations") {
    target.sources = {in_tmp(world.add_index(
        "r.io/tmp", index_json(std::vector{image('a'), world::attestation('d', 'a')}, {})))};
  }
  SECTION("of one of several sources") {
    target.sources = {converted(world), in_tmp(World::digest('b'))};
    world.shows('b') = world.start;
  }
  world.fault = [](const world::Words& argv) -> std::optional<world::Said> {
    if (argv[1] != "convert") return std::nullopt;
    return world::Said{1, "",
                       "soci: no ztocs created, all layers either skipped or produced errors\n"};
  };
  for (int runs = 0; runs < 2; ++runs) {
    const PublishResult result = world.run();
    INFO(why(result));
    REQUIRE(result.exit_code() == 0);
    CHECK(published(world, "f.io/r:1").size() == target.sources.size() + 1);
    CHECK(
        world.repositories.at("f.io/r").shows.contains(published(world, "f.io/r:1").back().digest));
    if (target.sources.size() == 1)
      CHECK(world.at("f.io/r:1") == target.sources[0].reference.digest);
  }
}

TEST_CASE("What soci has converted already is converted without its SOCI indexes, and once",
          "[publish]") {
  const bool alone = GENERATE(true, false);
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.soci.enabled = true;
  target.sources = {converted(world)};
  if (!alone) {
    target.sources.push_back(in_tmp(World::digest('b')));
    world.shows('b') = world.start;
  }
  const PublishResult result = world.run();
  INFO(why(result));
  REQUIRE(result.exit_code() == 0);
  CHECK(published(world, "f.io/r:1").size() == (alone ? 2 : 4));
  CHECK_THAT(world::notes(result),
             test::ContainsSubstring("SOCI indexes and the like are left out"));
  world.log.clear();
  CHECK(world.run().exit_code() == 0);
  CHECK(world.count("convert") == 0);
  CHECK(world.writes() == 0);
}

namespace {

// As the OCI specification has it: an image's artifact type is the media type of its config.
Descriptor typed_image(char c) {
  Descriptor descriptor = image(c);
  descriptor.artifact_type = GENERATE("application/vnd.oci.image.config.v1+json",
                                      "application/vnd.docker.container.image.v1+json");
  return descriptor;
}

// A manifest of a kind of its own, which names a platform or none.
Descriptor artifact(char c, std::optional<Platform> platform) {
  return {"application/vnd.oci.artifact.manifest.v1+json", World::digest(c), World::image_size,
          std::move(platform)};
}

}  // namespace

TEST_CASE("An image whose entry has the artifact type of images is an image", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'b'}, {"f.io/r:1"});
  const Descriptor typed = typed_image('a');
  SECTION("which a tag does not lose") {
    world.set_tag("f.io/r:1", world.add_index("f.io/r", index_json(std::vector{typed}, {})));
    CHECK_THAT(why(world.run()), test::ContainsSubstring("holds linux/cpu-a too"));
  }
  SECTION("which is for its platform") {
    target.platforms = {world::platform("linux/cpu-a")};
    target.flatten = GENERATE(false, true);
    target.sources = {in_tmp(world.add_index("r.io/tmp", index_json(std::vector{typed}, {})))};
    const PublishResult result = world.run();
    INFO(why(result));
    CHECK(result.exit_code() == 0);
    CHECK(result.targets[0].platforms.size() == 1);
  }
  SECTION("beside which there is no other of its platform") {
    Descriptor other = image('c');
    other.platform = typed.platform;
    target.sources = {
        in_tmp(world.add_index("r.io/tmp", index_json(std::vector{typed, other}, {})))};
    CHECK_THAT(why(world.run()), test::ContainsSubstring("two sources are for linux/cpu-a"));
  }
}

TEST_CASE("What is no image is none of a platform that it names", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'b'}, {"f.io/r:1"});
  const Descriptor other = artifact('e', image('a').platform);
  const std::string index =
      world.add_index("r.io/tmp", index_json(std::vector{image('b'), other}, {}));
  SECTION("in a source") {
    target.sources = {in_tmp(index)};
    target.platforms = {world::platform("linux/cpu-a")};
    CHECK_THAT(why(world.run()), test::ContainsSubstring("incomplete: linux/cpu-a"));
  }
  SECTION("at a tag") {
    world.set_tag("f.io/r:1", world.add_index("f.io/r", world.manifests.at(index)));
    CHECK(why(world.run()).empty());
  }
}

TEST_CASE("Where dates decide, what is no image is not asked for one", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.only_newer = true;
  target.sources = {converted(world)};
  world.fault = [](const world::Words& argv) -> std::optional<world::Said> {
    const bool of_soci = argv[2] == "fetch-config" && argv.back().ends_with(World::digest('0'));
    if (!of_soci) return std::nullopt;
    return world::Said{.out = "{}"};
  };
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
}

TEST_CASE("A config without a platform is no matter where the index names it", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.only_newer = true;
  target.sources = {in_tmp(world.add_index("r.io/tmp", index_json(std::vector{image('a')}, {})))};
  world.fault = [](const world::Words& argv) -> std::optional<world::Said> {
    if (argv[2] != "fetch-config") return std::nullopt;
    return world::Said{.out = R"({"created":"2026-01-01T00:00:00Z"})"};
  };
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
}

TEST_CASE("What oras takes for no manifest of an image is looked for by itself", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.sources = {in_tmp(world.add_index(
      "r.io/tmp", index_json(std::vector{image('a'), artifact('e', std::nullopt)}, {})))};
  world.fault = [](const world::Words& argv) -> std::optional<world::Said> {
    if (argv[3] != "create" || argv.back().find(World::digest('e')) == std::string::npos) return {};
    return world::Said{1, "", "Error: " + World::digest('e') + " is not a manifest: denied\n"};
  };
  SECTION("when it is copied to where it is") {
    world.repositories["f.io/r"].shows[World::digest('e')] = world.start;
  }
  SECTION("when it is there") {
    REQUIRE(why(world.run()).empty());
  }
  SECTION("when it is gone") {
    REQUIRE(why(world.run()).empty());
    world.repositories["f.io/r"].shows.erase(World::digest('e'));
  }
  CHECK(why(world.run()).empty());
  CHECK(world.repositories["f.io/r"].shows.contains(World::digest('e')));
}

TEST_CASE("What an entry says besides is in the merged index too: where else it is, what is in it",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  Descriptor there = image('a');
  there.urls = {"https://mirror.example/a?b&c", "https://other.example/a"};
  there.data = "e30=";
  target.sources = {in_tmp(world.add_index("r.io/tmp", index_json(std::vector{there}, {}))),
                    in_tmp(World::digest('b'))};
  world.shows('b') = world.start;
  const PublishResult result = world.run();
  INFO(why(result));
  REQUIRE(result.exit_code() == 0);
  const std::vector<Descriptor> entries = published(world, "f.io/r:1");
  REQUIRE(entries.size() == 2);
  CHECK(entries.front().urls == there.urls);
  CHECK(entries.front().data == there.data);
}

TEST_CASE("Sources among which there is no image are not published, not even to staging",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.soci.enabled = GENERATE(false, true);
  target.allow_incomplete = GENERATE(false, true);
  // What oras says of a manifest: by its config, and by its own artifact type.
  const std::string is =
      GENERATE(R"("platform":{"architecture":"unknown","os":"unknown"})",
               R"("platform":{"architecture":"cpu-a","os":"linux"},"artifactType":"x/thing")");
  world.spoil = [&](const world::Words& argv, world::Said said) {
    const std::size_t platform = said.out.find(R"("platform")");
    const bool is_it = argv.back() == World::digest('a') && platform != std::string::npos;
    if (is_it) said.out.replace(platform, said.out.find('}', platform) + 1 - platform, is);
    return said;
  };
  SECTION("alone") {
    CHECK(world.run().exit_code() == 1);
    CHECK_THAT(why(world.run()), test::ContainsSubstring("no source is an image"));
    CHECK_THAT(why(world.run()), test::ContainsSubstring(World::digest('a')));
    CHECK(world.writes() == 0);
  }
  SECTION("with an image, they are") {
    target.sources.push_back(in_tmp(World::digest('b')));
    world.shows('b') = world.start;
    const PublishResult result = world.run();
    INFO(why(result));
    CHECK(result.exit_code() == 0);
    CHECK(result.targets[0].platforms.size() == 1);
  }
}
