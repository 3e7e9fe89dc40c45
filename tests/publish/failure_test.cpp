// What cannot be published is told, and does not stand in the way of the rest.
#include "publish_scene.hpp"

#include <filesystem>

using namespace test;

namespace {

void check_others_are_published(PublishScene& scene, const std::string& failed) {
  std::erase_if(scene.targets, [&](const auto& target) { return target.name == failed; });
  check_published(scene);
}

}  // namespace

TEST_CASE("a digest that never comes ends its target alone, and is named", "[failure]") {
  PublishScene scene;
  three_targets(scene, 6);
  scene.preflight_deadline = "2s";
  scene.push_sources();
  const Image missing = make_image({"amd64", {2000}, 987'654});
  scene.targets[0].images[0] = missing;
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("alpha"));
  CHECK_THAT(ended.err, ContainsSubstring(missing.digest));
  CHECK_THAT(ended.err, ContainsSubstring("not found"));
  CHECK(ended.wall < 20s);
  CHECK(scene.digests_of(scene.targets[0]) == std::vector<std::string>{"", ""});
  check_others_are_published(scene, "alpha");
}

TEST_CASE("a refused destination ends its target at once, and is not retried", "[failure]") {
  PublishScene scene;
  three_targets(scene, 7);
  scene.push_sources();
  scene.second.change_plan(
      "faults:\n  - {name: denied, repository: 'final/gamma', answer: {status: 403}}\n");
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("gamma"));
  CHECK_THAT(ended.err, ContainsSubstring("denied"));
  CHECK(ended.wall < 20s);
  scene.second.change_plan("faults: []");
  check_others_are_published(scene, "gamma");
}

TEST_CASE("a copy that hangs in the middle is ended when nothing moves, and tried again",
          "[failure]") {
  PublishScene scene;
  three_targets(scene, 12);
  scene.timeout = "10m";
  scene.stall_timeout = "2s";
  scene.push_sources();
  scene.second.change_plan("faults:\n  - {name: silent, kind: upload, times: 2, silence: {}}\n");
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  CHECK(scene.second.struck("silent") == 2);
  CHECK_THAT(ended.err, ContainsSubstring("stalled for 2"));
  CHECK(ended.wall < 60s);
  check_published(scene);
}

TEST_CASE("an immutable tag that has our image already is as good as written", "[failure]") {
  PublishScene scene;
  three_targets(scene, 8);
  scene.push_sources();
  // The answer to the write is lost; the next attempt meets the immutable tag.
  scene.second.change_plan(
      "faults:\n"
      "  - {name: lost, methods: [PUT], kind: manifest, repository: 'final/alpha', tag: '.*', "
      "times: 1, forward: true, reset: true}\n"
      "  - {name: immutable, immutable-tags: true}\n");
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  CHECK(scene.second.struck("lost") == 1);
  scene.second.change_plan("faults: []");
  check_published(scene);
}

TEST_CASE("an immutable tag with another image fails its target", "[failure]") {
  PublishScene scene;
  three_targets(scene, 9);
  scene.push_sources();
  push(scene.second.address(), "final/alpha", scene.targets[2].images[0], "1.0");
  scene.second.change_plan("faults:\n  - {name: immutable, immutable-tags: true}\n");
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("immutable"));
  CHECK(scene.digests_of(scene.targets[0])[1] == scene.targets[2].images[0].digest);
  scene.second.change_plan("faults: []");
  check_others_are_published(scene, "alpha");
}

TEST_CASE("a tag that never shows the new image is told as stale", "[failure]") {
  PublishScene scene;
  three_targets(scene, 10);
  scene.push_sources();
  push(scene.second.address(), "final/alpha", scene.targets[2].images[0], "1.0");
  const auto before = scene.moment();
  scene.second.change_plan(
      "faults:\n  - {name: stale, methods: [GET, HEAD], repository: 'final/alpha', tag: '.*', "
      "stale: {reads: 1000000}}\n");
  Program program = scene.program();
  program.argv[1] = scene.folder.write("publish.yaml", [&] {
    std::string plan = scene.plan_text();
    plan.replace(plan.find("verify: {"), 9, "verify: {deadline: 2s, ");
    return plan;
  }());
  const Ended ended = run(program);
  INFO(ended.err);
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("stale"));
  scene.second.change_plan("faults: []");
  check_published(scene, before);  // the registry itself was right all the time
}
