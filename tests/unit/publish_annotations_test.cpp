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
