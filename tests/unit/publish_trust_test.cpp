// What registries say is not taken on trust.
#include "catch_shim.hpp"
#include "publish/oci/index.hpp"
#include "publish/oci/sha256.hpp"
#include "publish_world.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;

using test::ContainsSubstring;
using world::Said;
using world::World;

namespace {

// An index of simulated images, or what soci makes of them.
std::string index_of(const std::string& letters, bool converted = false) {
  std::vector<Descriptor> images;
  for (const char c : letters) {
    images.push_back({"application/vnd.oci.image.manifest.v1+json", World::digest(c),
                      World::image_size,
                      Platform{.os = "linux", .architecture = std::string("cpu-") + c}});
  }
  if (converted) {
    images.push_back(images.front());
    images.back().artifact_type = "application/vnd.amazon.soci.index.v2+json";
  }
  return index_json(images, {});
}

std::string why(const PublishResult& result) {
  return result.targets[0].failure ? result.targets[0].failure->what : "";
}

}  // namespace

TEST_CASE(
    "What stands at the tag of a SOCI image and is not made of just our images is not published",
    "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"}).soci.enabled = true;
  REQUIRE(world.run().exit_code() == 0);
  const std::string whole = world.at("f.io/r:1");
  std::string other = index_of("ab", true);  // of other images, for the same platforms
  for (const char c : {'a', 'b'}) {
    other.replace(other.find(World::digest(c)), World::digest(c).size(),
                  World::digest(c == 'a' ? 'c' : 'd'));
  }
  const std::string put = GENERATE_COPY(index_of("a", true), index_of("abc", true), other);
  INFO(put);
  const auto held = world.repositories["r.io/tmp"].tags;
  for (const auto& [tag, ours] : held) {
    if (tag.find("-soci-") == std::string::npos) continue;
    world.set_tag("r.io/tmp:" + tag, world.add_index("r.io/tmp", put));
  }
  CHECK(world.run().exit_code() == 0);
  CHECK(world.at("f.io/r:1") == whole);
  CHECK(world.count("convert") == 2);
}

TEST_CASE("A SOCI image that is there already is taken, and made again where a part of it is gone",
          "[publish]") {
  const bool gone = GENERATE(false, true);
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"}).soci.enabled = true;
  REQUIRE(world.run().exit_code() == 0);
  const std::string whole = world.at("f.io/r:1");
  REQUIRE(world.converted.size() == 2);
  if (gone) world.repositories["r.io/tmp"].shows.erase(world.converted.begin()->first);
  CHECK(world.run().exit_code() == 0);
  CHECK(world.at("f.io/r:1") == whole);
  CHECK(world.count("convert") == (gone ? 2 : 1));
}

TEST_CASE("A conversion that leaves an image out is not published", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"}).soci.enabled = true;
  world.spoil = [](const world::Words& argv, Said said) {
    if (argv[1] != "convert") return said;
    const std::string digest = digest_of(index_of("a", true));
    std::ofstream(argv.back() + "/blobs/sha256/" + digest.substr(7)) << index_of("a", true);
    std::ofstream(argv.back() + "/index.json") << index_json(
        std::vector{Descriptor{.media_type = std::string(oci_index), .digest = digest}}, {});
    return said;
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("soci has left out linux/cpu-b"));
  CHECK(world.at("f.io/r:1").empty());
}

TEST_CASE("An index that is not the one that was asked for is not published", "[publish]") {
  World world;
  world.add_target("one", {}, {"f.io/r:1"});
  const std::string digest = world.add_index("r.io/tmp", index_of("ab"));
  world.plan.targets[0].sources.push_back({{"r.io", "tmp", "", digest}, std::nullopt});
  world.spoil = [](const world::Words& argv, Said said) {
    if (argv[2] == "fetch" && said.code == 0) said.out = index_of("a");
    return said;
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("is not it: it has sha256:"));
  CHECK(world.writes() == 0);
}

TEST_CASE("A tag is verified by what is pulled from it, whatever its headers say", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  world.plan.phases[Phase::verify].deadline = std::chrono::minutes(1);
  world.set_tag("f.io/r:1", world.add_index("f.io/r", index_of("a")));
  world.lag = [](const std::string&, const std::string& what) {
    return what.starts_with("tag") ? std::chrono::hours(100) : std::chrono::hours(0);
  };
  world.spoil = [&](const world::Words& argv, Said said) {
    const bool head = std::find(argv.begin(), argv.end(), "--descriptor") != argv.end();
    if (head && argv.back() == "f.io/r:1") {
      said = {0,
              "{\"mediaType\":\"" + std::string(oci_index) + "\",\"digest\":\"" +
                  world.at("f.io/r:1") + "\",\"size\":10}",
              ""};
    }
    return said;
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("is stale"));
  CHECK(result.targets[0].tags[0].copied);
  CHECK_FALSE(result.targets[0].tags[0].verified);
}

