// The proxy itself: what oras says when a registry behaves like this.
#include "scene.hpp"

#include <algorithm>
#include <array>
#include <memory>

using namespace test;

namespace {

struct Shape {
  std::string name;   // of the fault, and of the repository that has it
  std::string probe;  // final line of `manifest fetch --descriptor`, a HEAD
  std::string copy;   // final line of `cp`, a GET, behind its prefix
};

// REF, URL and DIGEST stand for the reference asked for, its address and its digest.
const std::vector<Shape> shapes = {
    {"missing", "Error response from registry: failed to find \"REF\": REF: not found",
     "REF: not found"},
    {"throttled", "HEAD \"URL\": response status code 429: Too Many Requests",
     "toomanyrequests: too many requests"},
    {"ghcr-throttled", "HEAD \"URL\": response status code 429: Too Many Requests",
     "toomanyrequests: retry-after: 12.5ms, allowed: 2000/minute"},
    {"unavailable", "HEAD \"URL\": response status code 503: Service Unavailable",
     "unavailable: service unavailable"},
    {"html", "HEAD \"URL\": response status code 503: Service Unavailable",
     "GET \"URL\": response status code 503: Service Unavailable"},
    {"bare", "HEAD \"URL\": response status code 502: Bad Gateway",
     "GET \"URL\": response status code 502: Bad Gateway"},
    {"unauthorized", "HEAD \"URL\": response status code 401: Unauthorized",
     "unauthorized: authentication required"},
    {"denied", "HEAD \"URL\": response status code 403: Forbidden",
     "denied: requested access to the resource is denied"},
    {"reset", "read: connection reset by peer", "read: connection reset by peer"},
    {"cut", "", "unexpected EOF"},
};

constexpr std::string_view shape_plan = R"(
faults:
  - {name: missing, repository: shape/missing, answer: {status: 404}}
  - {name: throttled, repository: shape/throttled, answer: {status: 429}}
  - name: ghcr-throttled
    repository: shape/ghcr-throttled
    answer: {status: 429, message: 'retry-after: 12.5ms, allowed: 2000/minute'}
  - {name: unavailable, repository: shape/unavailable, answer: {status: 503}}
  - {name: html, repository: shape/html, answer: {status: 503, body: html}}
  - {name: bare, repository: shape/bare, answer: {status: 502, body: empty}}
  - {name: unauthorized, repository: shape/unauthorized, answer: {status: 401}}
  - {name: denied, repository: shape/denied, answer: {status: 403}}
  - {name: reset, repository: shape/reset, reset: true}
  - {name: cut, repository: shape/cut, kind: manifest, cut: {}}
)";

struct Asked {
  std::string what;
  std::string expected;
  std::unique_ptr<Running> running;
};

std::string filled_in(const std::string& shape, const std::string& address,
                      const std::string& repository, const std::string& digest) {
  const std::string url = "http://" + address + "/v2/" + repository + "/manifests/" + digest;
  return replaced(replaced(shape, "REF", address + '/' + repository + '@' + digest), "URL", url);
}

}  // namespace

TEST_CASE("oras words each fault as it words it of the real registries", "[flaky]") {
  Scene scene;
  scene.flaky.plan(shape_plan);
  const Image image = make_image();
  std::vector<Asked> all;
  for (const Shape& shape : shapes) {
    const std::string repository = "shape/" + shape.name;
    push(scene.registry.address(), repository, image, "v1");
    const std::string reference = scene.reference(repository) + '@' + image.digest;
    const auto ask = [&](const std::string& version, const std::string& expected,
                         const std::vector<std::string>& words) {
      all.push_back({version + ' ' + shape.name + ' ' + words.front(),
                     filled_in(expected, scene.flaky.address(), repository, image.digest),
                     std::make_unique<Running>(scene.oras(version, words))});
    };
    for (const std::string version : {"1.3.6", "1.3.3", "1.2.3"}) {
      ask(version, shape.probe, {"manifest", "fetch", "--plain-http", "--descriptor", reference});
      ask(version, shape.copy,
          {"cp", "--from-plain-http", "--to-plain-http", reference,
           scene.reference("copied/" + shape.name) + ":v1"});
    }
  }
  for (Asked& asked : all) {
    const Ended ended = asked.running->wait();
    CAPTURE(asked.what, ended.out, ended.err);
    CHECK(ended.exit_code() == (asked.expected.empty() ? 0 : 1));
    if (!asked.expected.empty()) {
      CHECK_THAT(ended.err, ContainsSubstring(asked.expected + '\n'));
      CHECK_THAT(ended.err, ContainsSubstring("Error"));
    }
  }
}

