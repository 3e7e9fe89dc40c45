// What runs once a target is published.
#include "catch_shim.hpp"
#include "publish/run/target_run.hpp"
#include "publish_images.hpp"
#include "publish_world.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/publish_plan.hpp>
#include <retry_exec/publish_views.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

using world::add_signed_target;
using world::Said;
using world::sorted;
using world::Words;
using world::World;

namespace {

Errors errors_in(const std::string& after) {
  const std::string plan = "retry-publish: 1\ntargets:\n  one:\n    sources: ['r.io/tmp@" +
                           World::digest('a') + "']\n    tags: [f.io/r:1]\n    after: " + after +
                           "\n";
  const auto read = read_plan(plan, [](const std::string&) -> const char* { return nullptr; });
  return read ? Errors{} : read.error();
}

}  // namespace

TEST_CASE("What is to run after publishing runs once a destination, or once a tag", "[publish]") {
  World world;
  add_signed_target(world);
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  const std::string digest = result.targets[0].digest;
  CHECK(sorted(world.done_after) == Words{"cosign sign --yes f.io/r@" + digest,
                                          "cosign sign --yes g.io/r@" + digest, "tell one f.io/r:1",
                                          "tell one f.io/r:2", "tell one g.io/r:1"});
  REQUIRE(result.targets[0].phases.back().phase == Phase::after);
  CHECK(result.targets[0].after.size() == 5);
}

TEST_CASE("A second run does not do again what has been done after the first", "[publish]") {
  World world;
  add_signed_target(world);
  REQUIRE(world.run().exit_code() == 0);
  world.done_after.clear();
  const PublishResult again = world.run();
  CHECK(again.exit_code() == 0);
  CHECK(world.done_after.empty());
  CHECK(again.targets[0].after[0].was_done);
}

TEST_CASE("Another digest, and a command of other words, are done", "[publish]") {
  World world;
  Target& target = add_signed_target(world);
  REQUIRE(world.run().exit_code() == 0);
  world.done_after.clear();
  target.after.push_back({"cosign", "attest", "{repository}@{digest}"});
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after.size() == 2);
  world.done_after.clear();
  target.annotations = {{"a", "b"}};
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after.size() == 7);
}

TEST_CASE("A signer that fails twice is run a third time", "[publish]") {
  World world;
  add_signed_target(world);
  int failures = 0;
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    if (argv[0] != "cosign" || ++failures > 2) return std::nullopt;
    return Said{1, "", "connection reset by peer\n"};
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.done_after.size() == 5);
}

TEST_CASE(
    "A failed signature fails its target, which stays published, and the next run does the rest",
    "[publish]") {
  World world;
  add_signed_target(world);
  world.fault = [](const Words& argv) -> std::optional<Said> {
    if (argv[0] != "cosign" || !argv.back().starts_with("f.io")) return std::nullopt;
    return Said{1, "", "denied: no key\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->phase == Phase::after);
  CHECK_THAT(result.targets[0].failure->what,
             test::ContainsSubstring("is published, but 'cosign'"));
  const std::string digest = result.targets[0].digest;
  CHECK(world.at("f.io/r:2") == digest);
  CHECK(sorted(world.done_after) ==
        Words{"cosign sign --yes g.io/r@" + digest, "tell one g.io/r:1"});
  world.fault = nullptr;
  world.done_after.clear();
  CHECK(world.run().exit_code() == 0);
  CHECK(sorted(world.done_after) ==
        Words{"cosign sign --yes f.io/r@" + digest, "tell one f.io/r:1", "tell one f.io/r:2"});
}

TEST_CASE("A command about a tag is run again when the tag has moved back to what it had",
          "[publish]") {
  World world;
  add_signed_target(world);
  const PublishResult first = world.run();
  REQUIRE(first.exit_code() == 0);
  world.set_tag("f.io/r:2", World::digest('a'));  // by another run
  world.done_after.clear();
  const PublishResult back = world.run();
  REQUIRE(back.exit_code() == 0);
  CHECK(world.at("f.io/r:2") == first.targets[0].digest);
  CHECK(world.done_after == Words{"tell one f.io/r:2"});
  world.done_after.clear();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after.empty());
}

TEST_CASE(
    "A command about a tag that moved back is run by a later run where it failed, or never began",
    "[publish]") {
  World world;
  add_signed_target(world);
  REQUIRE(world.run().exit_code() == 0);
  world.set_tag("f.io/r:2", World::digest('a'));  // by another run
  world.done_after.clear();
  const bool ended = GENERATE(false, true);
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    const bool is_it = ended ? argv[1] == "discover" && world.at("f.io/r:2") != World::digest('a')
                             : argv[0] == "tell";
    if (!is_it) return std::nullopt;
    if (ended) world.interrupted_at = world.now;
    return Said{1, "", "denied\n"};
  };
  CHECK(world.run().exit_code() != 0);
  CHECK(world.done_after.empty());
  world.fault = nullptr;
  world.interrupted_at.reset();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after == Words{"tell one f.io/r:2"});
  world.done_after.clear();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after.empty());
}

