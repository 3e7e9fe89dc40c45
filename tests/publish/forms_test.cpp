// Each form in which builders leave what they have pushed, in one plan, published end to end.
#include "publish_scene.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>

using namespace test;

namespace {

namespace json = boost::json;

struct Forms {
  PublishScene scene;
  std::string targets = "targets:\n";

  // A target of two images; `sources` says of them what the plan is to say.
  template <class Sources>
  void add(const std::string& name, Sources sources) {
    const auto seed = static_cast<std::uint64_t>(300 + scene.targets.size());
    scene.targets.push_back(make_target(name, seed));
    const PublishTarget& target = scene.targets.back();
    targets += "  " + name + ":\n    sources: " + sources(target) +
               "\n    platforms: [linux/amd64, linux/arm64]\n    tags: [" +
               scene.tags_of(target)[0] + ", " + scene.tags_of(target)[1] + "]\n";
  }

  std::string repository(const PublishTarget& target) const {
    return scene.first.address() + "/" + scene.staging_of(target);
  }

  // buildx build --metadata-file, docker/build-push-action's `metadata`.
  std::string metadata_of(const PublishTarget& target, const Image& image) const {
    return json::serialize(
        json::object{{"buildx.build.ref", "default/default/x"},
                     {"containerimage.descriptor", json::object{{"mediaType", manifest_type},
                                                                {"digest", image.digest},
                                                                {"size", image.manifest.size()}}},
                     {"containerimage.digest", image.digest},
                     {"image.name", repository(target)}});
  }

  std::string write(const std::string& name, const std::string& text) const {
    return scene.folder.write(name, text);
  }
};

void add_text_forms(Forms& forms) {
  forms.add("written", [&](const PublishTarget& target) {
    return "[" + forms.repository(target) + "@" + target.images[0].digest + ", " +
           forms.repository(target) + ":some@" + target.images[1].digest + "]";
  });
  forms.add("folder", [&](const PublishTarget& target) {
    std::filesystem::create_directories(forms.scene.folder / "digests");
    forms.write("digests/" + target.images[0].digest, "");
    forms.write("digests/" + target.images[1].digest.substr(7), "");
    return "[{digests: digests/, repository: " + forms.repository(target) + "}]";
  });
  forms.add("digest-lines", [&](const PublishTarget& target) {  // kaniko; buildah with CRLF
    forms.write("one.digest", target.images[0].digest);
    forms.write("two.digest", "\xef\xbb\xbf" + target.images[1].digest + "\r\n");
    return "[{digest-file: '*.digest', repository: " + forms.repository(target) + "}]";
  });
  forms.add("name-lines", [&](const PublishTarget& target) {  // ko and apko --image-refs
    forms.write("images.txt", forms.repository(target) + "@" + target.images[0].digest + "\n" +
                                  forms.repository(target) + ":v1@" + target.images[1].digest +
                                  "\n");
    return std::string("[{digest-file: images.txt}]");
  });
}

void add_json_forms(Forms& forms) {
  forms.add("metadata", [&](const PublishTarget& target) {
    forms.write("build-amd64.json", forms.metadata_of(target, target.images[0]));
    forms.write("build-arm64.json", forms.metadata_of(target, target.images[1]));
    return std::string("[{metadata: 'build-*.json'}]");
  });
  forms.add("jib", [&](const PublishTarget& target) {
    for (const Image& image : target.images) {
      forms.write("jib-" + image.architecture + ".json",
                  json::serialize(json::object{{"image", forms.repository(target) + ":1"},
                                               {"imageId", image.config.digest},
                                               {"imageDigest", image.digest},
                                               {"tags", json::array{"1"}}}));
    }
    return std::string("[{digest-file: 'jib-*.json'}]");
  });
  forms.add("goreleaser", [&](const PublishTarget& target) {
    json::array artifacts = {json::object{{"name", "metadata.json"}, {"type", "Metadata"}}};
    for (const Image& image : target.images) {
      for (const char* tag : {":v1-", ":latest-"}) {
        artifacts.push_back(
            json::object{{"name", forms.repository(target) + tag + image.architecture},
                         {"type", "Docker Image"},
                         {"extra", json::object{{"Digest", image.digest}, {"ID", "app"}}}});
      }
    }
    forms.write("artifacts.json", json::serialize(artifacts));
    return std::string("[{digest-file: artifacts.json}]");
  });
}

}  // namespace

TEST_CASE("what any builder leaves is published", "[forms]") {
  Forms forms;
  add_text_forms(forms);
  add_json_forms(forms);
  forms.scene.push_sources();
  const Ended ended = run(forms.scene.program_of(forms.scene.plan_head() + forms.targets));
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  check_published(forms.scene);
}

TEST_CASE("bake's metadata and print, and docker/metadata-action's tags, are published",
          "[forms]") {
  PublishScene scene;
  scene.targets = {make_target("app", 320)};
  scene.push_sources();
  const PublishTarget& target = scene.targets[0];
  const std::string repository = scene.first.address() + "/" + scene.staging_of(target);
  for (const Image& image : target.images) {
    scene.folder.write(image.architecture + "-metadata.json",
                       R"({"buildx.build.warnings":[],"app":{"containerimage.digest":")" +
                           image.digest + R"(","image.name":")" + repository + "\"}}");
  }
  scene.folder.write(
      "bake.json",
      R"({"group":{"default":{"targets":["app"]}},"target":{"app":{"tags":[")" +
          scene.tags_of(target)[0] + "\",\"" + scene.tags_of(target)[1] +
          R"("],"platforms":["linux/amd64","linux/arm64"],"annotations":["index:who=bake"]}}})");
  const Ended baked = run(
      scene.program_of(scene.plan_head() + "metadata: ['*-metadata.json']\nbake: [bake.json]\n"));
  INFO(baked.err);
  REQUIRE(baked.exit_code() == 0);
  check_published(scene);

  Program program = scene.program_of(scene.plan_head() +
                                     "targets:\n  app:\n    sources: [{metadata: "
                                     "'*-metadata.json'}]\n    metadata-action: "
                                     "'${DOCKER_METADATA_OUTPUT_JSON}'\n    tags: ['${TAGS}']\n");
  const std::string final = scene.first.address() + "/final/";
  program.environment.insert(
      program.environment.end(),
      {{"DOCKER_METADATA_OUTPUT_JSON",
        R"({"tags":[")" + final + R"(action:1.0"],"annotations":["index:who=action"]})"},
       {"TAGS", final + "lines:a," + final + "lines:b\n" + final + "words"}});
  const Ended ended = run(program);
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
  const std::string& registry = scene.first_registry.address();
  const std::string digest = digest_at(registry, "final/action", "1.0");
  CHECK_FALSE(digest.empty());
  CHECK(digest != scene.digests_of(target)[0]);  // other annotations
  CHECK(digest_at(registry, "final/lines", "a") == digest);
  CHECK(digest_at(registry, "final/lines", "b") == digest);
  CHECK(digest_at(registry, "final/words", "latest") == digest);
}
