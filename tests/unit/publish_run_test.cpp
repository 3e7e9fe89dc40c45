// Whole runs against registries that lag, throttle and fail.
#include "catch_shim.hpp"
#include "publish/oci/index.hpp"
#include "publish_world.hpp"

#include <algorithm>
#include <map>
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

// A command that moves tags.
bool moves_tag(const Words& argv) {
  return argv[2] == "push" && argv[argv.size() - 2].find('@') == std::string::npos;
}

// The tags that a line of the log puts; empty: none.
std::string tag_put(const std::string& line) {
  if (!line.starts_with("manifest push") || line.find('@') != std::string::npos) return {};
  const std::string tag = line.substr(0, line.rfind(' '));
  return tag.substr(tag.rfind(' ') + 1);
}

bool is_probe_of(const std::vector<std::string>& argv, const std::string& part) {
  return argv[1] == "manifest" && argv[2] != "push" && argv.back().find(part) != std::string::npos;
}

// What the phases of a target have noted.
std::string notes_of(const PublishResult& result) {
  std::string notes;
  for (const PhaseResult& phase : result.targets[0].phases) notes += phase.note + "\n";
  return notes;
}

}  // namespace

TEST_CASE("A target goes from its sources to verified tags", "[publish]") {
  World world;
  world.add_target("one", {'b', 'a'}, {"f.io/r:1", "f.io/r:latest"});
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  const TargetResult& target = result.targets[0];
  CHECK(world.at("f.io/r:1") == target.digest);
  CHECK(world.at("f.io/r:latest") == target.digest);
  CHECK(target.tags[0].copied);
  CHECK(target.tags[0].verified);
  CHECK(target.phases.size() == 3);
  CHECK(world.count("cp") == 2);
  // Sources in the order of their platforms, whatever the plan's order.
  const auto index = parse_index(world.manifests.at(target.digest));
  REQUIRE(index->manifests.size() == 2);
  CHECK(index->manifests[0].digest == World::digest('a'));
  CHECK(index->manifests[1].digest == World::digest('b'));
}

TEST_CASE("A second run copies nothing and creates nothing", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2"});
  const PublishResult first = world.run();
  REQUIRE(first.exit_code() == 0);
  CHECK(notes_of(first).find("had it already") == std::string::npos);
  world.log.clear();
  const PublishResult again = world.run();
  CHECK(again.exit_code() == 0);
  CHECK(notes_of(again).find("2 of 2 tags had it already") != std::string::npos);
  CHECK(world.writes() == 0);
  CHECK_FALSE(again.targets[0].tags[0].copied);
  CHECK(again.targets[0].tags[0].verified);
}

TEST_CASE("A lagging source is found within a tenth of its lag and a second", "[publish]") {
  for (const Duration lag : {1s, 5s, 20s, 60s, 300s}) {
    World world;
    world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
    world.shows('b') = world.start + lag;
    const PublishResult result = world.run();
    REQUIRE(result.exit_code() == 0);
    const PhaseResult& preflight = result.targets[0].phases[0];
    CHECK(preflight.elapsed <= lag + lag / 10 + 1s);
    REQUIRE(result.targets[0].lags.size() == 1);
    CHECK(result.targets[0].lags[0].what == "r.io/tmp@" + World::digest('b'));
    CHECK(result.targets[0].lags[0].probes < 60);
  }
}

TEST_CASE("A digest that never comes ends its target alone", "[publish]") {
  World world;
  world.add_target("lost", {'a'}, {"f.io/r:1"});
  world.add_target("good", {'b'}, {"f.io/r:2"});
  world.shows('a') = TimePoint::max();
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_FALSE(result.targets[1].failure);
  REQUIRE(result.targets[0].failure);
  const publish::TargetFailure& failure = *result.targets[0].failure;
  CHECK(failure.phase == Phase::preflight);
  CHECK(failure.reason == StopReason::deadline);
  CHECK(failure.what.find(World::digest('a')) != std::string::npos);
  CHECK(failure.what.find("not found") != std::string::npos);
  CHECK(failure.command.back() == World::digest('a'));
  CHECK(world.elapsed() < 11min);
}

TEST_CASE("A manifest that could not be pushed is kept with its failure, and no other is",
          "[publish]") {
  for (const std::string verb : {"push", "fetch"}) {
    World world;
    world.add_target("one", {'a'}, {"f.io/r:1"});
    world.fault = [&](const Words& argv) -> std::optional<Said> {
      if (argv[1] != "manifest" || argv[2] != verb) return std::nullopt;
      return Said{1, "", "Error response from registry: denied: requested access is denied"};
    };
    const PublishResult result = world.run();
    REQUIRE(result.targets[0].failure);
    const std::string& manifest = result.targets[0].failure->manifest;
    CAPTURE(verb, manifest);
    CHECK(parse_index(manifest).has_value() == (verb == "push"));
    CHECK(manifest.empty() == (verb != "push"));
  }
}