TEST_CASE("A record that was taken back twice, as its answer was lost, is taken back once",
          "[publish]") {
  World world;
  add_signed_target(world);
  REQUIRE(world.run().exit_code() == 0);
  world.set_tag("f.io/r:2", World::digest('a'));  // by another run
  bool lost = false;
  world.spoil = [&](const Words& argv, Said said) {
    const bool loses = argv[1] == "attach" && !lost;
    lost = lost || loses;
    return loses ? Said{1, "", "504 Gateway Timeout\n", said.took} : said;
  };
  world.done_after.clear();
  REQUIRE(world.run().exit_code() == 0);
  REQUIRE(lost);
  CHECK(world.done_after == Words{"tell one f.io/r:2"});
  world.done_after.clear();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after.empty());
}

TEST_CASE("Of a command that could not begin before the deadline it is told that it did not run",
          "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"}).after = {{"cosign", "sign", "{digest}"}};
  world.options.deadline = 20s;
  world.spoil = [&](const Words& argv, Said said) {
    if (argv[1] == "discover") said.took = world.start + 20s - world.now;
    return said;
  };
  const PublishResult result = world.run();
  CHECK(world.done_after.empty());
  REQUIRE(result.targets[0].failure);
  CHECK_THAT(result.targets[0].failure->what,
             test::ContainsSubstring("is published, but 'cosign' did not run for it: no command"));
  CHECK(result.exit_code() == 124);
}

TEST_CASE("A run that ends during a command has recorded the commands before it", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.after = {{"cosign", "sign", "{repository}@{digest}"},
                  {"cosign", "attest", "{repository}@{digest}"}};
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    if (argv[1] != "attest") return std::nullopt;
    world.interrupted_at = world.now + 1s;
    return Said{1, "", "interrupted\n", 2s};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->reason == StopReason::interrupted);
  const std::string image = "f.io/r@" + result.targets[0].digest;
  CHECK(world.done_after == Words{"cosign sign " + image});
  world.fault = nullptr;
  world.interrupted_at.reset();
  world.done_after.clear();
  CHECK(world.run().exit_code() == 0);
  CHECK(world.done_after == Words{"cosign attest " + image});
  CHECK(world.count("attach") == 2);
}

TEST_CASE("What could not be recorded at once is recorded with what follows, or told once",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.after = {{"first", "{digest}"}, {"second", "{digest}"}, {"third", "{digest}"}};
  int refused = 0;
  int refusals = 1;
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    if (argv[1] != "attach" || refused == refusals) return std::nullopt;
    ++refused;
    return Said{1, "", "denied: no\n"};
  };
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  CHECK(result.targets[0].phases.back().note.empty());
  CHECK(world.count("attach") == 2);
  world.done_after.clear();
  REQUIRE(world.run().exit_code() == 0);
  CHECK(world.done_after.empty());
  world.records.clear();
  refusals = 3;
  CHECK(world.run().targets[0].phases.back().note ==
        "what has been done could not be recorded at f.io/r: the next run does it again");
  CHECK(world.count("attach") == 4);
}

TEST_CASE("A digest that is gone by the time of recording does not hold the run for long",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  target.after = {{"oras", "manifest", "delete", "{repository}@{digest}"}};
  world.fault = [&](const Words& argv) -> std::optional<Said> {
    if (argv[2] == "delete") return Said{};
    if (argv[1] != "attach") return std::nullopt;
    return World::not_found(argv.back());
  };
  const PublishResult result = world.run();
  CHECK_THAT(world::notes(result), test::ContainsSubstring("could not be recorded at f.io/r"));
  CHECK(world.elapsed() < 30s);
}