TEST_CASE("A tag that read as ours at first and holds something else is moved", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2", "g.io/r:1"});
  bool fails = false;
  SECTION("where all tags are looked at") {}
  SECTION("where the first tells enough of the others") {
    target.platforms = {parse_platform("linux/cpu-a").value()};
  }
  SECTION("unless it would lose a platform") {
    fails = true;
  }
  REQUIRE(world.run().exit_code() == 0);
  const std::string ours = world.at("f.io/r:2");
  const std::string other = world.add_index("f.io/r", index_of(fails ? "ab" : "a") + "\n");
  world.repositories["f.io/r"].tags["2"] = {other, ours, TimePoint::max()};
  world.spoil = [&](const world::Words& argv, Said said) {
    const bool reads = argv.back() == "f.io/r:2" || (argv[3] == "create" && argv.back() == "2");
    if (reads) world.repositories["f.io/r"].tags["2"].shows = world.now;
    return said;
  };
  world.log.clear();
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(world.count("manifest push") == (fails ? 0 : 1));
  CHECK(world.at("f.io/r:2") == (fails ? other : ours));
  CHECK(result.exit_code() == (fails ? 1 : 0));
  const std::vector<TagResult>& tags = result.targets[0].tags;
  CHECK(tags[0].had_it);
  CHECK(tags[0].verified);
  CHECK_FALSE(tags[1].had_it);
  CHECK(tags[1].copied != fails);
  CHECK(tags[1].verified != fails);
  if (fails) CHECK_THAT(why(result), ContainsSubstring("holds linux/cpu-b too"));
}

TEST_CASE("A tag that had it and cannot be read again is not said to be verified", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2"});
  REQUIRE(world.run().exit_code() == 0);
  world.log.clear();
  unsigned reads = 0;
  world.fault = [&](const world::Words& argv) -> std::optional<Said> {
    const bool reads_it = argv.back() == "f.io/r:2" || (argv[3] == "create" && argv.back() == "2");
    if (!reads_it || ++reads == 1) return std::nullopt;
    return Said{1, "", "Error response from registry: denied\n"};
  };
  const PublishResult result = world.run();
  CHECK_THAT(why(result), ContainsSubstring("tag f.io/r:2 is not verified: "));
  CHECK(world.writes() == 0);  // nor is it moved, whatever it holds
  CHECK(result.targets[0].tags[0].verified);
  CHECK_FALSE(result.targets[0].tags[1].verified);
}

TEST_CASE("Where dates decide, the config of each image of an index is read by its own digest",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.only_newer = true;
  target.sources.push_back(
      {{"r.io", "tmp", "", world.add_index("r.io/tmp", index_of("abcd"))}, std::nullopt});
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
  for (const char c : {'a', 'b', 'c', 'd'}) {
    CHECK(std::any_of(world.log.begin(), world.log.end(), [&](const std::string& line) {
      return line.find("fetch-config") != std::string::npos &&
             line.find("r.io/tmp@" + World::digest(c)) != std::string::npos;
    }));
  }
}

TEST_CASE("What may not be read is not told to be incomplete", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  REQUIRE(world.run().exit_code() == 0);
  SECTION("at a tag that has it already") {}
  SECTION("at a new tag") {
    target.tags = {parse_reference("f.io/r:2").value()};
  }
  world.fault = [](const world::Words& argv) -> std::optional<Said> {
    const bool reads = argv[1] == "manifest" && argv[3] == "create" &&
                       std::find(argv.begin(), argv.end(), "f.io/r") != argv.end() &&
                       std::find(argv.begin(), argv.end(), World::digest('b')) != argv.end();
    if (!reads) return std::nullopt;
    return Said{.code = 1, .err = "Error response from registry: denied: not you\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("could not be read"));
  CHECK_THAT(why(result), !ContainsSubstring("is deleted"));
}

TEST_CASE("A copy that succeeded without copying is told as that", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  world.fault = [](const world::Words& argv) -> std::optional<Said> {
    return argv[1] == "cp" ? std::optional(Said{}) : std::nullopt;
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("is not there, although the copy succeeded"));
}
