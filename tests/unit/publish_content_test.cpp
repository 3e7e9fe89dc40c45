// What is published: images and indexes as they are, put together, or converted, and in which order
// they come.
#include "catch_shim.hpp"
#include "publish_images.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

using test::ContainsSubstring;
using world::attestation;
using world::image;
using world::notes;
using world::published;
using world::Said;
using world::why;
using world::World;

TEST_CASE("No tag moves before all content is at all destinations", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1", "g.io/r:1", "g.io/r:2"});
  SECTION("one of them refuses an image") {
    world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
      if (argv[1] != "cp" || !argv.back().starts_with("g.io")) return std::nullopt;
      return Said{1, "", "Error from destination registry: denied\n"};
    };
  }
  SECTION("one of them refuses the index") {
    world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
      if (argv[2] != "push" || !argv[argv.size() - 2].starts_with("g.io")) return std::nullopt;
      return Said{1, "", "Error response from registry: denied\n"};
    };
  }
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK(world.at("f.io/r:1").empty());
  CHECK(world.at("g.io/r:1").empty());
}

TEST_CASE("Images and what attests them are merged, each with all that its descriptor said",
          "[publish]") {
  World world;
  world.add_target("one", {}, {"f.io/r:1"});
  Target& target = world.plan.targets[0];
  for (const auto& [of, by] : {std::pair('b', 'e'), std::pair('a', 'd')}) {
    const std::string json = index_json(std::vector{image(of), attestation(by, of)}, {});
    target.sources.push_back(
        {{"r.io", "tmp", "", world.add_index("r.io/tmp", json)}, std::nullopt});
  }
  SECTION("as they are") {
    REQUIRE(world.run().exit_code() == 0);
    const std::string expected = index_json(
        std::vector{image('a'), attestation('d', 'a'), image('b'), attestation('e', 'b')}, {});
    CHECK(world.manifests.at(world.at("f.io/r:1")) == expected);
    CHECK(world.repositories.at("f.io/r").shows.contains(World::digest('e')));
  }
  SECTION("without attestations, where the plan says so") {
    target.flatten = true;
    REQUIRE(world.run().exit_code() == 0);
    CHECK(published(world, "f.io/r:1").size() == 2);
  }
  SECTION("without attestations, where SOCI makes other images") {
    target.soci.enabled = true;
    const PublishResult result = world.run();
    INFO(why(result));
    REQUIRE(result.exit_code() == 0);
    CHECK(published(world, "f.io/r:1").size() == 4);
    CHECK_THAT(notes(result), ContainsSubstring("attestations are left out"));
  }
}

TEST_CASE("A single index with nothing to add is published as it is", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1", "g.io/r:1"});
  const std::string odd =
      index_json(std::vector{image('b'), attestation('d', 'b'), image('a')}, {{"k", "v"}});
  const std::string digest = world.add_index("r.io/tmp", odd);
  target.sources = {{{"r.io", "tmp", "", digest}, std::nullopt}};
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(result.targets[0].digest == digest);
  CHECK(world.at("f.io/r:1") == digest);
  CHECK(world.at("g.io/r:1") == digest);
  for (const char c : {'a', 'b', 'd'}) {
    CHECK(world.repositories.at("g.io/r").shows.contains(World::digest(c)));
  }
}

TEST_CASE("Each image of an index that is a source is asked when it was made", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  const std::string index = index_json(std::vector{image('a'), image('b'), image('c')}, {});
  target.sources = {{{"r.io", "tmp", "", world.add_index("r.io/tmp", index)}, std::nullopt}};
  target.only_newer = true;
  REQUIRE(world.run().exit_code() == 0);
  for (const char c : {'a', 'b', 'c'}) {
    CHECK(world.count("manifest fetch-config r.io/tmp@" + World::digest(c)) == 1);
  }
}

TEST_CASE("An index without images is not published", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.sources = {
      {{"r.io", "tmp", "",
        world.add_index("r.io/tmp", index_json(std::vector{attestation('d', 'a')}, {}))},
       std::nullopt}};
  CHECK_THAT(why(world.run()), ContainsSubstring("without an image of any platform"));
}

