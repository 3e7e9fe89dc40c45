// Images with attestations, merged as `docker buildx imagetools create` merges them.
#include "publish_scene.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>
#include <fstream>

using namespace test;

namespace {

namespace json = boost::json;

// What two builders with provenance have pushed, and a third without.
struct Attestations {
  PublishScene scene;
  std::vector<std::string> sources;  // "repository@digest"

  Attestations() {
    scene.targets = {{"app", {}}};
    for (const char* architecture : {"amd64", "arm64", "s390x"}) {
      const Image image = make_image({architecture, {2000}, 440 + sources.size()});
      push_blobs(address(), repository, image);
      push_manifest(address(), repository, image.manifest, manifest_type, image.digest);
      std::string source = image.digest;
      if (sources.size() < 2) source = push_attested(image);
      sources.push_back(address() + "/" + repository + "@" + source);
    }
  }

  std::string push_attested(const Image& image) const {
    const Attested attested = attest(image);
    const Image& attestation = attested.attestation;
    push_blobs(address(), repository, attestation);
    push_manifest(address(), repository, attestation.manifest, manifest_type, attestation.digest);
    push_manifest(address(), repository, attested.index.manifest, index_type,
                  attested.index.digest);
    return attested.index.digest;
  }

  const std::string& address() const { return scene.first_registry.address(); }

  // With no flag, and no date.
  json::array published() const {
    std::string plan = scene.plan_head() + "  '" + address() +
                       "': {plain-http: true}\ntargets:\n  app:\n    tags: [" +
                       scene.tags_of(scene.targets[0])[1] + "]\n    sources:\n";
    for (const std::string& source : sources) plan += "      - " + source + "\n";
    const Ended ended = run(scene.program_of(plan));
    INFO(ended.err);
    REQUIRE(ended.exit_code() == 0);
    return manifests_at(scene.second_registry.address(), "final/app", "1.0");
  }

  json::array manifests_at(const std::string& registry, const std::string& where,
                           const std::string& tag) const {
    const HttpAnswer answer = http(registry, "GET", "/v2/" + where + "/manifests/" + tag, {},
                                   {{"Accept", std::string(index_type)}});
    CHECK(answer.status == 200);
    return json::parse(answer.body).at("manifests").as_array();
  }

  const std::string repository = "build/app";
};

json::array fixture() {
  return json::parse(read_file(required("IMAGETOOLS_FIXTURE"))).at("manifests").as_array();
}

}  // namespace

TEST_CASE("attestations are merged descriptor for descriptor as imagetools does",
          "[attestations]") {
  const Attestations attestations;
  const json::array published = attestations.published();
  CHECK(published.size() == 5);
  CHECK(published == fixture());
}

TEST_CASE("imagetools itself still merges so", "[slow][full-attestations]") {
  const Attestations attestations;
  std::vector<std::string> argv = {required("BUILDX"), "imagetools", "create", "--tag",
                                   attestations.address() + "/" + attestations.repository + ":all"};
  argv.insert(argv.end(), attestations.sources.begin(), attestations.sources.end());
  const Ended ended = run({.argv = std::move(argv),
                           .environment = {{"HOME", attestations.scene.folder.path()},
                                           {"BUILDX_CONFIG", attestations.scene.folder / "buildx"}},
                           .time_limit = 60s});
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
  const json::array made =
      attestations.manifests_at(attestations.address(), attestations.repository, "all");
  if (const char* file = std::getenv("WRITE_IMAGETOOLS_FIXTURE")) {
    std::ofstream(file) << json::serialize(json::object{{"manifests", made}}) << '\n';
  }
  CHECK(made == fixture());
  CHECK(attestations.published() == made);
}
