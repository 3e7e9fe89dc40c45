// Complete, or not at all: what must be there, and what a tag would lose.
#include "catch_shim.hpp"
#include "publish_images.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

using test::ContainsSubstring;
using world::image;
using world::image_type;
using world::notes;
using world::platform;
using world::published;
using world::Said;
using world::why;
using world::World;

TEST_CASE("A platform that must be there and is not fails its target before anything is written",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest"});
  target.platforms = {platform("linux/cpu-a"), platform("linux/cpu-b")};
  target.looked_in = "the metadata file m.json";
  world.add_target("two", {'c'}, {"f.io/r:2"});
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("linux/cpu-b is not among the sources"));
  CHECK_THAT(why(result), ContainsSubstring("m.json"));
  CHECK(result.targets[0].failure->phase == Phase::preflight);
  CHECK(world.at("f.io/r:latest").empty());
  CHECK(std::none_of(world.log.begin(), world.log.end(), [](const std::string& line) {
    return line.starts_with("cp") && line.find(World::digest('a')) != std::string::npos;
  }));
  CHECK_FALSE(result.targets[1].failure);
}

TEST_CASE("What metadata tells to be missing is told without waiting for the rest", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest"});
  target.sources[0].platform = platform("linux/cpu-a");
  target.platforms = {platform("linux/cpu-a"), platform("linux/cpu-b")};
  world.shows('a') = TimePoint::max();
  CHECK(world.run().exit_code() == 1);
  CHECK(world.elapsed() < 1s);
}

TEST_CASE(
    "Where metadata tells all platforms, a target is published, and what it lacks is told once",
    "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest"});
  target.sources[0].platform = platform("linux/cpu-a");
  target.platforms = {platform("linux/cpu-a")};
  std::string lacks;
  SECTION("where none is missing") {}
  SECTION("where that is allowed") {
    target.platforms.push_back(platform("linux/cpu-b"));
    target.allow_incomplete = true;
    lacks = "incomplete, which is allowed: linux/cpu-b is not among the sources in the plan";
  }
  const PublishResult result = world.run();
  CHECK(why(result).empty());
  CHECK(result.targets[0].phases[0].note == lacks);
}

TEST_CASE("A target of which nothing was found fails by name, or is left out where that is allowed",
          "[publish]") {
  World world;
  world.add_target("one", {}, {"f.io/r:latest"}).looked_in = "the metadata file m.json";
  CHECK_THAT(why(world.run()), ContainsSubstring("no source of it was found in the metadata file"));
  world.plan.targets[0].allow_incomplete = true;
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(result.targets[0].left_out);
  CHECK_THAT(notes(result), ContainsSubstring("incomplete, which is allowed"));
  CHECK(world.writes() == 0);
}

TEST_CASE("An input without a source fails its target, or is reported where that is allowed",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest"});
  target.remarks = {"b.json has no source of it"};
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK(why(result) == "incomplete: b.json has no source of it");
  CHECK(world.writes() == 0);
  target.allow_incomplete = true;
  const PublishResult again = world.run();
  CHECK(again.exit_code() == 0);
  CHECK_THAT(notes(again), ContainsSubstring("b.json has no source of it"));
}

TEST_CASE("An input that is half written fails its target, whatever is allowed", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest"});
  target.broken = {"b.json: not valid JSON: incomplete JSON"};
  target.allow_incomplete = true;
  for (const auto& sources : {target.sources, {}}) {
    target.sources = sources;
    const PublishResult result = world.run();
    CHECK(result.exit_code() == 1);
    CHECK(why(result) == "b.json: not valid JSON: incomplete JSON");
    CHECK(world.writes() == 0);
  }
}

TEST_CASE("An incomplete target is published where that is allowed, and says so", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest"});
  target.platforms = {platform("linux/cpu-a"), platform("linux/cpu-b")};
  target.allow_incomplete = true;
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK_THAT(notes(result), ContainsSubstring("linux/cpu-b"));
  CHECK(published(world, "f.io/r:latest").size() == 1);
}