TEST_CASE("What is denied ends its target at once, whatever else is waited for", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  world.shows('a') = TimePoint::max();
  world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (!is_probe_of(argv, World::digest('b'))) return std::nullopt;
    return Said{1, "", "Error response from registry: denied: requested access\n"};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->reason == StopReason::permanent);
  CHECK(world.elapsed() < 2s);
}

TEST_CASE("What was put need not show before the tags move", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1", "f.io/r:2", "f.io/r:3", "g.io/r:1"});
  world.shows('a') = world.start + 7s;
  world.lag = [](const std::string&, const std::string&) { return 7s; };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.elapsed() < 2 * 7s + 1400ms + 2s);
}

TEST_CASE(
    "A copy that misses something is repeated when that is readable, not to see whether it is",
    "[publish]") {
  for (const Duration lag : {3s, 20s, 60s}) {
    World world;
    world.add_target("one", {'a'}, {"f.io/r:1"});
    std::optional<TimePoint> since;
    world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
      const bool copies = argv[1] == "cp";
      const bool probes = argv[1] == "manifest" && argv.back() == "f.io/r@" + World::digest('a');
      if (!copies && !probes) return std::nullopt;
      if (!since) since = world.now;
      if (world.now < *since + lag) {
        return World::not_found(World::digest('a'));
      }
      return copies ? std::nullopt : std::optional(Said{0, "{}", ""});
    };
    const PublishResult result = world.run();
    REQUIRE(result.exit_code() == 0);
    CHECK(world.elapsed() < lag + lag / 10 + 3s);
    CHECK(world.count("cp") < 15);
  }
}

TEST_CASE("The plan's attempts are those of failures, not of what is waited for", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.plan.policy.attempts = 2;
  world.shows('a') = world.start + 60s;
  unsigned copies = 0;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[1] != "cp" || ++copies > 4) return std::nullopt;
    return World::not_found(World::digest('b'));
  };
  CHECK(world.run().exit_code() == 0);
  unsigned failures = 0;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[1] != "cp") return std::nullopt;
    ++failures;
    return Said{1, "", "connection refused\n"};
  };
  world.repositories["f.io/r"] = {};
  CHECK(world.run().exit_code() == 1);
  CHECK(failures == 2);
}

TEST_CASE("A tag that reads stale or not at all is waited for", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:latest", "f.io/r:new"});
  world.set_tag("f.io/r:latest", World::digest('a'));
  world.lag = [](const std::string&, const std::string& what) {
    return what.starts_with("tag") ? 10s : 0s;
  };
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  CHECK(world.at("f.io/r:latest") == result.targets[0].digest);
  CHECK(world.elapsed() < 12s);
  REQUIRE(result.targets[0].lags.size() == 2);
  CHECK(result.targets[0].lags[0].phase == Phase::verify);
}

TEST_CASE("A tag that stays stale is told as stale, one that is gone as missing", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:latest"});
  world.add_target("two", {'b'}, {"f.io/r:2"});
  world.set_tag("f.io/r:latest", World::digest('a'));
  world.lag = [](const std::string&, const std::string& what) {
    return what.starts_with("tag") ? 1000h : 0h;
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->what.find("is stale") != std::string::npos);
  REQUIRE(result.targets[1].failure);
  CHECK(result.targets[1].failure->what.find("is missing") != std::string::npos);
}

TEST_CASE("Copies into one repository go in the plan's order; to others nobody waits",
          "[publish]") {
  World world;
  world.add_target("late", {'a'}, {"g.io/r:1"});
  world.add_target("second", {'b'}, {"g.io/r:2"});
  world.add_target("other", {'c'}, {"f.io/other:3"});
  world.shows('a') = world.start + 30s;
  CHECK(world.run().exit_code() == 0);
  std::map<std::string, TimePoint> copied;
  for (const auto& [line, at] : world.times) {
    if (const std::string tag = tag_put(line); !tag.empty()) copied[tag] = at;
  }
  CHECK(copied["f.io/other:3"] < world.start + 2s);
  CHECK(copied["g.io/r:1"] >= world.start + 30s);
  CHECK(copied["g.io/r:1"] < copied["g.io/r:2"]);
}

