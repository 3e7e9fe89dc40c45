// Failures that pass by themselves: throttling, hangs, broken connections, errors of the registry.
#include "scene.hpp"

#include <algorithm>
#include <memory>

using namespace test;

namespace {

// oras does not retry the upload of a blob by itself, so each of these costs one attempt.
std::string throttled_upload(const std::string& retry_after) {
  return "faults: [{name: throttle, kind: upload, methods: [PUT], times: 1,"
         " answer: {status: 429, message: 'retry-after: " +
         retry_after + ", allowed: 2000/minute'}}]";
}

struct LayoutToPush {
  explicit LayoutToPush(const Scene& scene) {
    write_layout(scene.folder / "layout", make_image({.layer_sizes = {}}), "v1");
  }
  std::vector<std::string> to(const Scene& scene, const std::string& repository) const {
    return {"cp", "--from-oci-layout", "--to-plain-http", "layout:v1",
            scene.reference(repository) + ":v1"};
  }
};

// Seconds between the answer that the fault gave and the next request.
double pause_after(const std::string& fault, const std::vector<JournalEntry>& journal) {
  const auto struck = std::find_if(journal.begin(), journal.end(),
                                   [&](const auto& entry) { return entry.fault == fault; });
  if (struck == journal.end() || std::next(struck) == journal.end()) return -1;
  return std::next(struck)->at - struck->at;
}

}  // namespace

TEST_CASE("a throttled push waits for what GHCR asks, and never less", "[transient]") {
  Scene scene;
  const LayoutToPush layout(scene);
  for (const std::string& version : oras_versions) {
    for (const auto& [retry_after, seconds] :
         {std::pair<std::string, double>{"12.5ms", 0.0125}, {"1.5s", 1.5}}) {
      scene.flaky.plan(throttled_upload(retry_after));
      const Ended ended = run(
          scene.retried({"--delay", "1ms", "--max-delay", "1ms", "--jitter", "none"},
                        scene.oras(version, layout.to(scene, "o/" + version + '-' + retry_after))));
      CAPTURE(version, retry_after, ended.err);
      CHECK(ended.exit_code() == 0);
      CHECK_THAT(ended.err, ContainsSubstring("throttled"));
      CHECK(attempts_in(ended.err) == 2);
      const double waited = pause_after("throttle", scene.flaky.journal());
      CHECK(waited >= seconds);
      CHECK(waited < seconds + 3);
    }
  }
}

TEST_CASE("a wait that is longer than the deadline is announced and not begun", "[transient]") {
  Scene scene;
  const LayoutToPush layout(scene);
  scene.flaky.plan(throttled_upload("30s"));
  const Ended ended = run(scene.retried({"--delay", "1ms", "--deadline", "20s"},
                                        scene.oras("1.3.6", layout.to(scene, "o/r"))));
  CAPTURE(ended.err);
  CHECK(ended.exit_code() == 124);
  CHECK(ended.wall < 15s);
  CHECK(scene.flaky.struck("throttle") == 1);
  CHECK_THAT(ended.err, ContainsSubstring("30"));
}

TEST_CASE("throttled reads and 5xx that outlast oras's own retries are tried again",
          "[transient]") {
  Scene scene;
  const Image image = make_image();
  const std::vector<std::string> answers = {
      "{status: 503}", "{status: 502, body: html}", "{status: 500, body: empty}",
      "{status: 429, headers: {Retry-After: '1'}}",
      "{status: 429, message: 'retry-after: 12.5ms, allowed: 2000/minute'}"};
  std::string plan = "faults:\n";
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string repository = "o/src-" + std::to_string(i);
    push(scene.registry.address(), repository, image, "v1");
    plan += "  - {repository: " + repository + ", times: 6, answer: " + answers[i] + "}\n";
  }
  scene.flaky.plan(plan);
  std::vector<std::unique_ptr<Running>> all;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    all.push_back(std::make_unique<Running>(
        scene.retried({"--delay", "1ms"},
                      scene.oras("1.3.6", scene.copy("o/src-" + std::to_string(i) + ":v1",
                                                     "o/copy-" + std::to_string(i) + ":v1")))));
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Ended ended = all[i]->wait();
    CAPTURE(answers[i], ended.err);
    CHECK(ended.exit_code() == 0);
    CHECK(attempts_in(ended.err) == 2);
  }
}

TEST_CASE("a registry that accepts and never answers is given up by -t", "[transient]") {
  Scene scene;
  const Image image = make_image();
  push(scene.registry.address(), "o/src", image, "v1");
  for (const std::string& version : oras_versions) {
    scene.flaky.plan("faults: [{name: hang, times: 1, silence: {}}]");
    const Ended ended = run(
        scene.retried({"--delay", "1ms", "-t", "1s"},
                      scene.oras(version, scene.copy("o/src:v1", "o/copy-" + version + ":v1"))));
    CAPTURE(version, ended.err);
    CHECK(ended.exit_code() == 0);
    CHECK(ended.wall >= 1s);
    CHECK(ended.wall < 10s);
    CHECK(scene.flaky.struck("hang") == 1);
    CHECK_THAT(ended.err, ContainsSubstring("timed out after 1"));
    CHECK(ended.survivors.empty());
  }
}

TEST_CASE("a connection that breaks is tried again", "[transient]") {
  Scene scene;
  const Image image = make_image({.layer_sizes = {200'000}});
  push(scene.registry.address(), "o/src", image, "v1");
  int copies = 0;
  const std::string lost_upload =
      "{status: 404, code: BLOB_UPLOAD_INVALID, message: 'blob upload invalid'}";
  const std::vector<std::string> faults = {
      "kind: manifest, cut: {}",
      "digest: '" + image.layers[0].digest + "', methods: [GET], cut: {after: 100k}",
      "kind: upload, methods: [PUT], reset: true",
      "kind: upload, methods: [PUT], answer: {status: 500, code: UNKNOWN}",
      "kind: upload, methods: [PUT], answer: " + lost_upload,
  };
  for (const std::string& fault : faults) {
    for (const std::string& version : oras_versions) {
      scene.flaky.plan("faults: [{name: broken, times: 1, " + fault + "}]");
      const std::string layout = "layout-" + std::to_string(++copies);
      const bool reads = fault.find("upload") == std::string::npos;
      if (!reads) write_layout(scene.folder / layout, image, "v1");
      const std::vector<std::string> words =
          reads ? std::vector<std::string>{"cp", "--from-plain-http", "--to-oci-layout",
                                           scene.reference("o/src:v1"), layout + ":v1"}
                : std::vector<std::string>{"cp", "--from-oci-layout", "--to-plain-http",
                                           layout + ":v1", scene.reference("o/" + layout + ":v1")};
      const Ended ended = run(scene.retried({"--delay", "1ms"}, scene.oras(version, words)));
      CAPTURE(version, fault, ended.err);
      CHECK(ended.exit_code() == 0);
      CHECK(scene.flaky.struck("broken") == 1);
      CHECK(attempts_in(ended.err) == 2);
    }
  }
}