TEST_CASE("A written source that is not there is left out where that is allowed", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a', 'b'}, {"f.io/r:latest"});
  world.set_tag("f.io/r:latest", World::digest('a'));
  world.shows('b') = TimePoint::max();
  SECTION("and fails its target where it is not") {
    CHECK(world.run().exit_code() == 1);
    CHECK(world.writes() == 0);
  }
  SECTION("with the platforms told") {
    target.allow_incomplete = true;
    target.platforms = {platform("linux/cpu-a"), platform("linux/cpu-b")};
    const PublishResult result = world.run();
    INFO(why(result));
    CHECK(result.exit_code() == 0);
    CHECK_THAT(notes(result), ContainsSubstring(World::digest('b') + " is not there"));
    CHECK(published(world, "f.io/r:latest").size() == 1);
  }
  SECTION("also where its config alone is missing, which is said") {
    target.allow_incomplete = true;
    target.platforms = {platform("linux/cpu-a"), platform("linux/cpu-b")};
    world.shows('b') = TimePoint{};
    world.fault = [](const world::Words& argv) -> std::optional<Said> {
      if (argv[3] != "create" || argv.back() != World::digest('b')) return std::nullopt;
      return World::not_found(World::digest('c'));
    };
    const PublishResult result = world.run();
    CHECK(result.exit_code() == 0);
    CHECK_THAT(notes(result),
               ContainsSubstring("source r.io/tmp@" + World::digest('b') + " needs " +
                                 World::digest('c') + ", its config, which is not there"));
  }
  SECTION("where nothing says whether it is its config") {
    target.allow_incomplete = true;
    target.platforms = {platform("linux/cpu-a"), platform("linux/cpu-b")};
    world.fault = [](const world::Words& argv) -> std::optional<Said> {
      if (argv[3] != "create" || argv.back() != World::digest('b')) return std::nullopt;
      return Said{1, "", "Error response from registry: not found\n"};
    };
    CHECK_THAT(notes(world.run()),
               ContainsSubstring(World::digest('b') + ", or its config, is not there"));
  }
  SECTION("without them, and what the tag holds is read") {
    target.allow_incomplete = true;
    CHECK(world.run().exit_code() == 0);
    CHECK(published(world, "f.io/r:latest").size() == 1);
  }
  SECTION("and the target too, where none is left") {
    target.allow_incomplete = true;
    world.shows('a') = TimePoint::max();
    const PublishResult result = world.run();
    CHECK(result.exit_code() == 0);
    CHECK(result.targets[0].left_out);
    CHECK(world.writes() == 0);
  }
}

TEST_CASE("A tag does not lose a platform that nothing says is no longer meant", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest", "f.io/r:1"});
  SECTION("held in an index") {
    world.set_tag("f.io/r:latest",
                  world.add_index("f.io/r", index_json(std::vector{image('a'), image('b')}, {})));
  }
  SECTION("held as an image") {
    world.set_tag("f.io/r:latest", World::digest('b'));
  }
  const std::string before = world.at("f.io/r:latest");
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("f.io/r:latest holds linux/cpu-b too"));
  CHECK_THAT(why(result), ContainsSubstring("'platforms'"));
  CHECK(world.at("f.io/r:latest") == before);
  CHECK(world.at("f.io/r:1").empty());
  CHECK(world.writes() == 0);
  target.platforms = {platform("linux/cpu-a")};
  CHECK(world.run().exit_code() == 0);
  CHECK(published(world, "f.io/r:latest").size() == 1);
}