TEST_CASE("what was just pushed stays invisible for so many reads of each", "[flaky]") {
  Scene scene;
  scene.flaky.plan("faults: [{name: lag, kind: manifest, invisible: {reads: 2}}]");
  const Image image = make_image();
  push(scene.flaky.address(), "o/r", image, "v1");
  const auto read = [&](const std::string& reference) {
    return http(scene.flaky.address(), "GET", "/v2/o/r/manifests/" + reference, {},
                {{"Accept", std::string(manifest_type)}});
  };
  for (const std::string& reference : {std::string("v1"), image.digest}) {
    CAPTURE(reference);
    const HttpAnswer first = read(reference);
    CHECK(first.status == 404);
    CHECK_THAT(first.body, ContainsSubstring("MANIFEST_UNKNOWN"));
    CHECK(read(reference).status == 404);
    CHECK(read(reference).body == image.manifest);
  }
  CHECK(scene.flaky.struck("lag") == 4);
}

TEST_CASE("what was just pushed stays invisible for a while", "[flaky]") {
  Scene scene;
  scene.flaky.plan("faults: [{invisible: {for: 2s}}]");
  const Image image = make_image();
  push(scene.flaky.address(), "o/r", image, "v1");
  CHECK(digest_at(scene.flaky.address(), "o/r", "v1").empty());
  CHECK(eventually([&] { return digest_at(scene.flaky.address(), "o/r", "v1") == image.digest; }));
  const auto journal = scene.flaky.journal();
  const auto put = std::find_if(journal.begin(), journal.end(),
                                [](const auto& entry) { return entry.tag == "v1"; });
  REQUIRE(put != journal.end());
  CHECK(put->method == "PUT");
  CHECK(put->digest == image.digest);
  CHECK(put->request_bytes == image.manifest.size());
  CHECK(journal.back().at - put->at >= 2);
}

TEST_CASE("an index is refused while a child of it is invisible", "[flaky]") {
  Scene scene;
  scene.flaky.plan("faults: [{invisible: {reads: 1, refuse-parents: true}, kind: manifest}]");
  const std::array images = {make_image(), make_image({.architecture = "arm64", .seed = 2})};
  for (const Image& image : images) {
    push_blobs(scene.registry.address(), "o/r", image);
    push_manifest(scene.flaky.address(), "o/r", image.manifest, manifest_type, image.digest);
  }
  const Index index = make_index(images);
  const auto put = [&] {
    return http(scene.flaky.address(), "PUT", "/v2/o/r/manifests/v1", index.manifest,
                {{"Content-Type", std::string(index_type)}});
  };
  const HttpAnswer refused = put();
  CHECK(refused.status == 400);
  CHECK_THAT(refused.body, ContainsSubstring("MANIFEST_BLOB_UNKNOWN"));
  CHECK_THAT(refused.body, ContainsSubstring(images[0].digest));
  for (const Image& image : images) {
    CHECK(digest_at(scene.flaky.address(), "o/r", image.digest).empty());
  }
  CHECK(put().status == 201);
}

TEST_CASE("a moved tag reads stale, and a new one not at all", "[flaky]") {
  Scene scene;
  scene.flaky.plan("faults: [{name: stale, stale: {reads: 2}}]");
  const Image old = make_image({.seed = 1});
  const Image fresh = make_image({.seed = 2});
  const std::string& through = scene.flaky.address();
  push(scene.registry.address(), "o/r", old, "v1");
  push(through, "o/r", fresh, "v1");
  CHECK(digest_at(through, "o/r", "v1") == old.digest);
  CHECK(digest_at(through, "o/r", "v1") == old.digest);
  CHECK(digest_at(through, "o/r", "v1") == fresh.digest);
  CHECK(digest_at(scene.registry.address(), "o/r", "v1") == fresh.digest);

  push(through, "o/r", fresh, "new");
  CHECK(digest_at(through, "o/r", "new").empty());
  CHECK(digest_at(through, "o/r", fresh.digest) == fresh.digest);
  CHECK(digest_at(through, "o/r", "new").empty());
  CHECK(digest_at(through, "o/r", "new") == fresh.digest);
}

