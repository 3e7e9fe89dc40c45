// Time limits of attempts, phases and whole runs: what each ends, and that it is the one that is
// told.
#include "catch_shim.hpp"
#include "publish_world.hpp"

#include <retry_exec/publish_views.hpp>

#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

using world::Said;
using world::Words;
using world::World;

namespace {

// The first command that `begins` so never moves.
auto stall_once(std::string begins) {
  return [begins, hung = false](const Words& argv) mutable -> std::optional<Said> {
    if (hung || argv[1] != begins) return std::nullopt;
    hung = true;
    return Said{.code = 1, .took = 24h, .stalls = true};
  };
}

}  // namespace

TEST_CASE("A hang is cut and tried again", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  bool hung = false;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (hung || argv[1] != "manifest") return std::nullopt;
    hung = true;
    return Said{1, "", "", 24h};
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.elapsed() < 40s);
}

TEST_CASE("The deadline of the whole run ends it with 124", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.shows('a') = TimePoint::max();
  world.options.deadline = 10s;
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 124);
  CHECK(world.elapsed() <= 11s);
}

TEST_CASE("A copy in which nothing moves is ended after two minutes, and tried again",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.fault = stall_once("cp");
  CHECK(world.run().exit_code() == 0);
  CHECK(world.count("cp") == 2);
  CHECK(world.elapsed() >= 2min);
  CHECK(world.elapsed() < 2min + 10s);
}

TEST_CASE("The plan says how long nothing may move in a phase", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.plan.phases[Phase::copy].stall_timeout = 5s;
  world.fault = stall_once("cp");
  CHECK(world.run().exit_code() == 0);
  CHECK(world.count("cp") == 2);
  CHECK(world.elapsed() < 15s);
}

TEST_CASE("A pull for SOCI in which nothing moves is tried again too", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"}).soci.enabled = true;
  world.fault = stall_once("cp");
  CHECK(world.run().exit_code() == 0);
  CHECK(world.elapsed() < 2min + 10s);
}

TEST_CASE("A phase's deadline ends its target with 1, whatever time the run has", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.shows('a') = TimePoint::max();
  world.plan.phases[Phase::preflight].deadline = 10s;
  world.options.deadline = GENERATE(11s, 100h);
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->what.find("the deadline of the phase") != std::string::npos);
  CHECK(world.elapsed() <= 10s);
}

TEST_CASE("What one repository waits for gives another no more time", "[publish]") {
  World world;
  world.add_target("late", {'a'}, {"g.io/r:1"});
  world.add_target("two", {'b'}, {"f.io/refuses:2", "g.io/r:2"});
  world.shows('a') = world.start + 1min;
  PolicyFields& copy = world.plan.phases[Phase::copy];
  copy.attempts = 0;
  copy.max_delay = 5s;
  copy.deadline = 2min;
  world.options.deadline = 150s;
  world.fault = [](const Words& argv) -> std::optional<Said> {
    if (argv[1] == "cp" || argv[argv.size() - 2] != "f.io/refuses:2") return std::nullopt;
    return Said{1, "", "unexpected status code 503 Service Unavailable\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_FALSE(result.targets[0].failure);
  REQUIRE(result.targets[1].failure);
  CHECK(result.targets[1].failure->reason == StopReason::deadline);
  CHECK(result.targets[1].failure->what.find("the deadline of the phase") != std::string::npos);
  CHECK(world.elapsed() <= 2min + 1s);
}

TEST_CASE("A phase's deadline counts from its own beginning, not while others have their turn",
          "[publish]") {
  World world;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "target-" + std::to_string(i);
    world.add_target(name, {'a'}, {"f.io/" + name + ":1"});
  }
  world.options.jobs = 1;
  world.plan.phases[Phase::copy].deadline = 6min;
  world.spoil = [](const Words& argv, Said said) {
    if (argv[1] == "cp") said.took = 1min;
    return said;
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.elapsed() >= 30min);
}

TEST_CASE("Of tags that were being moved when the run ended it is said that nobody knows",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2"});
  world.spoil = [](const world::Words& argv, Said said) {
    if (argv[2] == "push") said = {.code = 0, .out = "", .err = "", .took = 1h, .stalls = true};
    return said;
  };
  SECTION("by its deadline") {
    world.options.deadline = 20s;
  }
  SECTION("by a signal") {
    world.interrupted_at = world.start + 20s;
  }
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->what.starts_with(
      "it is not known whether f.io/r:1, f.io/r:2 moved"));
  for (const TagResult& tag : result.targets[0].tags) {
    CHECK(tag.may_have_moved);
    CHECK_FALSE(tag.copied);
  }
}