TEST_CASE("Copies go in the plan's order, and a failed target lets the next one pass",
          "[publish]") {
  World world;
  world.add_target("late", {'a'}, {"f.io/r:1"});
  world.add_target("lost", {'b'}, {"f.io/r:2"});
  world.add_target("last", {'c'}, {"f.io/r:3"});
  world.shows('a') = world.start + 30s;
  world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (!is_probe_of(argv, World::digest('b'))) return std::nullopt;
    return Said{1, "", "denied\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  std::vector<std::string> copies;
  for (const std::string& line : world.log) {
    if (const std::string tag = tag_put(line); !tag.empty()) copies.push_back(tag);
  }
  CHECK(copies == std::vector<std::string>{"f.io/r:1", "f.io/r:3"});
}

TEST_CASE("A refusal to overwrite a tag is no failure when the tag is ours", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.spoil = [&](const Words& argv, Said said) {
    if (!moves_tag(argv)) return said;
    return Said{1, "", "tag invalid: cannot be overwritten because the tag is immutable\n"};
  };
  CHECK(world.run().exit_code() == 0);
}

TEST_CASE("A refusal to overwrite one of several tags does not keep the others from moving",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2", "f.io/r:3"});
  bool refused = false;
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    if (!moves_tag(argv) || refused) return std::nullopt;
    refused = true;
    Words first = argv;
    first[first.size() - 2] = "f.io/r:1,2";
    world.answer(first);
    return Said{1, "", "tag invalid: cannot be overwritten because the tag is immutable\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(refused);
  CHECK(world.at("f.io/r:3") == result.targets[0].digest);
}

TEST_CASE("A refusal to overwrite a tag of ours that reads stale or not at all is waited for",
          "[publish]") {
  const bool was_there = GENERATE(false, true);
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  if (was_there) world.set_tag("f.io/r:1", World::digest('a'));
  world.lag = [](const std::string&, const std::string& what) {
    return what.starts_with("tag") ? 20s : 0s;
  };
  bool done = false;
  world.spoil = [&](const Words& argv, Said said) {
    if (!moves_tag(argv)) return said;
    if (done) {
      return Said{1, "", "tag invalid: cannot be overwritten because the tag is immutable\n"};
    }
    done = true;
    return Said{1, "", "connection reset\n"};
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.elapsed() < 30s);
}

TEST_CASE("A refusal to overwrite another's tag is a failure", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.set_tag("f.io/r:1", World::digest('a'));
  world.fault = [](const Words& argv) -> std::optional<Said> {
    if (!moves_tag(argv)) return std::nullopt;
    return Said{1, "", "tag invalid: cannot be overwritten because the tag is immutable\n"};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->phase == Phase::copy);
  CHECK(world.at("f.io/r:1") == World::digest('a'));
}

TEST_CASE("A registry that throttles is left alone by every target", "[publish]") {
  World world;
  for (int i = 0; i < 5; ++i) {
    world.add_target("t" + std::to_string(i), {static_cast<char>('a' + i)},
                     {"f.io/r:" + std::to_string(i)});
  }
  bool throttled = false;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (throttled || argv[1] != "cp") return std::nullopt;
    throttled = true;
    return Said{1, "", "toomanyrequests: slow down\n"};
  };
  CHECK(world.run().exit_code() == 0);
  const TimePoint struck = std::find_if(world.times.begin(), world.times.end(), [](const auto& at) {
                             return at.first.starts_with("cp");
                           })->second;
  for (const auto& [line, at] : world.times) {
    // What was on its way already is not called back.
    const bool in_pause = at > struck + 200ms && at < struck + 20s;
    if (line.find("r.io/tmp") != std::string::npos) CHECK_FALSE(in_pause);
  }
}

TEST_CASE("A dead registry is not hammered by every target", "[publish]") {
  World world;
  for (int i = 0; i < 200; ++i) {
    world.add_target("t" + std::to_string(i), {static_cast<char>('a' + i % 6)},
                     {"f.io/r:" + std::to_string(i)});
  }
  world.plan.phases[Phase::preflight].deadline = 60s;
  world.fault = [](const std::vector<std::string>&) { return Said{1, "", "connection refused\n"}; };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  // Of each of two registries: the first of each target, the bucket, and two a second.
  CHECK(world.log.size() <= 2 * (200 + 30 + 2 * 61));
}

TEST_CASE("An interruption ends every target", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.add_target("two", {'b'}, {"f.io/r:2"});
  world.shows('a') = TimePoint::max();
  world.interrupted_at = world.start + 5s;
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 130);
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->reason == StopReason::interrupted);
  CHECK(world.elapsed() < 7s);
}

TEST_CASE("Many commands read the tags of a far registry, and few those of a near one",
          "[publish]") {
  const auto reads = [](Duration took) {
    World world;
    world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2", "f.io/r:3", "f.io/r:4"});
    world.spoil = [took](const Words&, Said said) {
      said.took = took;
      return said;
    };
    REQUIRE(world.run().exit_code() == 0);
    const std::size_t looks = 8;  // at the tags, in preflight and before they move
    return world.count("manifest index create --output - f.io/r") +
           world.count("manifest fetch f.io/r:") - looks;
  };
  CHECK(reads(10ms) == 1);
  CHECK(reads(500ms) == 4);
}
