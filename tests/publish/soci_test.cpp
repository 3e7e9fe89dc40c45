// soci itself, ours and a real one: what the publish driver relies on.
#include "publish_scene.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace test;

namespace {

// What oras leaves of an index in a layout: the root first, then each child.
std::string pulled(const PublishScene& scene, const PublishTarget& target) {
  const Index index = make_index(target.images);
  push_manifest(scene.first.address(), scene.staging_of(target), index.manifest, index_type, "all");
  const Ended ended =
      run({.argv = {scene.oras, "cp", "--no-tty", "--from-plain-http", "--to-oci-layout",
                    scene.first.address() + '/' + scene.staging_of(target) + ":all",
                    scene.folder / "layout:image"}});
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
  return scene.folder / "layout";
}

void reduce_to_root(const std::string& layout, const PublishTarget& target) {
  const Index index = make_index(target.images);
  std::ofstream(layout + "/index.json")
      << R"({"schemaVersion":2,"mediaType":")" << index_type << R"(","manifests":[{"mediaType":")"
      << index_type << R"(","digest":")" << index.digest << R"(","size":)" << index.manifest.size()
      << "}]}";
}

Ended convert(const PublishScene& scene, std::vector<std::string> options,
              const std::string& layout) {
  std::vector<std::string> argv = {scene.soci, "convert", "--standalone", "--format", "oci-dir"};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.insert(argv.end(), {layout, scene.folder / "converted"});
  return run({.argv = argv});
}

}  // namespace

TEST_CASE("soci converts a layout of one root, and the same each time", "[soci]") {
  PublishScene scene;
  scene.soci = GENERATE(from_range(soci_commands()));
  scene.targets = {make_target("beta", 77, true)};
  scene.push_sources();
  const std::string layout = pulled(scene, scene.targets[0]);
  reduce_to_root(layout, scene.targets[0]);
  const std::vector<std::string> options = {"--all-platforms", "--min-layer-size", "1048576",
                                            "--span-size", "262144"};
  const Ended ended = convert(scene, options, layout);
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
  const std::string converted = read_file(scene.folder / "converted/index.json");
  std::filesystem::remove_all(scene.folder / "converted");
  CHECK(convert(scene, options, layout).exit_code() == 0);
  CHECK(read_file(scene.folder / "converted/index.json") == converted);
}

TEST_CASE("soci refuses what it cannot convert, in words that rules know", "[soci]") {
  PublishScene scene;
  scene.soci = GENERATE(from_range(soci_commands()));
  scene.targets = {make_target("beta", 78, true)};
  scene.push_sources();
  const std::string layout = pulled(scene, scene.targets[0]);
  const auto refused = [&](std::vector<std::string> options) {
    const Ended ended = convert(scene, std::move(options), layout);
    CHECK(ended.exit_code() == 1);
    return ended.err;
  };
  CHECK_THAT(refused({"--all-platforms", "--min-layer-size", "1048576"}),
             ContainsSubstring("soci: manifest should have proper platform"));
  reduce_to_root(layout, scene.targets[0]);
  CHECK_THAT(
      refused({"--all-platforms"}),
      ContainsSubstring("soci: no ztocs created, all layers either skipped or produced errors"));
  CHECK_THAT(refused({"--platform", "linux/riscv64", "--min-layer-size", "1048576"}),
             ContainsSubstring("soci: image manifest for linux/riscv64: not found"));
}

TEST_CASE("an image without a layer worth indexing is published as it is, or fails by plan",
          "[soci]") {
  const bool fail = GENERATE(false, true);
  PublishScene scene;
  three_targets(scene, 11);
  scene.minimum_layer_size = fail ? "10MiB, on-empty: fail" : "10MiB, on-empty: skip";
  scene.push_sources();
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == (fail ? 1 : 0));
  if (fail) {
    CHECK_THAT(ended.err, ContainsSubstring("no ztocs created"));
    std::erase_if(scene.targets, [](const auto& target) { return target.soci; });
  } else {
    for (PublishTarget& target : scene.targets) target.soci = false;
  }
  check_published(scene);
}

TEST_CASE("a platform that the image has not ends its target at once", "[soci]") {
  PublishScene scene;
  three_targets(scene, 12);
  scene.minimum_layer_size = "1MiB, platforms: [linux/riscv64]";
  scene.push_sources();
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 1);
  CHECK(ended.wall < 20s);
  CHECK_THAT(ended.err, ContainsSubstring("beta: soci: "));
  CHECK_THAT(ended.err, ContainsSubstring("image manifest for linux/riscv64: not found"));
  std::erase_if(scene.targets, [](const auto& target) { return target.soci; });
  check_published(scene);
}

TEST_CASE("an image for one platform alone is converted too", "[soci]") {
  PublishScene scene;
  scene.soci = GENERATE(from_range(soci_commands()));
  scene.targets = {make_target("one", 78, true)};
  scene.targets[0].images.pop_back();
  scene.push_sources();
  for (int run = 0; run < 2; ++run) {
    const Ended ended = scene.publish();
    INFO(ended.err);
    CHECK(ended.exit_code() == 0);
    check_published(scene);
  }
}

TEST_CASE("only the platforms that the plan names are converted", "[soci]") {
  PublishScene scene;
  scene.soci = GENERATE(from_range(soci_commands()));
  scene.targets = {make_target("beta", 79, true)};
  scene.minimum_layer_size = "1MiB, platforms: [linux/arm64]";
  scene.push_sources();
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  const auto digests = scene.digests_of(scene.targets[0]);
  CHECK(digests[0] == digests[1]);
  const HttpAnswer index = http(scene.first_registry.address(), "GET",
                                "/v2/" + scene.repository_of(scene.targets[0]) + "/manifests/1.0",
                                {}, {{"Accept", std::string(index_type)}});
  CHECK(index.body.find(scene.targets[0].images[0].digest) != std::string::npos);
  CHECK(index.body.find(scene.targets[0].images[1].digest) == std::string::npos);
}

TEST_CASE("what the plan says of an index is on what soci made of it", "[soci]") {
  PublishScene scene;
  scene.soci = GENERATE(from_range(soci_commands()));
  scene.targets = {make_target("beta", 80, true)};
  scene.targets[0].extra = "annotations: {org.example.title: beta}";
  scene.push_sources();
  for (int run = 0; run < 2; ++run) {
    const PublishScene::Moment before = scene.moment();
    const Ended ended = scene.publish();
    INFO(ended.err);
    CHECK(ended.exit_code() == 0);
    check_published(scene);
    const HttpAnswer index = http(scene.first_registry.address(), "GET",
                                  "/v2/" + scene.repository_of(scene.targets[0]) + "/manifests/1.0",
                                  {}, {{"Accept", std::string(index_type)}});
    CHECK(index.body.find(R"("org.example.title":"beta")") != std::string::npos);
    const auto entries = scene.entries_since(before);
    CHECK(std::any_of(entries.begin(), entries.end(), is_write) == (run == 0));
  }
}

TEST_CASE("layers around soci's own threshold are converted by its defaults", "[soci]") {
  PublishScene scene;
  scene.soci = GENERATE(from_range(soci_commands()));
  PublishTarget target{"big", {}, true};
  for (const char* architecture : {"amd64", "arm64"}) {
    target.images.push_back(
        make_image({architecture, {3000, 11u << 20}, 500 + target.images.size()}));
  }
  scene.targets = {target};
  scene.minimum_layer_size = "10MiB";
  scene.push_sources();
  const Ended ended = scene.publish();
  INFO(ended.err);
  CHECK(ended.exit_code() == 0);
  check_published(scene);
}
