// Commands that the system does not start: nothing has come of them.
#include "catch_shim.hpp"
#include "publish_world.hpp"

#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace std::chrono_literals;

using world::Said;
using world::Words;
using world::World;

namespace {

bool is_move(const Words& argv) {
  return argv.size() > 2 && argv[2] == "push";
}

}  // namespace

TEST_CASE("Of tags whose move never started it is told at once that they did not move",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2"});
  world.is_gone = [](const Words& argv) { return is_move(argv); };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->reason == StopReason::not_started);
  CHECK_THAT(result.targets[0].failure->what,
             test::ContainsSubstring("tag f.io/r:1 could not be moved: not started: "));
  for (const TagResult& tag : result.targets[0].tags) {
    CHECK_FALSE(tag.copied);
    CHECK_FALSE(tag.may_have_moved);
  }
  CHECK(world.elapsed() < 10s);
}

TEST_CASE("A tag whose move was tried, and could not be started again, may have moved",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  bool lost = false;
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    if (!is_move(argv)) return std::nullopt;
    lost = true;
    return Said{1, "", "connection reset by peer\n"};
  };
  world.is_gone = [&](const Words&) { return lost; };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].tags[0].may_have_moved);
}

TEST_CASE("More tags than fit into one word of a command are moved, in the plan's order",
          "[publish]") {
  World world;
  Words tags;
  for (int i = 1000; i < 2100; ++i) {
    tags.push_back("f.io/r:" + std::string(116, 'v') + std::to_string(i));
  }
  world.add_target("one", {'a'}, tags);
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  std::string moved;
  for (const std::string& line : world.log) {
    if (!line.starts_with("manifest push")) continue;
    const std::string places = line.substr(line.find("f.io/r"));
    const std::size_t first = places.find(':') + 1;
    moved += (moved.empty() ? "" : ",") + places.substr(first, places.find(' ') - first);
  }
  std::string wanted;
  for (const std::string& tag : tags) wanted += (wanted.empty() ? "" : ",") + tag.substr(7);
  CHECK(moved == wanted);
  for (const std::string& tag : tags) CHECK(world.at(tag) == result.targets[0].digest);
}
