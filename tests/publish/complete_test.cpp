// Complete, or not at all, with real tools: what is missing, what a tag would lose, what is merged.
#include "publish_scene.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

using namespace test;

namespace {

namespace json = boost::json;

std::string image_in(const PublishScene& scene, const PublishTarget& target, std::size_t number) {
  return scene.first.address() + "/" + scene.staging_of(target) + "@" +
         target.images[number].digest;
}

std::string entry(const PublishScene& scene, const std::string& name, const Image& image,
                  bool named = true) {
  const std::string repository = scene.first.address() + "/build/" + name + "/tmp";
  return "\"" + name + R"(":{"containerimage.digest":")" + image.digest + "\"" +
         (named ? R"(,"image.name":")" + repository + "\"" : "") + "}";
}

std::string bake_target(const PublishScene& scene, const std::string& name) {
  return "\"" + name + R"(":{"tags":[")" + scene.first.address() + "/final/" + name +
         R"(:1.0"],"platforms":["linux/amd64","linux/arm64"]})";
}

json::array manifests_at(const PublishScene& scene, const std::string& repository) {
  const HttpAnswer answer =
      http(scene.first_registry.address(), "GET", "/v2/" + repository + "/manifests/1.0", {},
           {{"Accept", std::string(index_type)}});
  return json::parse(answer.body).at("manifests").as_array();
}

std::string push_index(const PublishScene& scene, const std::string& repository,
                       const Index& index) {
  push_manifest(scene.first.address(), repository, index.manifest, index_type, index.digest);
  return scene.first.address() + "/" + repository + "@" + index.digest;
}

}  // namespace

TEST_CASE("targets whose metadata lacks something are not published, and the others are",
          "[complete]") {
  PublishScene scene;
  for (const char* name : {"whole", "half", "nameless", "loses"}) {
    scene.targets.push_back(make_target(name, 400 + scene.targets.size()));
  }
  scene.push_sources();
  const std::vector<PublishTarget>& all = scene.targets;
  push(scene.first.address(), "final/loses", all[3].images[1], "1.0");
  scene.folder.write("amd64.json", "{" + entry(scene, "whole", all[0].images[0]) + "," +
                                       entry(scene, "half", all[1].images[0]) + "," +
                                       entry(scene, "nameless", all[2].images[0]) + "}");
  scene.folder.write("arm64.json", "{" + entry(scene, "whole", all[0].images[1]) + "," +
                                       entry(scene, "nameless", all[2].images[1], false) + "}");
  scene.folder.write(
      "bake.json", R"({"group":{"default":{"targets":["whole","half","nameless",)"
                   R"("absent"]}},"target":{)" +
                       bake_target(scene, "whole") + "," + bake_target(scene, "half") + "," +
                       bake_target(scene, "nameless") + "," + bake_target(scene, "absent") + "}}");
  const std::string plan = scene.plan_head() +
                           "metadata: ['*64.json']\nbake: [bake.json]\ntargets:\n  loses:\n"
                           "    sources: [" +
                           image_in(scene, all[3], 0) + "]\n    tags: [" +
                           scene.tags_of(all[3])[0] + "]\n";
  const Ended ended = run(scene.program_of(plan));
  INFO(ended.err);
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err,
             ContainsSubstring("half: preflight: failed: incomplete: linux/arm64 is not among"));
  CHECK_THAT(ended.err, ContainsSubstring("nameless: preflight: failed: incomplete: "));
  CHECK_THAT(ended.err, ContainsSubstring("has it without 'image.name'"));
  CHECK_THAT(ended.err,
             ContainsSubstring("absent: preflight: failed: incomplete: no source of it"));
  CHECK_THAT(ended.err, ContainsSubstring("holds linux/arm64 too, which no source provides"));
  const std::string& registry = scene.first_registry.address();
  CHECK(manifests_at(scene, "final/whole").size() == 2);
  for (const char* name : {"half", "nameless", "absent"}) {
    CHECK(digest_at(registry, std::string("final/") + name, "1.0").empty());
  }
  CHECK(digest_at(registry, "final/loses", "1.0") == all[3].images[1].digest);
}

TEST_CASE("an index that is ready is published as it is", "[complete]") {
  PublishScene scene;
  scene.targets = {make_target("ready", 410)};
  scene.push_sources();
  const Index index = make_index(scene.targets[0].images);
  const std::string source = push_index(scene, "build/ready/tmp", index);
  Program program = scene.program_of(
      scene.plan_head() + "targets:\n  ready:\n    sources: [" + source +
      "]\n    platforms: [linux/amd64, linux/arm64]\n    tags: [" +
      scene.tags_of(scene.targets[0])[0] + ", " + scene.tags_of(scene.targets[0])[1] + "]\n");
  program.environment.emplace_back("SOURCE_DATE_EPOCH", std::nullopt);
  const Ended ended = run(program);
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  CHECK(scene.digests_of(scene.targets[0]) == std::vector(2, index.digest));
  check_published(scene);
}

TEST_CASE("images for two versions of Windows are two entries of the index", "[complete]") {
  PublishScene scene;
  PublishTarget target{"windows", {}};
  for (const char* version : {"10.0.20348.2700", "10.0.26100.1742"}) {
    target.images.push_back(
        make_image({.seed = 420 + target.images.size(), .os = "windows", .os_version = version}));
  }
  scene.targets = {target};
  scene.push_sources();
  const std::string head = scene.plan_head() + "targets:\n  windows:\n    tags: [" +
                           scene.tags_of(target)[0] + "]\n    sources: [";
  const std::string both = image_in(scene, target, 0) + ", " + image_in(scene, target, 1) + "]\n";
  const Ended ended = run(scene.program_of(head + both));
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
  const json::array published = manifests_at(scene, "final/windows");
  REQUIRE(published.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(published[i].at("digest").as_string() == target.images[i].digest);
    CHECK(published[i].at("platform").at("os.version").as_string() == target.images[i].os_version);
  }
  // The tag does not lose one of them.
  const Ended one = run(scene.program_of(head + image_in(scene, target, 0) + "]\n"));
  CHECK(one.exit_code() == 1);
  CHECK_THAT(one.err, ContainsSubstring("holds windows(10.0.26100)/amd64 too"));
  CHECK(manifests_at(scene, "final/windows") == published);
}
