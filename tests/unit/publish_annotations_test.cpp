// What an index says of itself and of its entries, from the sources and the plan to what is
// published.
#include "catch_shim.hpp"
#include "publish_images.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;

using test::ContainsSubstring;
using world::attestation;
using world::image;
using world::notes;
using world::why;
using world::World;

namespace {

constexpr const char* created = "org.opencontainers.image.created";

Source in_tmp(const std::string& digest) {
  return {{"r.io", "tmp", "", digest}, std::nullopt};
}

Annotations annotations_at(const World& world, const std::string& tag) {
  return parse_index(world.manifests.at(world.at(tag)))->annotations;
}

// What soci itself made, under the one tag of it in staging.
std::string made_by_soci(const World& world) {
  const auto& tags = world.repositories.at("r.io/tmp").tags;
  const auto tag = std::find_if(tags.begin(), tags.end(), [](const auto& entry) {
    return entry.first.find("-soci-") != std::string::npos;
  });
  return tag->second.digest;
}

}  // namespace

TEST_CASE("What soci makes of an index is published with what the index said", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'b'}, {"f.io/r:1", "r.io/tmp:1"});
  target.soci.enabled = true;
  target.annotations = {{"title", "one"}};
  Descriptor entry = image('a');
  entry.annotations = {{"base", "debian"}};
  target.sources.push_back(in_tmp(world.add_index("r.io/tmp", index_json(std::vector{entry}, {}))));
  const PublishResult result = world.run();
  INFO(why(result));
  REQUIRE(result.exit_code() == 0);
  CHECK(annotations_at(world, "f.io/r:1") == target.annotations);
  const std::vector<Descriptor> entries = world::published(world, "f.io/r:1");
  REQUIRE(entries.size() == 4);
  CHECK(std::count_if(entries.begin(), entries.end(), [&](const Descriptor& published) {
          return published.annotations == entry.annotations;
        }) == 1);
  SECTION("and found there by the next run") {
    world.log.clear();
    CHECK(world.run().exit_code() == 0);
    CHECK(world.writes() == 0);
    CHECK(world.count("convert") == 0);
  }
  SECTION("in place of what soci made, where that was published") {
    world.set_tag("f.io/r:1", made_by_soci(world));
    CHECK(world.run().exit_code() == 0);
    CHECK(annotations_at(world, "f.io/r:1") == target.annotations);
  }
}

TEST_CASE("Without annotations, what soci made is published as it is", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"}).soci.enabled = true;
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.at("f.io/r:1") == made_by_soci(world));
}

TEST_CASE("A tag with a SOCI image does not move back, by the date of its index", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.soci.enabled = target.only_newer = true;
  target.platforms = {world::platform("linux/cpu-a")};
  target.annotations = {{created, "2026-11-30T12:00:00Z"}};
  // Reproducible images.
  world.spoil = [](const world::Words& argv, world::Said said) {
    if (argv[2] == "fetch-config") said.out.insert(1, R"("created":"1980-01-01T00:00:00Z",)");
    return said;
  };
  REQUIRE(why(world.run()).empty());
  const std::string held = world.at("f.io/r:1");
  target.sources[0].reference.digest = "sha256:a" + std::string(63, 'c');
  world.repositories["r.io/tmp"].shows[target.sources[0].reference.digest] = world.start;
  target.annotations = {{created, "2026-11-29T12:00:00Z"}};
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
  CHECK(result.targets[0].tags[0].newer);
  CHECK(world.at("f.io/r:1") == held);
  CHECK_THAT(notes(result), ContainsSubstring("f.io/r:1 is left alone"));
}

TEST_CASE("A SOCI image of ours is not taken for something newer", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.soci.enabled = target.only_newer = true;
  target.platforms = {world::platform("linux/cpu-a")};
  target.annotations = {{created, "2026-11-30T10:00:00Z"}};  // of the commit
  world.spoil = [](const world::Words& argv, world::Said said) {
    if (argv[2] == "fetch-config") said.out.insert(1, R"("created":"2026-11-30T10:20:00Z",)");
    return said;
  };
  REQUIRE(why(world.run()).empty());
  const std::string held = world.at("f.io/r:1");
  const bool without_annotations = GENERATE(false, true);
  if (without_annotations) world.set_tag("f.io/r:1", made_by_soci(world));
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
  CHECK_FALSE(result.targets[0].tags[0].newer);
  CHECK(result.targets[0].tags[0].had_it == !without_annotations);
  CHECK(world.at("f.io/r:1") == held);
  CHECK_THAT(notes(result), !ContainsSubstring("left alone"));
}

TEST_CASE("A single index keeps its annotations where something is added or left out",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  const std::vector images = {image('a'), attestation('e', 'a')};
  target.sources = {in_tmp(world.add_index(
      "r.io/tmp", index_json(images, {{created, "2026-02-01T00:00:00Z"}, {"title", "its own"}})))};
  Annotations expected = {{created, "2026-02-01T00:00:00Z"}, {"title", "its own"}};
  SECTION("by the plan, whose word goes first") {
    target.annotations = {{"title", "the plan's"}, {"url", "https://example.org"}};
    expected = {
        {created, "2026-02-01T00:00:00Z"}, {"title", "the plan's"}, {"url", "https://example.org"}};
  }
  SECTION("of its attestations") {
    target.flatten = true;
  }
  SECTION("for soci") {
    target.soci.enabled = true;
  }
  SECTION("but not as one of several") {
    target.sources.push_back(in_tmp(World::digest('b')));
    world.shows('b') = world.start;
    expected = {};
  }
  const PublishResult result = world.run();
  INFO(why(result));
  REQUIRE(result.exit_code() == 0);
  CHECK(annotations_at(world, "f.io/r:1") == expected);
}

TEST_CASE("An index that keeps its date does not take a tag back", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.only_newer = true;
  target.platforms = {world::platform("linux/cpu-a")};
  target.annotations = {{"title", "one"}};
  const auto dated = [&](const char* date) {
    return in_tmp(
        world.add_index("r.io/tmp", index_json(std::vector{image('a')}, {{created, date}})));
  };
  target.sources = {dated("2026-02-02T00:00:00Z")};
  REQUIRE(why(world.run()).empty());
  const std::string held = world.at("f.io/r:1");
  target.sources = {dated("2026-02-01T00:00:00Z")};
  const PublishResult result = world.run();
  CHECK(result.targets[0].tags[0].newer);
  CHECK(world.at("f.io/r:1") == held);
}
