// INT and TERM while a registry keeps a command waiting, in each phase.
#include "publish_scene.hpp"

#include <signal.h>

#include <cstdio>

using namespace test;

namespace {

struct Point {
  std::string phase;
  std::string fault;  // holds the run up there
};

// A phase's name, what of it is meant, and the requests that never get an answer.
const std::vector<Point> points = {
    {"preflight", "methods: [GET], kind: manifest, repository: 'build/.*'"},
    {"index", "methods: [PUT], kind: manifest, repository: 'build/.*'"},
    {"soci, pulling", "methods: [GET], kind: blob, repository: 'build/beta/.*', skip: 4"},
    {"copy", "methods: [PUT], kind: manifest, repository: 'final/.*', tag: '.*'"},
    {"verify", "methods: [HEAD, GET], kind: manifest, repository: 'final/.*', tag: '.*', skip: 11"},
};

bool ended_by(const Ended& ended, int signal) {
  return ended.signal() == signal || ended.exit_code() == 128 + signal;
}

}  // namespace

TEST_CASE("an interrupted run ends its children, cleans up and says so", "[interrupt]") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  for (const Point& point : points) {
    DYNAMIC_SECTION(point.phase << ", signal " << signal) {
      PublishScene scene;
      three_targets(scene, 5);
      scene.push_sources();
      scene.both("faults:\n  - {name: held up, " + point.fault + ", silence: {}}\n");
      Running running(scene.program());
      const bool held_up = eventually([&] { return scene.first.struck("held up") > 0; }, 30s);
      running.send(signal);
      const auto sent = Clock::now();
      const Ended ended = running.wait();
      const std::chrono::duration<double> took = Clock::now() - sent;
      INFO(ended.err);
      CHECK(held_up);
      CHECK(ended_by(ended, signal));
      CHECK(ended.survivors == std::vector<std::string>{});
      CHECK(scene.left_in_scratch() == std::vector<std::string>{});
      CHECK(took < 5s);
      const std::string phase = point.phase.substr(0, point.phase.find(','));
      CHECK_THAT(ended.err, ContainsSubstring(": " + phase + ": interrupted"));

      scene.both("faults: []");
      const Ended again = scene.publish();
      INFO(again.err);
      CHECK(again.exit_code() == 0);
      check_published(scene);
    }
  }
}