TEST_CASE("Sources may be in several repositories", "[publish]") {
  const bool soci = GENERATE(false, true);
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  world.repositories["q.io/other"].shows[World::digest('b')] = world.start;
  target.sources.push_back({{"q.io", "other", "", World::digest('b')}, std::nullopt});
  target.soci.enabled = soci;
  CHECK(world.run().exit_code() == 0);
  CHECK(published(world, "f.io/r:1").size() == (soci ? 4 : 2));
  CHECK(world.repositories.at("r.io/tmp").shows.contains(World::digest('b')) == soci);
}

TEST_CASE("An index in an index that soci cannot convert is told before anything is written",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  const std::string inner = world.add_index("r.io/tmp", index_json(std::vector{image('b')}, {}));
  const Descriptor entry = world::index_entry(world, inner);
  const std::string outer =
      world.add_index("r.io/tmp", index_json(std::vector{image('a'), entry}, {}));
  target.sources = {{{"r.io", "tmp", "", outer}, std::nullopt}};
  target.soci.enabled = true;
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring(inner + " is an index in an index"));
  CHECK(result.targets[0].failure->phase == Phase::preflight);
  CHECK(world.writes() == 0);
}

TEST_CASE("A second run of a target with SOCI writes nothing", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1", "g.io/r:1"}).soci.enabled = true;
  REQUIRE(world.run().exit_code() == 0);
  const std::string digest = world.at("f.io/r:1");
  world.log.clear();
  const PublishResult again = world.run();
  CHECK(again.exit_code() == 0);
  CHECK(again.targets[0].digest == digest);
  CHECK(world.writes() == 0);
}

TEST_CASE("What a tag lists is copied again where it is no longer there, though the tag has it",
          "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1", "f.io/r:2"});
  REQUIRE(world.run().exit_code() == 0);
  world.repositories["f.io/r"].shows.erase(World::digest('b'));  // cleaned up
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(world.repositories["f.io/r"].shows.contains(World::digest('b')));
  CHECK_THAT(notes(result), ContainsSubstring("not all that the tags in f.io/r list was there"));
}