TEST_CASE("Every command that was not done is told, and only one that was run has failed",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1", "g.io/r:1", "h.io/r:1"});
  target.after = {{"cosign", "sign", "{repository}@{digest}"}, {"tell", "{repository}:{tag}"}};
  world.fault = [](const Words& argv) -> std::optional<Said> {
    const bool refused = argv[0] == "cosign" && !argv[2].starts_with("h.io");
    return refused ? std::optional(Said{1, "", "denied: no key\n"}) : std::nullopt;
  };
  views::PublishRecord record;
  record.result = world.run();
  REQUIRE(record.result.targets[0].failure);
  const std::string at = "@" + record.result.targets[0].digest;
  const std::string told = views::publish_failures(record.result, Redactor());
  const std::string summary = views::publish_summary(record, Redactor());
  const std::string report = views::publish_report(record, ReportFormat::text, Redactor());
  for (const std::string host : {"f.io/r", "g.io/r"}) {
    for (const std::string& command : {"cosign sign " + host + at, "tell " + host + ":1"}) {
      INFO(command);
      CHECK_THAT(told, test::ContainsSubstring("not done: " + command + "\n"));
      CHECK_THAT(summary, test::ContainsSubstring(markdown_escaped("not done: " + command)));
    }
    CHECK_THAT(report, test::ContainsSubstring("after: cosign sign " + host + at + ": failed\n"));
    CHECK_THAT(report, test::ContainsSubstring("after: tell " + host + ":1: not run\n"));
  }
  CHECK(told.find("not done: cosign sign h.io") == std::string::npos);
  CHECK(told.find("not done: tell h.io") == std::string::npos);
}

TEST_CASE("A tag that is left alone is not signed", "[publish]") {
  World world;
  Target& target = add_signed_target(world);
  target.after = {{"cosign", "sign", "{repository}:{tag}"}};
  target.only_newer = true;
  const std::string newer = world.add_index(
      "g.io/r",
      R"({"manifests":[],"annotations":{"org.opencontainers.image.created":"2030-01-01T00:00:00Z"}})");
  world.set_tag("g.io/r:1", newer);
  target.annotations = {{"org.opencontainers.image.created", "2020-01-01T00:00:00Z"}};
  REQUIRE(world.run().exit_code() == 0);
  CHECK(sorted(world.done_after) == Words{"cosign sign f.io/r:1", "cosign sign f.io/r:2"});
}

TEST_CASE("What is wrong with 'after' is said with its place", "[publish]") {
  CHECK(
      errors_in("[[cosign, sign, '{repository}@{digest}', '{{.Digest}}', '{\"a\": 1}']]").empty());
  for (const char* wrong : {"cosign sign", "[cosign, sign]", "[[]]", "[[cosign, [a]]]"}) {
    INFO(wrong);
    const Errors errors = errors_in(wrong);
    REQUIRE_FALSE(errors.empty());
    CHECK_THAT(errors[0].what, test::ContainsSubstring("'after' is a list of commands"));
  }
  const Errors unknown = errors_in("[[cosign, sign, '{digets}']]");
  REQUIRE(unknown.size() == 1);
  CHECK_THAT(unknown[0].what, test::ContainsSubstring("'{digets}' is not known here"));
  CHECK(unknown[0].where.line == 6);
}

TEST_CASE("What has been done is not done again because oras is elsewhere", "[publish]") {
  World world;
  const Target target = add_signed_target(world);
  const std::vector<oci::Reference> tags = {target.tags.front()};
  const auto ids = [&](const std::string& oras, const std::string& word) {
    world.plan.oras = oras;
    world.plan.targets[0].after = {{word, "attach", "{repository}@{digest}"}};
    return after_commands(world.plan, world.plan.targets[0], tags, World::digest('a')).at(0);
  };
  CHECK(ids("/opt/oras", "oras").argv[0] == "/opt/oras");
  CHECK(ids("/opt/oras", "oras").id == ids("oras", "oras").id);
  CHECK(ids("/opt/oras", "oras").id == ids("/home/me/oras", "oras").id);
  CHECK(ids("/opt/oras", "/opt/oras").id != ids("/opt/oras", "oras").id);
}

TEST_CASE("Where what has been done cannot be read, it is done again, which is remarked",
          "[publish]") {
  World world;
  add_signed_target(world);
  REQUIRE(world.run().exit_code() == 0);
  world.done_after.clear();
  world.fault = [](const Words& argv) -> std::optional<Said> {
    if (argv[1] != "discover") return std::nullopt;
    return Said{1, "", "Error response from registry: denied: not you\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(world.done_after.size() == 5);
  CHECK_THAT(world::notes(result),
             test::ContainsSubstring("f.io/r could not be read, and is done again"));
}

TEST_CASE("No command is begun after publishing when reading what has been done took all the time",
          "[publish]") {
  World world;
  add_signed_target(world);
  world.plan.phases[Phase::after].deadline = 10s;
  world.fault = [](const Words& argv) -> std::optional<Said> {
    if (argv[1] != "discover") return std::nullopt;
    return Said{.code = 1, .err = "context deadline exceeded\n", .took = 24h};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK(world.done_after.empty());
  CHECK_THAT(result.targets[0].failure->what,
             test::ContainsSubstring("what earlier runs have done after publishing to "));
}
