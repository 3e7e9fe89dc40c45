// A plan that has run, or was cut short, is simply run again.
#include "publish_scene.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

using namespace test;

namespace {

std::vector<std::string> writes_since(const PublishScene& scene,
                                      const PublishScene::Moment& moment) {
  std::vector<std::string> writes;
  for (const JournalEntry& entry : scene.entries_since(moment)) {
    if (is_write(entry)) writes.push_back(entry.method + ' ' + entry.path);
  }
  return writes;
}

// Another index and other tags each time, of the same sources.
void as_run(PublishScene& scene, unsigned number) {
  const std::string run = std::to_string(number);
  const char* names[] = {"alpha", "beta", "gamma"};
  for (std::size_t i = 0; i < scene.targets.size(); ++i) {
    scene.targets[i].name = names[i];
    scene.targets[i].extra = "annotations: {run: '" + run + "'}";
  }
}

// A run that is killed leaves nothing running, at once or shortly after.
bool session_ends(pid_t leader) {
  return eventually(
      [&] {
        const auto members = session_members(leader);
        return std::all_of(members.begin(), members.end(),
                           [&](pid_t member) { return member == leader; });
      },
      5s);
}

// How long a run takes that has nothing but its tags and indexes to write.
std::chrono::duration<double> time_of_a_run(PublishScene& scene) {
  Ended ended;
  for (const unsigned number : {0u, 1u}) {
    as_run(scene, number);
    ended = scene.publish();
    INFO(ended.err);
    REQUIRE(ended.exit_code() == 0);
  }
  return ended.wall;
}

// Kills runs until so many were killed on their way; one that was through before does not count.
void kill_at_random_points(unsigned points) {
  PublishScene scene;
  three_targets(scene, 3);
  scene.push_sources();
  const auto whole = time_of_a_run(scene);
  std::mt19937 random(4711);
  std::uniform_real_distribution<> moment(0.0, whole.count());
  unsigned runs = 0;
  unsigned killed = 0;
  while (killed < points && runs < 3 * points) {
    as_run(scene, 2 + runs++);
    const auto before = scene.moment();
    {
      Running running(scene.program());
      const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                            std::chrono::duration<double>(moment(random)));
      std::this_thread::sleep_until(until);
      running.send(SIGKILL);
      CHECK(session_ends(running.pid()));
      killed += running.wait().signal() == SIGKILL;
    }
    const Ended again = scene.publish();
    INFO("run " << runs << "\n" << again.err);
    REQUIRE(again.exit_code() == 0);
    // One that was killed before it had marked its folder leaves it without a mark: nothing tells
    // it from a folder of the user's, so no run removes it. It holds an empty lock file at most.
    if (std::filesystem::exists(scene.scratch())) {
      for (const auto& folder : std::filesystem::directory_iterator(scene.scratch())) {
        std::error_code ignored;  // a folder that holds more stays, and fails the check
        const auto lock = folder.path() / "lock";
        if (std::filesystem::file_size(lock, ignored) == 0) std::filesystem::remove(lock, ignored);
        std::filesystem::remove(folder.path(), ignored);
      }
    }
    check_published(scene, before);
  }
  std::printf("killed %u runs of %u on their way, which is %.2f s long\n", killed, runs,
              whole.count());
  CHECK(killed == points);
}

}  // namespace

TEST_CASE("a finished plan run again writes nothing and succeeds", "[rerun]") {
  PublishScene scene;
  scene.soci = GENERATE(from_range(soci_commands()));
  three_targets(scene, 2);
  scene.push_sources();
  const Ended first = scene.publish();
  INFO(first.err);
  REQUIRE(first.exit_code() == 0);
  check_published(scene);

  const auto before = scene.moment();
  const Ended second = scene.publish();
  INFO(second.err);
  CHECK(second.exit_code() == 0);
  CHECK(writes_since(scene, before) == std::vector<std::string>{});
  check_published(scene);
  std::printf("first run %.2f s, second %.2f s\n", first.wall.count(), second.wall.count());
}

TEST_CASE("two runs at once, with one scratch folder, do not disturb each other", "[rerun]") {
  PublishScene scene;
  three_targets(scene, 4);
  scene.push_sources();
  const Program program = scene.program();
  Running one(program);
  Running other(program);
  const Ended first = one.wait();
  const Ended second = other.wait();
  INFO(first.err << "\n" << second.err);
  CHECK(first.exit_code() == 0);
  CHECK(second.exit_code() == 0);
  check_published(scene);
}

TEST_CASE("a run killed at any point is finished by the next one", "[kill]") {
  kill_at_random_points(15);
}

TEST_CASE("a run killed at a hundred points is finished by the next one", "[slow][full-kill]") {
  kill_at_random_points(100);
}
