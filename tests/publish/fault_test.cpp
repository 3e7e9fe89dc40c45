// The registries of the plan at their worst, one fault at a time and all at once.
#include "publish_scene.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

using namespace test;

namespace {

struct Trouble {
  std::string name;
  std::string faults;  // of both registries, from when the sources have been pushed
  std::string attempt_timeout = "20s";
  bool republish = false;  // the tags have older images already
};

// The seconds are those of the regular suite; `scale` makes of them the full ones.
std::string seconds(double regular, double scale) {
  return std::to_string(static_cast<int>(regular * scale * 1000)) + "ms";
}

const std::string reads = "methods: [GET, HEAD], ";

std::string late_sources(double scale) {
  std::string faults;
  const std::vector<double> lags = {0.3, 1, 2, 3};
  const std::vector<std::string> halves = {"[0-3]", "[4-7]", "[89ab]", "[c-f]"};
  for (std::size_t i = 0; i < lags.size(); ++i) {
    faults += "  - {name: late sources " + std::to_string(i) + ", " + reads +
              "kind: manifest, repository: 'build/.*', digest: 'sha256:" + halves[i] +
              ".*', invisible: {for: " + seconds(lags[i], scale) + "}}\n";
  }
  return faults;
}

std::string late_contents(double scale) {
  return "  - {name: late contents, kind: manifest, digest: 'sha256:.*', invisible: {for: " +
         seconds(1, scale) + ", refuse-parents: true}}\n" +
         "  - {name: refused parents, methods: [PUT], kind: manifest, invisible: {for: " +
         seconds(1, scale) + ", refuse-parents: true}}\n" + "  - {name: late blobs, " + reads +
         "kind: blob, invisible: {reads: 1, for: " + seconds(1.5, scale) + "}}\n";
}

std::string stale_tags(double scale) {
  return "  - {name: stale tags, " + reads +
         "repository: 'final/.*', tag: '.*', stale: {for: " + seconds(2, scale) + "}}\n";
}

std::string late_tags(double scale) {
  return "  - {name: late tags, " + reads +
         "repository: 'final/.*', tag: '.*', invisible: {for: " + seconds(2, scale) + "}}\n";
}

std::string times(double regular, double scale) {
  return "times: " + std::to_string(static_cast<int>(regular * scale)) + ", ";
}

std::string throttle(double scale) {
  return "  - {name: throttled, kind: manifest, skip: 3, " + times(12, scale) +
         "answer: {status: 429, headers: {Retry-After: '1'}}}\n" +
         "  - {name: throttled as ghcr does, skip: 2, " + times(8, scale) +
         "answer: {status: 429, message: 'retry-after: 12.5ms, allowed: 2000/minute'}}\n";
}

std::string bursts(double scale) {
  return "  - {name: unavailable, kind: manifest, skip: 2, " + times(7, scale) +
         "answer: {status: 503}}\n" + "  - {name: bad gateway, kind: upload, " + times(3, scale) +
         "answer: {status: 502, body: html}}\n" + "  - {name: unknown, methods: [PUT], " +
         times(2, scale) + "answer: {status: 500, body: empty}}\n" +
         "  - {name: lost answer, methods: [PUT], kind: manifest, skip: 3, times: 2, forward: "
         "true, answer: {status: 504, body: html}}\n";
}

std::string resets(double scale) {
  return "  - {name: reset, skip: 2, " + times(10, scale) + "probability: 0.3, reset: true}\n" +
         "  - {name: cut, methods: [GET], skip: 3, " + times(4, scale) +
         "probability: 0.5, cut: {}}\n" +
         "  - {name: lost write, methods: [PUT], skip: 4, times: 3, forward: true, reset: true}\n";
}

std::string hangs(double scale) {
  return "  - {name: silent, kind: manifest, skip: 2, " + times(3, scale) + "silence: {}}\n" +
         "  - {name: silent upload, kind: upload, times: 1, silence: {}}\n";
}

constexpr double full = 20.0 / 3;  // of lags of 3 s it makes lags of 20 s

std::vector<Trouble> each(double scale) {
  return {
      {"source digests visible late", late_sources(scale)},
      {"children and config blobs lagging", late_contents(scale)},
      {"stale tags", stale_tags(scale), "20s", true},
      {"throttled with Retry-After", throttle(scale)},
      {"bursts of 5xx", bursts(scale)},
      {"connections reset and cut", resets(scale)},
      {"hangs", hangs(scale), scale > 1 ? "8s" : "3s"},
      {"tags visible late", late_tags(scale)},
  };
}

Trouble all_at_once(double scale) {
  const std::string all = late_sources(scale) + late_contents(scale) + stale_tags(scale) +
                          late_tags(scale) + throttle(scale) + bursts(scale) + resets(scale) +
                          hangs(scale);
  return {"all of it at once", all, scale > 1 ? "10s" : "5s", true};
}

// An earlier version of every target, where the faults cannot strike it.
void publish_older_images(PublishScene& scene) {
  const std::vector<PublishTarget> now = scene.targets;
  three_targets(scene, 900);
  for (const PublishTarget& target : scene.targets) {
    for (const FlakyRegistry* registry : {&scene.first, &scene.second}) {
      push(registry->address(), scene.repository_of(target), target.images.front(), "1.0");
    }
  }
  scene.targets = now;
}

// Registries, images and a run for one of the troubles.
struct Stage {
  Trouble trouble;
  PublishScene scene;
  PublishScene::Moment before;
  Program program;
  Ended ended;
  std::thread runs;