TEST_CASE("An update of Windows is not another platform that a tag would lose, a version is",
          "[publish]") {
  const auto windows = [](char c, const std::string& version) {
    return Descriptor{image_type, World::digest(c), World::image_size,
                      Platform{.os = "windows", .architecture = "amd64", .os_version = version}};
  };
  World world;
  world.add_target("one", {}, {"f.io/r:1"});
  world.plan.targets[0].sources = {
      {{"r.io", "tmp", "",
        world.add_index("r.io/tmp", index_json(std::vector{windows('a', "10.0.17763.9"),
                                                           windows('b', "10.0.20348.9")},
                                               {}))},
       std::nullopt}};
  world.set_tag(
      "f.io/r:1",
      world.add_index(
          "f.io/r",
          index_json(std::vector{windows('c', "10.0.17763.1"), windows('d', "10.0.20348.1")}, {})));
  CHECK(world.run().exit_code() == 0);
  // Both are there: they differ by their versions alone.
  CHECK(published(world, "f.io/r:1").size() == 2);
  world.plan.targets[0].sources[0].reference.digest =
      world.add_index("r.io/tmp", index_json(std::vector{windows('a', "10.0.20348.10")}, {}));
  CHECK_THAT(why(world.run()), ContainsSubstring("windows(10.0.17763)/amd64"));
  // As it names them, a plan can.
  world.plan.targets[0].platforms = {platform("windows(10.0.20348)/amd64")};
  CHECK(why(world.run()).empty());
  world.plan.targets[0].platforms = {platform("windows(10.0.20348.9)/amd64")};
  CHECK_THAT(why(world.run()), ContainsSubstring("(10.0.20348.9)/amd64 is not among the sources"));
}

TEST_CASE("A tag that cannot be read is not taken for one that holds nothing", "[publish]") {
  const std::string said =
      GENERATE("denied", "toomanyrequests", "400: Bad Request", "500: Internal Server Error");
  const bool of_config = GENERATE(false, true);
  CAPTURE(said, of_config);
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:latest"});
  world.set_tag("f.io/r:latest", World::digest('b'));
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    const bool is_it =
        argv.back() == "f.io/r:latest" || argv.back() == "f.io/r@" + World::digest('b');
    if (!is_it || (argv[2] == "fetch-config") != of_config) return std::nullopt;
    if (world.at("f.io/r:latest") != World::digest('b')) return std::nullopt;
    return Said{1, "", "Error response from registry: " + said + "\n"};
  };
  SECTION("where nothing else says which platforms are meant") {
    const PublishResult result = world.run();
    CHECK(result.exit_code() == 1);
    CHECK_THAT(why(result), ContainsSubstring("tag f.io/r:latest could not be read"));
    CHECK_THAT(why(result), ContainsSubstring("'platforms'"));
    CHECK_THAT(why(result), ContainsSubstring(said));
    CHECK(world.writes() == 0);
  }
  SECTION("where it must not move back") {
    target.only_newer = true;
    target.platforms = {platform("linux/cpu-a")};
    target.annotations = {{"org.opencontainers.image.created", "2026-01-01T00:00:00Z"}};
    const PublishResult result = world.run();
    CHECK(result.exit_code() == 1);
    CHECK_THAT(why(result), ContainsSubstring("tag f.io/r:latest could not be read"));
    CHECK(world.writes() == 0);
  }
  SECTION("but the platforms are known") {
    target.platforms = {platform("linux/cpu-a")};
    CHECK(world.run().exit_code() == 0);
    CHECK(published(world, "f.io/r:latest").size() == 1);
  }
  SECTION("but it may be incomplete") {
    target.allow_incomplete = true;
    const PublishResult result = world.run();
    CHECK(result.exit_code() == 0);
    CHECK_THAT(notes(result), ContainsSubstring("tag f.io/r:latest could not be read"));
  }
}

TEST_CASE("A tag does not lose an image whose entry in an index names no platform", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:latest"});
  Descriptor nameless{"application/vnd.oci.image.manifest.v1+json", World::digest('b'),
                      World::image_size, std::nullopt};
  world.set_tag("f.io/r:latest", world.add_index("f.io/r", index_json(std::vector{nameless}, {})));
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("tag f.io/r:latest holds linux/cpu-b too"));
}