TEST_CASE("oras cp to several tags is caught by a stale tag", "[flaky]") {
  Scene scene;
  const Image old = make_image({.seed = 1});
  const Image fresh = make_image({.seed = 2});
  push(scene.registry.address(), "o/r", old, "t1");
  push(scene.flaky.address(), "o/src", fresh, "v1");
  scene.flaky.plan("faults: [{stale: {for: 1m}, methods: [GET]}]");
  const Ended ended = run(scene.oras(
      "1.3.6", {"cp", "--from-plain-http", "--to-plain-http",
                scene.reference("o/src@") + fresh.digest, scene.reference("o/r:t1,t2")}));
  CHECK(ended.exit_code() == 0);
  CHECK(digest_at(scene.registry.address(), "o/r", "t1") == fresh.digest);
  CHECK(digest_at(scene.registry.address(), "o/r", "t2") == old.digest);
}

TEST_CASE("an immutable tag is refused in ECR's words, also to what it has", "[flaky]") {
  Scene scene;
  scene.flaky.plan("faults: [{immutable-tags: true}]");
  const Image image = make_image();
  push(scene.flaky.address(), "o/r", image, "v1");
  const Ended ended = run(
      scene.oras("1.3.6", {"tag", "--plain-http", scene.reference("o/r@") + image.digest, "v1"}));
  CHECK(ended.exit_code() == 1);
  CHECK(last_line(ended.err) ==
        "Error response from registry: tag invalid: The image tag 'v1' already exists in the 'o/r' "
        "repository and cannot be overwritten because the tag is immutable.");
}

TEST_CASE("a fault can strike after the registry has done what was asked", "[flaky]") {
  Scene scene;
  scene.flaky.plan(
      "faults: [{methods: [PUT], tag: .*, times: 1, forward: true, answer: {status: 504, body: "
      "html}}]");
  const Image image = make_image();
  CHECK_THROWS(push(scene.flaky.address(), "o/r", image, "v1"));
  CHECK(digest_at(scene.flaky.address(), "o/r", "v1") == image.digest);
}

TEST_CASE("silence holds the connection for as long as it is told", "[flaky]") {
  Scene scene;
  scene.flaky.plan("faults: [{silence: {for: 200ms}}]");
  const auto before = Clock::now();
  CHECK_THROWS(http(scene.flaky.address(), "GET", "/v2/"));
  CHECK(Clock::now() - before >= 200ms);
  REQUIRE(scene.flaky.journal().size() == 1);
  CHECK(scene.flaky.journal()[0].status == 0);
}

TEST_CASE("large blobs stream through in both directions", "[flaky]") {
  Scene scene;
  const Image image = make_image({.layer_sizes = {std::size_t{40} << 20}});
  push(scene.flaky.address(), "o/r", image, "v1");
  const HttpAnswer answer =
      http(scene.flaky.address(), "GET", "/v2/o/r/blobs/" + image.layers[0].digest);
  CHECK(answer.status == 200);
  CHECK((answer.body == image.layers[0].bytes));
}

TEST_CASE("a plan that is wrong is refused with the place, and the old one stays", "[flaky]") {
  Scene scene;
  scene.flaky.plan("faults: [{answer: {status: 418, code: TEAPOT}}]");
  const HttpAnswer refused =
      http(scene.flaky.address(), "POST", "/_flaky/plan", "faults:\n  - {resett: true}\n");
  CHECK(refused.status == 400);
  CHECK_THAT(refused.body, ContainsSubstring("plan:2:6: unknown key 'resett'"));
  CHECK_THAT(refused.body, ContainsSubstring("did you mean 'reset'?"));
  CHECK(http(scene.flaky.address(), "GET", "/v2/").status == 418);
}