TEST_CASE("Of tags whose move could not begin before the deadline it is told that they did not",
          "[publish][report]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2"}).platforms = {
      Platform{.os = "linux", .architecture = "cpu-a"}};
  TimePoint deadline;
  world.spoil = [&](const Words& argv, Said said) {
    if (argv[1] == "cp") said.took = deadline - world.now;
    return said;
  };
  std::string whose;
  SECTION("of the run") {
    whose = "run";
    world.options.deadline = 20s;
    deadline = world.start + 20s;
  }
  SECTION("of the phase") {
    whose = "phase";
    world.plan.phases[Phase::copy].deadline = 20s;
    deadline = world.start + 20s + 50ms;  // preflight takes that
  }
  const PublishResult result = world.run();
  CHECK(world.count("manifest push") == 0);
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->what ==
        "tag f.io/r:1 could not be moved: no command for it was begun before the deadline of the " +
            whose);
  CHECK(result.exit_code() == (whose == "run" ? 124 : 1));
  CHECK_THAT(views::publish_failures(result, Redactor()),
             test::ContainsSubstring("    not moved: f.io/r:1, f.io/r:2\n"));
}

TEST_CASE("Of tags refused together it is not known which moved, where none can be tried by itself",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2"});
  world.options.deadline = 20s;
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    if (argv[2] != "push" || argv[argv.size() - 2] != "f.io/r:1,2") return std::nullopt;
    return Said{1, "", "Error response from registry: denied\n", world.start + 20s - world.now};
  };
  const PublishResult result = world.run();
  CHECK(world.count("manifest push") == 1);
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->what.starts_with("it is not known whether f.io/r:1 moved"));
  CHECK(result.targets[0].tags[0].may_have_moved);
  CHECK(result.targets[0].tags[1].may_have_moved);
}

TEST_CASE("A tag that was moved by an attempt whose answer was lost may show that later",
          "[publish]") {
  World world;
  world.plan.policy.attempts = 2;
  const bool refused_then = GENERATE(false, true);
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.set_tag("f.io/r:1", World::digest('a'));
  Duration lag = 0s;
  world.lag = [&lag](const std::string&, const std::string& what) {
    return what == "tag 1" ? lag : 0s;
  };
  unsigned pushes = 0;
  world.spoil = [&](const Words& argv, Said said) {
    if (argv[2] != "push") return said;
    const char* const word = ++pushes > 1 && refused_then ? "denied" : "504 Gateway Timeout";
    return Said{1, "", std::string("Error response from registry: ") + word + "\n"};
  };
  SECTION("within a minute") {
    lag = 20s;
    const PublishResult result = world.run();
    CHECK(result.exit_code() == 0);
    CHECK(result.targets[0].tags[0].copied);
  }
  SECTION("or after that: then nobody knows") {
    lag = 10h;
    const PublishResult result = world.run();
    REQUIRE(result.targets[0].failure);
    CHECK(result.targets[0].failure->what.starts_with("it is not known whether f.io/r:1 moved"));
    CHECK(result.targets[0].tags[0].may_have_moved);
    CHECK(world.elapsed() < 2min);
  }
}

TEST_CASE("Of a tag whose move was refused it is told at once that it did not move", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.set_tag("f.io/r:1", World::digest('a'));
  world.fault = [](const Words& argv) -> std::optional<Said> {
    if (argv[2] != "push") return std::nullopt;
    return Said{1, "", "Error response from registry: denied\n"};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->what.starts_with("tag f.io/r:1 could not be moved"));
  CHECK_FALSE(result.targets[0].tags[0].may_have_moved);
  CHECK(world.elapsed() < 5s);
}

TEST_CASE("Where one of several tags is refused, one before it that has moved may show that later",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2"});
  world.lag = [](const std::string&, const std::string& what) {
    return what == "tag 1" ? 20s : 0s;
  };
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    const std::string& place = argv[argv.size() - 2];
    if (argv[2] != "push" || (place != "f.io/r:1,2" && place != "f.io/r:2")) return std::nullopt;
    Words first = argv;
    first[first.size() - 2] = "f.io/r:1";
    if (place == "f.io/r:1,2") world.answer(first);
    return Said{1, "", "Error response from registry: denied\n"};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->what.starts_with("tag f.io/r:2 could not be moved"));
  CHECK(result.targets[0].tags[0].copied);
  CHECK_FALSE(result.targets[0].tags[1].copied);
  CHECK_FALSE(result.targets[0].tags[1].may_have_moved);
}