TEST_CASE("A tag does not lose an image whose config lags; one without a config protects nothing",
          "[publish]") {
  const bool comes = GENERATE(false, true);
  World world;
  world.add_target("one", {'a'}, {"f.io/r:latest"});
  world.set_tag("f.io/r:latest", World::digest('b'));
  world.fault = [&, comes](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[2] != "fetch-config" || (comes && world.elapsed() > 20s)) return std::nullopt;
    return World::not_found(argv.back());
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == (comes ? 1 : 0));
  if (comes) CHECK_THAT(why(result), ContainsSubstring("holds linux/cpu-b too"));
  if (!comes) CHECK_THAT(notes(result), ContainsSubstring("is not there"));
}

TEST_CASE("A throttled look at a tag is tried again for as long as there is time", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  unsigned looks = 0;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv.back() != "f.io/r:1" || ++looks > 12) return std::nullopt;
    return Said{1, "", "Error response from registry: toomanyrequests\n"};
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(looks > 12);
}

TEST_CASE("A platform that a tag holds in an index of its index is not lost", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  const std::string inner = world.add_index("f.io/r", index_json(std::vector{image('b')}, {}));
  const Descriptor nested{.media_type = std::string(oci_index), .digest = inner, .size = 10};
  const std::string held =
      world.add_index("f.io/r", index_json(std::vector{image('a'), nested}, {}));
  world.set_tag("f.io/r:1", held);
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("holds linux/cpu-b too"));
  CHECK(world.at("f.io/r:1") == held);
}

TEST_CASE(
    "A platform that a tag holds deeper in its index is not lost, nor one that an entry does not "
    "name",
    "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  Descriptor arm = image('b');
  SECTION("named there") {}
  SECTION("named by its config alone") {
    arm.platform.reset();
  }
  std::string held = world.add_index("f.io/r", index_json(std::vector{arm}, {}));
  for (int depth = 0; depth < 2; ++depth) {
    const Descriptor inner = world::index_entry(world, held);
    held = world.add_index("f.io/r", index_json(std::vector{image('a'), inner}, {}));
  }
  world.set_tag("f.io/r:1", held);
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("holds linux/cpu-b too"));
  CHECK(world.at("f.io/r:1") == held);
}

TEST_CASE("A tag that cannot be read holds nothing up where incompleteness is allowed",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"}).allow_incomplete = true;
  world.plan.phases[Phase::preflight].deadline = 5s;
  const bool from_the_start = GENERATE(true, false);
  bool was_copied = from_the_start;
  world.fault = [&](const world::Words& argv) -> std::optional<Said> {
    was_copied = was_copied || argv[1] == "cp";
    const bool looks = argv[1] == "manifest" && argv[2] == "fetch" && argv.back() == "f.io/r:1";
    if (!looks || !was_copied || world.now > world.start + 3min || world.moves > 0)
      return std::nullopt;
    return Said{1, "",
                "Error response from registry: failed to fetch: response status code 500: Internal "
                "Server Error"};
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.elapsed() < 60s);
}

TEST_CASE("An image whose size cannot be read is not converted, which is told", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  target.soci.enabled = true;
  target.platforms = {platform("linux/cpu-a"), platform("linux/cpu-b")};
  bool stages = false;
  world.fault = [&](const world::Words& argv) -> std::optional<world::Said> {
    const auto has = [&](std::string_view word) {
      return std::find(argv.begin(), argv.end(), word) != argv.end();
    };
    stages = stages || has("push") || has("index");
    CHECK_FALSE(has("convert"));
    if (!stages || !has("fetch") || has("--descriptor")) return std::nullopt;
    return world::Said{1, "", "denied: no\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), test::StartsWith("manifest r.io/tmp@"));
  CHECK_THAT(why(result), ContainsSubstring("could not be read"));
}