TEST_CASE(
    "A registry that says it keeps an image and forgets it does not get a tag to it that is pulled",
    "[publish]") {
  World world;
  const std::vector<std::string> tags = {"f.io/r:1", "f.io/r:latest"};
  Target& target = world.add_target("one", {'a', 'b'}, tags);
  target.platforms = {parse_platform("linux/cpu-a").value(), parse_platform("linux/cpu-b").value()};
  world.set_tag("f.io/r:latest", World::digest('0'));  // not the first, which is the one looked at
  world.lag = [](const std::string& repository, const std::string& what) -> Duration {
    return repository == "f.io/r" && what == World::digest('b') ? Duration::max() / 4 : 0s;
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK(result.targets[0].failure->phase == Phase::copy);
  CHECK(world.at("f.io/r:latest") == World::digest('0'));
  CHECK(world.at("f.io/r:1").empty());
}

TEST_CASE("A tag that could not be read at first is asked again whether it is pulled",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest"});
  target.platforms = {world::platform("linux/cpu-a")};
  world.lag = [](const std::string& repository, const std::string& what) -> Duration {
    return repository == "f.io/r" && what == World::digest('a') ? 7s : 0s;
  };
  bool copied = false;
  world.fault = [&](const world::Words& argv) -> std::optional<Said> {
    copied = copied || argv[1] == "cp";
    const bool looks = argv[1] == "manifest" && argv.back() == "f.io/r:latest";
    if (!looks || copied) return std::nullopt;
    return Said{1, "", "Error response from registry: denied\n"};
  };
  const bool is_pulled = GENERATE(false, true);
  if (is_pulled) world.set_tag("f.io/r:latest", World::digest('0'));
  CHECK(world.run().exit_code() == 0);
  const auto move = std::find_if(world.times.begin(), world.times.end(), [](const auto& command) {
    return command.first.starts_with("manifest push");
  });
  REQUIRE(move != world.times.end());
  const TimePoint readable = world.repositories["f.io/r"].shows.at(World::digest('a'));
  CHECK((move->second >= readable) == is_pulled);
}

TEST_CASE("A tag that is pulled moves when all that it will list can be read", "[publish]") {
  World world;
  SECTION("where its turn has come") {}
  SECTION("where it comes later") {
    world.add_target("first", {'c'}, {"f.io/r:first"});
    world.shows('c') = world.start + 3s;
  }
  Target& target = world.add_target("one", {'a', 'b'}, {"f.io/r:latest"});
  if (GENERATE(false, true))
    target.platforms = {world::platform("linux/cpu-a"), world::platform("linux/cpu-b")};
  world.set_tag("f.io/r:latest",
                world.add_index("f.io/r", index_json(std::vector{image('a')}, {})));
  world.lag = [](const std::string& repository, const std::string& what) -> Duration {
    return repository == "f.io/r" && what == World::digest('b') ? 7s : 0s;
  };
  CHECK(world.run().exit_code() == 0);
  const TimePoint readable = world.repositories["f.io/r"].shows.at(World::digest('b'));
  const auto move = std::find_if(world.times.begin(), world.times.end(), [](const auto& command) {
    return command.first.starts_with("manifest push") &&
           command.first.find(":latest") != std::string::npos;
  });
  REQUIRE(move != world.times.end());
  CHECK(move->second >= readable);
  CHECK(move->second < readable + 2s);
}

TEST_CASE("A manifest that an index lists for two platforms is published for both", "[publish]") {
  World world;
  world.add_target("one", {}, {"f.io/r:1"});
  Target& target = world.plan.targets[0];
  Descriptor other = image('a');
  other.platform = image('b').platform;
  const std::string json = index_json(std::vector{other, image('a')}, {});
  const std::string source = world.add_index("r.io/tmp", json);
  target.sources = {{{"r.io", "tmp", "", source}, std::nullopt}};
  SECTION("the index as it is") {
    REQUIRE(world.run().exit_code() == 0);
    CHECK(world.at("f.io/r:1") == source);
  }
  SECTION("with an annotation") {
    target.annotations = {{"k", "v"}};
    REQUIRE(world.run().exit_code() == 0);
    REQUIRE(published(world, "f.io/r:1").size() == 2);
    CHECK(published(world, "f.io/r:1")[1].platform == other.platform);
  }
}

TEST_CASE("An index that lists an entry twice is published as it is where nothing is added",
          "[publish]") {
  World world;
  world.add_target("one", {}, {"f.io/r:1"});
  const std::string json = index_json(std::vector{image('a'), image('a')}, {});
  const std::string source = world.add_index("r.io/tmp", json);
  world.plan.targets[0].sources = {{{"r.io", "tmp", "", source}, std::nullopt}};
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.at("f.io/r:1") == source);
}

TEST_CASE("An image of an index in the index is copied again where it is gone", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  const std::string inner = world.add_index("r.io/tmp", index_json(std::vector{image('b')}, {}));
  const Descriptor entry = world::index_entry(world, inner);
  const std::string index =
      world.add_index("r.io/tmp", index_json(std::vector{image('a'), entry}, {}));
  target.sources = {{{"r.io", "tmp", "", index}, std::nullopt}};
  REQUIRE(world.run().exit_code() == 0);
  const auto& there = world.repositories["f.io/r"].shows;
  CHECK(there.contains(World::digest('b')));
  SECTION("below a tag that has it already") {}
  SECTION("below a tag that is new") {
    target.tags.push_back(parse_reference("f.io/r:2").value());
  }
  world.repositories["f.io/r"].shows.erase(World::digest('b'));
  CHECK(world.run().exit_code() == 0);
  CHECK(there.contains(World::digest('b')));
}

