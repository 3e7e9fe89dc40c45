// What a publish takes, against the commands that a careful person writes by hand, on the same
// line:
//
//   publish_bench [ROUNDS]     wall time over 80 ms and over 2 ms, of one target and of six
//
// Each target has two platforms and eight tags in one repository, which is new in each round. By
// hand the tags go as oras has it by default, five at once, and, as ours do, one after the other.
// All take their turns round after round, so that only the ratios matter; a busy machine tells in
// them all the same, and not in processor time, which is that of retry-publish and of all oras.
// RETRY_PUBLISH, ORAS, DOCKER_REGISTRY and DELAY_PROXY name the programs.
#include "registry.hpp"
#include "run.hpp"
#include "temporary_folder.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace test;

constexpr int platforms = 2;
constexpr int tags = 8;

// The registry, as far away as is asked for.
class FarRegistry {
 public:
  FarRegistry(const Registry& registry, const std::string& milliseconds) {
    const std::string port = folder_ / "port";
    running_ = std::make_unique<Running>(
        Program{.argv = {required("DELAY_PROXY"), registry.address(), milliseconds, port},
                .time_limit = std::chrono::hours(1)});
    if (!eventually([&] { return std::filesystem::exists(port); })) {
      std::fprintf(stderr, "publish_bench: delay_proxy does not come up\n");
      std::exit(125);
    }
    address_ = "127.0.0.1:" + std::to_string(std::stoi(read_file(port)));
  }

  const std::string& address() const { return address_; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Running> running_;
  std::string address_;
};

struct Scene {
  std::string registry;  // address
  std::string folder;    // of its repositories, which no other scene has published to
  std::vector<std::vector<Image>> targets;
  int round = 0;

  std::string staging(std::size_t target) const {
    return registry + "/" + folder + "/build/t" + std::to_string(target) + "/tmp";
  }
  std::string destination(std::size_t target, const std::string& who) const {
    return registry + "/" + folder + "/" + who + std::to_string(round) + "/t" +
           std::to_string(target);
  }
};

std::string tag(int number) {
  return "1." + std::to_string(number);
}

// Index, copy with the first tag, the other tags; all targets side by side.
std::string by_hand(const Scene& scene, const std::string& who, const std::string& tags_at_once) {
  const std::string oras = required("ORAS");
  std::string script = "set -e\n";
  for (std::size_t i = 0; i < scene.targets.size(); ++i) {
    const std::string index = scene.staging(i) + ":" + who + std::to_string(scene.round);
    const std::string place = scene.destination(i, who);
    script += "(" + oras + " manifest index create --plain-http " + index;
    for (const Image& image : scene.targets[i]) script += " " + image.digest;
    script += " && " + oras + " cp --no-tty --from-plain-http --to-plain-http " + index + " " +
              place + ":" + tag(0);
    script += " && " + oras + " tag --concurrency " + tags_at_once + " --plain-http " + place +
              ":" + tag(0);
    for (int other = 1; other < tags; ++other) script += " " + tag(other);
    script += ") & jobs=\"$jobs $!\"\n";
  }
  return script + "for job in $jobs; do wait $job; done\n";
}

std::string plan(const Scene& scene) {
  std::string text = "retry-publish: 1\nrules: [ghcr]\nregistries: {'" + scene.registry +
                     "': {plain-http: true}}\ntools: {oras: '" + required("ORAS") +
                     "'}\ntargets:\n";
  for (std::size_t i = 0; i < scene.targets.size(); ++i) {
    text += "  t" + std::to_string(i) + ":\n    sources:\n";
    for (const Image& image : scene.targets[i]) {
      text += "      - " + scene.staging(i) + "@" + image.digest + "\n";
    }
    text += "    platforms: [linux/amd64, linux/arm64]\n    tags:\n";
    for (int number = 0; number < tags; ++number) {
      text += "      - " + scene.destination(i, "ours") + ":" + tag(number) + "\n";
    }
  }
  return text;
}

double processor_milliseconds() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Contestant {
  std::vector<double> seconds = {};
  std::vector<double> processor = {};  // milliseconds
};

void run_once(Contestant& contestant, const TemporaryFolder& folder,
              std::vector<std::string> argv) {
  const double before = processor_milliseconds();
  const Ended ended = run({.argv = std::move(argv),
                           .environment = {{"HOME", folder.path()}},
                           .folder = folder.path(),
                           .time_limit = std::chrono::minutes(2)});
  if (ended.exit_code() != 0) {
    std::fprintf(stderr, "publish_bench: %s%s\n", ended.out.c_str(), ended.err.c_str());
    std::exit(1);
  }
  contestant.seconds.push_back(ended.wall.count());
  contestant.processor.push_back(processor_milliseconds() - before);
}

// Of what both took in the same round.
double ratio(const Contestant& one, const Contestant& other) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < one.seconds.size(); ++i) {
    ratios.push_back(one.seconds[i] / other.seconds[i]);
  }
  return median(std::move(ratios));
}

void compare(const Registry& registry, const char* milliseconds, std::size_t targets, int rounds) {
  const FarRegistry far(registry, milliseconds);
  const TemporaryFolder folder;
  Scene scene{.registry = far.address(),
              .folder = "away" + std::string(milliseconds) + "of" + std::to_string(targets),
              .targets = {}};
  for (std::size_t i = 0; i < targets; ++i) {
    std::vector<Image> images;
    for (int platform = 0; platform < platforms; ++platform) {
      images.push_back(make_image({platform == 0 ? "amd64" : "arm64",
                                   {2'000, 2'000},
                                   i * 10 + static_cast<std::uint64_t>(platform)}));
      const std::string repository = scene.folder + "/build/t" + std::to_string(i) + "/tmp";
      push_blobs(registry.address(), repository, images.back());
      push_manifest(registry.address(), repository, images.back().manifest, manifest_type,
                    images.back().digest);
    }
    scene.targets.push_back(std::move(images));
  }
  Contestant hand;
  Contestant ordered;
  Contestant ours;
  for (scene.round = 0; scene.round < rounds; ++scene.round) {
    run_once(hand, folder, {"/bin/sh", "-c", by_hand(scene, "hand", "5")});
    run_once(ordered, folder, {"/bin/sh", "-c", by_hand(scene, "ordered", "1")});
    run_once(ours, folder, {required("RETRY_PUBLISH"), folder.write("plan.yaml", plan(scene))});
  }
  std::printf("%6s ms %8zu %9.3f %9.3f %9.3f %8.2fx %8.2fx %8.0f %8.0f\n", milliseconds, targets,
              median(hand.seconds), median(ordered.seconds), median(ours.seconds),
              ratio(ours, hand), ratio(ours, ordered), median(hand.processor),
              median(ours.processor));
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  const int rounds = count > 1 ? std::max(std::atoi(words[1]), 1) : 9;
  const Registry registry;
  std::printf("%d rounds, medians; seconds, ours to each by hand, processor milliseconds\n",
              rounds);
  std::printf("%9s %8s %9s %9s %9s %9s %9s %8s %8s\n", "away", "targets", "by hand", "in order",
              "ours", "to hand", "to order", "hand", "ours");
  for (const char* away : {"80", "2"}) {
    for (const std::size_t targets : {1, 6}) compare(registry, away, targets, rounds);
  }
}