TEST_CASE("Where all tags are refused it is told soon, also of many targets in one repository",
          "[publish]") {
  World world;
  for (const std::string name : {"one", "two", "three", "four"}) {
    world.add_target(name, {'a'}, {"f.io/r:" + name, "f.io/r:" + name + "-1"});
  }
  world.fault = [](const Words& argv) -> std::optional<Said> {
    const bool is_tag = argv[2] == "push" && argv[argv.size() - 2].starts_with("f.io/r:");
    if (!is_tag) return std::nullopt;
    return Said{1, "", "Error response from registry: denied\n"};
  };
  const Duration of_a_read = GENERATE(50ms, 8s);
  world.spoil = [&](const Words& argv, Said said) {
    if (argv[2] == "fetch") said.took = of_a_read;
    return said;
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  for (const auto& target : result.targets) {
    REQUIRE(target.failure);
    CHECK(target.failure->what.starts_with("tag f.io/r:" + target.name + " could not be moved"));
    for (const TagResult& tag : target.tags) CHECK_FALSE(tag.may_have_moved);
  }
  CHECK(world.elapsed() < 2s + 10 * of_a_read);
}

TEST_CASE("A tag that moved while the move of another failed is told to have moved", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "g.io/r:1"});
  world.fault = [](const Words& argv) -> std::optional<Said> {
    if (argv[2] != "push" || argv[argv.size() - 2] != "g.io/r:1") return std::nullopt;
    return Said{1, "", "Error response from registry: denied\n"};
  };
  world.spoil = [](const Words& argv, Said said) {
    if (argv[2] == "push" && argv[argv.size() - 2] == "f.io/r:1") said.took = 5s;
    return said;
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].tags[0].copied);
  CHECK_FALSE(result.targets[0].tags[0].may_have_moved);
}

TEST_CASE("Of tags that had it before a failure, and of those that did not move, both are told",
          "[publish][report]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "g.io/r:1", "h.io/r:1"});
  world.fault = [](const Words& argv) -> std::optional<Said> {
    const bool pushes = argv[2] == "push" && argv[argv.size() - 2] == "h.io/r:1";
    if (!pushes) return std::nullopt;
    return Said{1, "", "Error response from registry: denied\n"};
  };
  SECTION("where all was looked at") {}
  SECTION("where the first was, and it tells enough of the others") {
    world.plan.targets[0].platforms = {Platform{.os = "linux", .architecture = "cpu-a"}};
  }
  REQUIRE(world.run().exit_code() == 1);
  REQUIRE_FALSE(world.at("f.io/r:1").empty());
  REQUIRE_FALSE(world.at("g.io/r:1").empty());
  const PublishResult again = world.run();
  REQUIRE(again.exit_code() == 1);
  CHECK_THAT(views::publish_failures(again, Redactor()),
             test::ContainsSubstring("    had it already: f.io/r:1, g.io/r:1\n"
                                     "    not moved: h.io/r:1\n"));
}

TEST_CASE("Where a tag would lose a platform, which others have what is published already is told",
          "[publish][report]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  REQUIRE(world.run().exit_code() == 0);
  world.plan.targets[0].tags.push_back(parse_reference("f.io/r:2").value());
  world.set_tag("f.io/r:2", World::digest('b'));
  CHECK_THAT(views::publish_failures(world.run(), Redactor()),
             test::ContainsSubstring("    had it already: f.io/r:1\n    not moved: f.io/r:2\n"));
}

TEST_CASE("A target that hangs does not keep a later one of its repository from being published",
          "[publish]") {
  World world;
  world.add_target("hangs", {'a'}, {"f.io/r:1"});
  world.add_target("later", {'b'}, {"f.io/r:2"});
  world.shows('a') = TimePoint::max();
  SECTION("before the run's deadline") {
    world.options.deadline = 20s;
  }
  SECTION("before its own deadlines") {}
  const PublishResult result = world.run();
  CHECK(result.targets[0].failure);
  CHECK_FALSE(result.targets[1].failure);
  CHECK(world.at("f.io/r:2") == result.targets[1].digest);
  CHECK(result.targets[1].elapsed() < 6min);
}

TEST_CASE("An attempt that ends at the deadline is not said to lack the budget for another",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.plan.phases[Phase::preflight].deadline = 3100ms;
  world.fault = [](const Words& argv) -> std::optional<Said> {
    if (argv[1] != "manifest") return std::nullopt;
    return Said{1, "", "unexpected status code 503 Service Unavailable\n", 3100ms};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->reason == StopReason::deadline);
}