TEST_CASE("What cannot be brought back below a tag fails its target", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  REQUIRE(world.run().exit_code() == 0);
  SECTION("that has it already") {}
  SECTION("that is new") {
    target.tags = {parse_reference("f.io/r:2").value()};
  }
  // The manifest is there, its config is not, and oras copies nothing.
  world.fault = [](const world::Words& argv) -> std::optional<Said> {
    const bool reads = argv[1] == "manifest" && argv[3] == "create" &&
                       std::find(argv.begin(), argv.end(), "f.io/r") != argv.end() &&
                       std::find(argv.begin(), argv.end(), World::digest('b')) != argv.end();
    return reads ? std::optional(World::not_found(World::digest('c'))) : std::nullopt;
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("is there, but not all that it needs"));
  CHECK(world.at("f.io/r:2").empty());
  CHECK(world.elapsed() < 10min);
}

TEST_CASE("Every target is asked for the config of an image that it did not copy itself",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.add_target("two", {'a'}, {"f.io/r:2"});
  world.add_target("three", {'b'}, {"f.io/r:3"});
  world.repositories["f.io/r"].shows[World::digest('a')] = world.start;
  world.repositories["f.io/r"].without_config.insert(World::digest('a'));
  const PublishResult result = world.run();
  for (const std::size_t target : {0, 1}) {
    CHECK_THAT(why(result, target), ContainsSubstring("is there, but not all that it needs"));
  }
  CHECK(world.at("f.io/r:1").empty());
  CHECK(world.at("f.io/r:2").empty());
  CHECK(world.at("f.io/r:3") == result.targets[2].digest);
}

TEST_CASE("SOCI content that is gone from staging is made again", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a', 'b'}, {"r.io/tmp:1", "f.io/r:1"});
  target.soci.enabled = true;
  REQUIRE(world.run().exit_code() == 0);
  const auto made = published(world, "r.io/tmp:1");
  REQUIRE(made.size() == 4);
  const std::size_t gone =
      GENERATE(std::size_t{0}, std::size_t{1});  // an image, and its SOCI index
  world.repositories["r.io/tmp"].shows.erase(made[gone].digest);
  world.repositories["f.io/r"].shows.erase(made[gone].digest);
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
  CHECK(world.repositories["r.io/tmp"].shows.contains(made[gone].digest));
  CHECK(world.repositories["f.io/r"].shows.contains(made[gone].digest));
}

TEST_CASE("What is gone from below the index in staging is copied there again", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  target.soci.enabled = true;
  target.staging = {"s.io", "stage", "", ""};
  REQUIRE(world.run().exit_code() == 0);
  const std::string published = world.at("f.io/r:1");
  world::Repository& staging = world.repositories["s.io/stage"];
  SECTION("though what soci made is there") {
    staging.shows.erase(World::digest('b'));
  }
  SECTION("with what soci made") {
    std::erase_if(staging.shows,
                  [&](const auto& shown) { return !world.manifests.contains(shown.first); });
  }
  const TimePoint began = world.now;
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
  CHECK(world.now - began < 1min);
  CHECK(staging.shows.contains(World::digest('b')));
  CHECK(world.at("f.io/r:1") == published);
  CHECK_THAT(notes(result), ContainsSubstring("not all that the index in staging lists was there"));
}

TEST_CASE("A failure knows whether its command named files that are gone after the run",
          "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"}).soci.enabled = true;
  const auto fails_at = [&](const std::string& word) {
    world.fault = [word](const world::Words& argv) -> std::optional<world::Said> {
      const auto is_it = [&](const std::string& given) { return given.starts_with(word); };
      if (std::none_of(argv.begin(), argv.end(), is_it)) return std::nullopt;
      return world::Said{1, "", "denied: no\n"};
    };
    const PublishResult result = world.run();
    REQUIRE(result.targets[0].failure);
    return *result.targets[0].failure;
  };
  CHECK(fails_at("--to-oci-layout").needs_scratch);
  CHECK(fails_at("convert").needs_scratch);
  CHECK(fails_at("--from-oci-layout").needs_scratch);
  world.plan.targets[0].soci.enabled = false;
  CHECK_FALSE(fails_at("cp").needs_scratch);
  const publish::TargetFailure push = fails_at("push");
  CHECK_FALSE(push.needs_scratch);
  CHECK_FALSE(push.manifest.empty());
}