  Stage(const Trouble& under, std::chrono::milliseconds limit) : trouble(under) {
    three_targets(scene);
    scene.timeout = trouble.attempt_timeout;
    scene.preflight_deadline = "10m";
    if (trouble.republish) publish_older_images(scene);
    before = scene.moment();
    // Parents are refused only from here on: the sources' own builder was luckier.
    scene.push_sources();
    scene.both("faults:\n" + trouble.faults);
    program = scene.program();
    program.time_limit = limit;
  }

  // Nothing is asserted on another thread than the test's.
  void start() {
    runs = std::thread([this] { ended = run(program); });
  }

  void show() const {
    std::map<std::string, unsigned> struck;
    for (const JournalEntry& entry : scene.entries_since(before)) {
      if (!entry.fault.empty()) ++struck[entry.fault];
    }
    std::printf("%-36s %6.1f s  ", trouble.name.c_str(), ended.wall.count());
    for (const auto& [fault, count] : struck) std::printf(" %s x%u;", fault.c_str(), count);
    std::printf("\n");
    std::fflush(stdout);
  }

  void check() {
    INFO(trouble.name);
    INFO(ended.err);
    show();
    CHECK(ended.exit_code() == 0);
    CHECK(ended.survivors.empty());
    const auto entries = scene.entries_since(before);
    CHECK(std::any_of(entries.begin(), entries.end(),
                      [](const JournalEntry& entry) { return !entry.fault.empty(); }));
    scene.both("faults: []");
    check_published(scene, before);
  }
};

// Most of the time is waiting: the troubles are had side by side.
void publish_under(const std::vector<Trouble>& troubles, std::chrono::milliseconds limit) {
  std::vector<std::unique_ptr<Stage>> stages;
  for (const Trouble& trouble : troubles) {
    stages.push_back(std::make_unique<Stage>(trouble, limit));
    stages.back()->start();
  }
  for (const auto& stage : stages) stage->runs.join();
  for (const auto& stage : stages) stage->check();
}

}  // namespace

TEST_CASE("three targets are published under each fault of a registry", "[faults]") {
  publish_under(each(1), 180s);
}

TEST_CASE("three targets are published under all faults at once", "[all-faults]") {
  publish_under({all_at_once(1)}, 180s);
}

TEST_CASE("three targets are published under each fault at full scale", "[slow][full-faults]") {
  publish_under(each(full), 900s);
}

TEST_CASE("three targets are published under all faults at full scale", "[slow][full-all-faults]") {
  publish_under({all_at_once(full)}, 1800s);
}
