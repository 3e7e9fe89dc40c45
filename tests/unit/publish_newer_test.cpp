// Of several images the newer one: at a tag with only-newer, and among the sources.
#include "catch_shim.hpp"
#include "publish/oci/date.hpp"
#include "publish_images.hpp"

#include <map>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;

using test::ContainsSubstring;
using world::image;
using world::notes;
using world::platform;
using world::published;
using world::Said;
using world::why;
using world::World;

namespace {

// Configs that say when their images were made: by the letter of the image.
void set_dates(World& world, const std::map<char, std::string>& dates) {
  world.spoil = [dates](const world::Words& argv, Said said) {
    if (argv[2] != "fetch-config" || said.code != 0) return said;
    const char processor = said.out.at(said.out.find("cpu-") + 4);
    const auto date = dates.find(processor);
    if (date != dates.end()) said.out.insert(1, "\"created\":\"" + date->second + "\",");
    return said;
  };
}

// Our image 'a' is newer than what "f.io/r:latest" holds, and older than 'c', which another run may
// put there.
void add_target_with_rival(World& world, const world::Words& tags) {
  Target& target = world.add_target("one", {'a'}, tags);
  target.only_newer = true;
  target.platforms = {platform("linux/cpu-a")};
  world.set_tag("f.io/r:latest", World::digest('b'));
  set_dates(world, {{'a', "2024-03-01T00:00:00Z"},
                    {'b', "2024-01-01T00:00:00Z"},
                    {'c', "2024-06-01T00:00:00Z"}});
}

}  // namespace

TEST_CASE("A tag does not move back because the date of what it holds is not known", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest"});
  target.only_newer = true;
  target.platforms = {platform("linux/cpu-a")};
  target.annotations = {{"org.opencontainers.image.created", "2026-01-01T00:00:00Z"}};
  world.set_tag("f.io/r:latest", World::digest('b'));
  SECTION("its config says none") {}
  SECTION("its config is not there") {
    world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
      if (argv.back() != "f.io/r:latest" || argv[2] != "fetch-config") return std::nullopt;
      return World::not_found(World::digest('c'));
    };
  }
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("does not say when it was created"));
  CHECK(world.at("f.io/r:latest") == World::digest('b'));
  CHECK(world.writes() == 0);
}

TEST_CASE("A tag that holds something newer is left alone where the plan says so", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:latest", "f.io/r:1"});
  target.annotations = {{"org.opencontainers.image.created", "2026-01-01T00:00:00Z"}};
  const auto held = [&](const std::string& date) {
    world.set_tag(
        "f.io/r:latest",
        world.add_index("f.io/r", index_json(std::vector{image('a')},
                                             {{"org.opencontainers.image.created", date}})));
  };
  held("2026-01-02T00:00:00Z");
  const std::string newer = world.at("f.io/r:latest");
  target.only_newer = true;
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(world.at("f.io/r:latest") == newer);
  CHECK(result.targets[0].tags[0].newer);
  CHECK(world.at("f.io/r:1") == result.targets[0].digest);
  CHECK_THAT(notes(result), ContainsSubstring("f.io/r:latest is left alone"));
  held("2025-01-02T00:00:00Z");
  const PublishResult again = world.run();
  CHECK(world.at("f.io/r:latest") == again.targets[0].digest);
}

TEST_CASE("Of a tag's images, too, the newest says how old it is", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"}).only_newer = true;
  const std::string held =
      world.add_index("f.io/r", index_json(std::vector{image('a'), image('c')}, {}));
  world.plan.targets[0].platforms = {platform("linux/cpu-a")};
  world.set_tag("f.io/r:1", held);
  set_dates(world, {{'a', "2024-01-01T00:00:00Z"},  // from the cache of the builder, in both
                    {'b', "2024-03-01T00:00:00Z"},
                    {'c', "2024-06-01T00:00:00Z"}});
  CHECK(world.run().exit_code() == 0);
  CHECK(world.at("f.io/r:1") == held);
}

