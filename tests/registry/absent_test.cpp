// The main job: a digest that a registry does not show yet.
#include "scene.hpp"

#include <algorithm>
#include <array>

using namespace test;

namespace {

struct Case {
  std::string name;
  std::string version;
  std::vector<std::string> words;  // WHERE stands for what tells one run's traces from another's
};

std::vector<std::string> for_run(std::vector<std::string> words, std::string_view where) {
  for (std::string& word : words) word = replaced(word, "WHERE", where);
  return words;
}

std::vector<Case> cases(const Scene& scene, const std::string& digest, const std::string& other) {
  const std::string source = scene.reference("o/src@") + digest;
  std::vector<Case> all;
  for (const std::string& version : oras_versions) {
    all.push_back({"cp",
                   version,
                   {"cp", "--from-plain-http", "--to-plain-http", source,
                    scene.reference("o/WHERE-" + version + ":v1")}});
    all.push_back({"pull", version, {"pull", "--plain-http", "-o", "WHERE", source}});
    all.push_back(
        {"manifest fetch", version, {"manifest", "fetch", "--plain-http", "--descriptor", source}});
    all.push_back({"resolve", version, {"resolve", "--plain-http", source}});
    all.push_back({"tag", version, {"tag", "--plain-http", source, "WHERE"}});
  }
  all.push_back({"index create",
                 "1.3.6",
                 {"manifest", "index", "create", "--plain-http",
                  scene.reference("o/src:WHERE-index"), digest, other}});
  return all;
}

}  // namespace

TEST_CASE("a digest that is not found three times and then is ends in success", "[absent]") {
  const bool held = GENERATE(false, true);
  Scene scene;
  const std::array images = {make_image(), make_image({.architecture = "arm64", .seed = 2})};
  for (const Image& image : images) push(scene.registry.address(), "o/src", image, image.digest);
  std::vector<std::string> options = {"--delay", "20ms", "--jitter", "none"};
  if (held) options.emplace_back("--hold-stdout");

  for (const Case& each : cases(scene, images[0].digest, images[1].digest)) {
    CAPTURE(each.name, each.version, held);
    scene.flaky.plan("faults: []");
    const Ended plain = run(scene.oras(each.version, for_run(each.words, "plain")));
    REQUIRE(plain.exit_code() == 0);

    scene.flaky.plan("faults: [{name: lag, repository: o/src, kind: manifest, digest: '" +
                     images[0].digest + "', invisible: {reads: 3, since: plan}}]");
    const Ended ended =
        run(scene.retried(options, scene.oras(each.version, for_run(each.words, "again"))));
    CAPTURE(ended.out, ended.err);
    CHECK(ended.exit_code() == 0);
    CHECK(scene.flaky.struck("lag") == 3);
    CHECK_THAT(ended.err, ContainsSubstring(images[0].digest.substr(0, 15)));
    CHECK_THAT(ended.err, ContainsSubstring("retry-exec: succeeded on attempt "));
    CHECK(ended.survivors.empty());

    const auto expected = sorted_lines(plain.out);
    const auto printed = sorted_lines(replaced(ended.out, "again", "plain"));
    // Without --hold-stdout what a failed attempt had printed by then stands too.
    if (held || each.name != "index create") CHECK(printed == expected);
    for (const std::string& line : printed) {
      CHECK(std::binary_search(expected.begin(), expected.end(), line));
    }
  }
}

TEST_CASE("a child and a config blob that lag behind their index are waited for", "[absent]") {
  Scene scene;
  const std::array images = {make_image(), make_image({.architecture = "arm64", .seed = 2})};
  for (const Image& image : images) push(scene.registry.address(), "o/src", image, image.digest);
  const Index index = make_index(images);
  push_manifest(scene.registry.address(), "o/src", index.manifest, index_type, "v1");

  for (const std::string& late : {images[1].digest, images[1].config.digest}) {
    CAPTURE(late);
    scene.flaky.plan("faults: [{name: lag, methods: [GET], digest: '" + late +
                     "', invisible: {reads: 2, since: plan}}]");
    const Ended ended = run(scene.retried(
        {"--delay", "20ms"},
        scene.oras("1.3.6", {"cp", "--from-plain-http", "--to-oci-layout",
                             scene.reference("o/src:v1"), "layout-" + late.substr(7, 8) + ":v1"})));
    CAPTURE(ended.err);
    CHECK(ended.exit_code() == 0);
    CHECK(scene.flaky.struck("lag") == 2);
  }
}

TEST_CASE("a digest that never appears ends with the command's own code", "[absent]") {
  Scene scene;
  for (const std::string& version : oras_versions) {
    const Ended ended = run(scene.retried(
        {"--delay", "1ms", "--attempts", "3"},
        scene.oras(version, {"resolve", "--plain-http",
                             scene.reference("o/r@sha256:") + std::string(64, 'a')})));
    CAPTURE(ended.err);
    CHECK(ended.exit_code() == 1);
    CHECK(attempts_in(ended.err) == 3);
    CHECK(ended.out.empty());
  }
}