TEST_CASE("The date of an index that is published as it is is its own", "[publish]") {
  World world;
  Target& target = world.add_target("one", {}, {"f.io/r:1"});
  target.only_newer = true;
  target.platforms = {platform("linux/cpu-a")};
  const auto dated = [](char c, const std::string& date) {
    return index_json(std::vector{image(c)}, {{"org.opencontainers.image.created", date}});
  };
  std::string ours;
  std::string theirs;
  bool moves = false;
  SECTION("older than its images") {
    ours = "2024-01-01T00:00:00Z", theirs = "2024-06-01T00:00:00Z";
    set_dates(world, {{'a', "2024-09-01T00:00:00Z"}});
  }
  SECTION("newer than its reproducible images") {
    ours = "2024-06-01T00:00:00Z", theirs = "2024-01-01T00:00:00Z", moves = true;
    set_dates(world, {{'a', "1970-01-01T00:00:00Z"}, {'b', "1970-01-01T00:00:00Z"}});
  }
  target.sources = {
      {{"r.io", "tmp", "", world.add_index("r.io/tmp", dated('a', ours))}, std::nullopt}};
  const std::string held = world.add_index("f.io/r", dated('b', theirs));
  world.set_tag("f.io/r:1", held);
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(world.at("f.io/r:1") == (moves ? result.targets[0].digest : held));
}

TEST_CASE("An image of ours without a date is not told to be older than what a tag holds",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.only_newer = true;
  target.platforms = {platform("linux/cpu-a")};
  world.set_tag("f.io/r:1", World::digest('b'));
  set_dates(world, {{'b', "2001-01-01T00:00:00Z"}});
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_THAT(why(result), ContainsSubstring("no source says when it was created"));
  CHECK(world.writes() == 0);
}

TEST_CASE("A tag that another run moved meanwhile does not move back", "[publish]") {
  World world;
  add_target_with_rival(world, {"f.io/r:latest"});
  world.fault = [&world](const world::Words& argv) -> std::optional<Said> {
    if (argv[1] == "cp") world.set_tag("f.io/r:latest", World::digest('c'));
    return std::nullopt;
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(result.targets[0].tags[0].newer);
  CHECK(world.at("f.io/r:latest") == World::digest('c'));
}

TEST_CASE("A tag that another run moved between attempts to move it does not move back",
          "[publish]") {
  World world;
  add_target_with_rival(world, {"f.io/r:1", "f.io/r:latest"});
  int refused = 0;
  world.fault = [&](const world::Words& argv) -> std::optional<Said> {
    if (argv[2] != "push" || refused++ > 0) return std::nullopt;
    world.set_tag("f.io/r:latest", World::digest('c'));
    return Said{.code = 1,
                .err =
                    "Error response from registry: response status code 503: Service "
                    "Unavailable\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(result.targets[0].tags[1].newer);
  CHECK(world.at("f.io/r:latest") == World::digest('c'));
  CHECK(world.at("f.io/r:1") == result.targets[0].digest);
  CHECK(result.targets[0].tags[0].verified);
}

TEST_CASE("Of the images that metadata names for one platform the newest is published",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  const std::string older = "sha256:a" + std::string(63, 'c');  // for the processor of 'a' too
  target.sources.push_back({{"r.io", "tmp", "", older}, std::nullopt});
  world.repositories["r.io/tmp"].shows.emplace(older, world.start);
  CHECK_THAT(why(world.run()), ContainsSubstring("two sources are for linux/cpu-a"));
  for (std::size_t i = 0; i < target.sources.size(); ++i) target.sources[i].place = i;
  target.sources[0].created = parse_date("2024-06-01T00:00:00Z");
  std::string left_out = older;
  SECTION("as metadata dates them") {
    target.sources[2].created = parse_date("2024-01-01T00:00:00Z");
  }
  SECTION("as its config dates one that metadata does not") {
    world.spoil = [&](const world::Words& argv, Said said) {
      if (argv[2] == "fetch-config") said.out.insert(1, R"("created":"2024-01-01T00:00:00Z",)");
      return said;
    };
  }
  SECTION("or the later one, where neither says a date") {
    target.sources[0].created.reset();
    left_out = World::digest('a');
  }
  const PublishResult result = world.run();
  INFO(why(result));
  CHECK(result.exit_code() == 0);
  CHECK(result.targets[0].platforms.size() == 2);
  CHECK_THAT(notes(result), ContainsSubstring(left_out + " is left out"));
}
