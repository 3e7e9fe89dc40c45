// What a rehearsal shows is what a run does.
#include "publish/oci/index.hpp"
#include "publish_plan_folder.hpp"
#include "publish_world.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace test;

using world::World;

namespace {

std::string line_of(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) line += (line.empty() ? "" : " ") + word;
  return line;
}

// "copy oras cp …", of each phase in their order. Side by side there is no order, and what a
// rehearsal knows as one symbol is several digests in a run: sorted in each phase, and once.
class Seen {
 public:
  void add(Phase phase, const std::vector<std::string>& argv) {
    if (phases_.empty() || phases_.back().first != phase) phases_.push_back({phase, {}});
    std::set<std::string>& seen = phases_.back().second;
    // How many tags are read by one command depends on how long a request takes.
    const auto name = std::find_if(argv.rbegin(), argv.rend(), [](const std::string& word) {
      return word.find('/') != std::string::npos;
    });
    if (phase != Phase::verify) {
      seen.insert(line_of(argv));
    } else if (argv[2] == "fetch") {
      seen.insert("read " + argv.back());
    }
    for (auto tag = name.base(); phase == Phase::verify && tag != argv.end(); ++tag) {
      seen.insert("read " + *name + ":" + *tag);
    }
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const auto& [phase, commands] : phases_) {
      for (const std::string& command : commands) {
        lines.push_back(std::string(to_string(phase)) + " " + command);
      }
    }
    return lines;
  }

 private:
  std::vector<std::pair<Phase, std::set<std::string>>> phases_;
};

// A first run of a plan that a seed draws, in which nothing lags or fails.
class DrawnPlan {
 public:
  explicit DrawnPlan(std::uint64_t seed) : random_(seed) {
    world_.plan.registries["r.io"].plain_http = true;
    world_.plan.registries["f.io"].ca_file = "/etc/ssl/ca.pem";
    for (std::size_t i = 1 + draw(3); i > 0; --i) add_target("t" + std::to_string(i));
  }

  void compare() {
    const PublishResult result = world_.run();
    for (std::size_t i = 0; i < world_.plan.targets.size(); ++i) {
      const TargetResult& target = result.targets[i];
      const Rehearsal rehearsal = rehearse(world_.plan, i);
      Seen rehearsed;
      for (const auto& [phase, argv] : rehearsal.commands) rehearsed.add(phase, argv);
      CHECK(rehearsal.fails == target.failure.has_value());
      CHECK((target.failure ? target.failure->what : "") == rehearsal.ends);
      CHECK(rehearsed.lines() == seen(i, target).lines());
    }
  }

 private:
  std::size_t draw(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }

  static Platform platform_of(char c) {
    return {.os = "linux", .architecture = std::string("cpu-") + c};
  }

  void add_target(const std::string& name) {
    std::string letters = "abcdef";
    std::shuffle(letters.begin(), letters.end(), random_);
    letters.resize(1 + draw(3));
    Target& target = world_.add_target(name, {letters.begin(), letters.end()}, {});
    if (draw(2) == 0) {
      for (const char c : letters) target.platforms.push_back(platform_of(c));
    }
    switch (draw(5)) {
      case 0:  // as a builder's metadata says it
        for (std::size_t i = 0; i < letters.size(); ++i) {
          target.sources[i].platform = platform_of(letters[i]);
        }
        break;
      case 1:
        if (target.platforms.size() > 1) make_one_index(target, letters);
        break;
      case 2:
        if (draw(3) == 0) target.sources.clear();
        break;
      default:
        break;
    }
    target.soci.enabled = draw(3) == 0;
    target.only_newer = draw(4) == 0;
    if (draw(3) == 0) target.annotations = {{"key", name}};
    if (draw(3) == 0) {
      target.after = {{"cosign", "sign", "{repository}@{digest}"},
                      {"note", "{repository}:{tag}", "{digest}"}};
    }
    const std::vector<std::string> repositories = {"f.io/r", "g.io/r", "r.io/tmp"};
    for (std::size_t i = 1 + draw(4); i > 0; --i) {
      const std::string tag = repositories[draw(3)] + ":" + name + "-" + std::to_string(i);
      target.tags.push_back(parse_reference(tag).value());
    }
  }

  void make_one_index(Target& target, const std::string& letters) {
    std::vector<Descriptor> images;
    for (const char c : letters) {
      images.push_back({"application/vnd.oci.image.manifest.v1+json", World::digest(c),
                        World::image_size, platform_of(c)});
    }
    // Not the one that is made of another target's same images: it is to be the first of its kind.
    const std::string index =
        world_.add_index("r.io/tmp", index_json(images, {{"of", target.name}}));
    target.sources.resize(1);
    target.sources.front().reference.digest = index;
    for (const Descriptor& image : images) {
      symbols_[target.name].emplace_back(image.digest,
                                         "sha256:<" + to_string(*image.platform) + ">");
    }
  }

  // The commands of a run, in which what a rehearsal cannot know is replaced by its symbol.
  Seen seen(std::size_t number, const TargetResult& result) {
    const Target& target = world_.plan.targets[number];
    Symbols symbols = symbols_[target.name];
    if (result.digest != result.index) {
      const auto images = parse_index(world_.manifests.at(result.digest));
      for (const Descriptor& image : images.value().manifests) {
        symbols.emplace_back(image.digest, "sha256:<each image>");
      }
      symbols.emplace_back(result.digest, "sha256:<soci>");
      for (const auto& [tag, held] : world_.repositories.at("r.io/tmp").tags) {
        const bool is_of_soci = tag.find("-soci-") != std::string::npos;
        if (is_of_soci) symbols.emplace_back(held.digest, "sha256:<soci>");
      }
    }
    const bool known =
        target.sources.size() == 1 && target.sources.front().reference.digest == result.index;
    if (!known && !result.index.empty()) {
      symbols.emplace_back(result.index, "sha256:<index>");
      symbols.emplace_back(result.index.substr(7, 16), "<index>");
    }
    Seen seen;
    for (const PublishEvent& event : world_.events) {
      const auto* command = std::get_if<CommandEvent>(&event);
      if (command == nullptr || command->step->target != target.name) continue;
      if (!std::holds_alternative<AttemptStarted>(command->event)) continue;
      std::vector<std::string> argv = command->step->command;
      for (std::string& word : argv) word = with_symbols(word, symbols);
      seen.add(command->step->phase, argv);
    }
    return seen;
  }

  using Symbols = std::vector<std::pair<std::string, std::string>>;

  static std::string with_symbols(std::string word, const Symbols& symbols) {
    static const std::regex scratch("/retry-publish-[0-9]+-[A-Za-z0-9]{6}/");
    static const std::regex record("(retry-publish.done=)[0-9a-f,]+");
    for (const auto& [text, symbol] : symbols) {
      for (std::size_t at = word.find(text); at != std::string::npos; at = word.find(text)) {
        word.replace(at, text.size(), symbol);
      }
    }
    word = std::regex_replace(word, scratch, "/<scratch>/");
    return std::regex_replace(word, record, "$1<done>");
  }

  std::mt19937_64 random_;
  World world_;
  std::map<std::string, Symbols> symbols_;  // by target
};

}  // namespace

TEST_CASE("A rehearsal shows the commands of a first run, phase by phase", "[publish]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    DrawnPlan(seed).compare();
  }
}

TEST_CASE("A rehearsal shows every command of every phase", "[publish]") {
  const PlanFolder folder;
  const Plan plan =
      folder
          .load(
              "retry-publish: 1\nregistries:\n  localhost:5000: {plain-http: true, ca-file: "
              "ca.pem}\n"
              "scratch: /scratch\ntargets:\n  one:\n    sources: ['localhost:5000/r@sha256:" +
              a + "']\n    soci: {enabled: true}\n    tags: [ghcr.io/o/r:1]\n")
          .value();
  std::vector<std::string> lines;
  for (const auto& [phase, argv] : rehearse(plan, 0).commands) {
    lines.push_back(std::string(to_string(phase)) + " " + line_of(argv));
  }
  const std::string options = "--plain-http --ca-file " + (folder.folder / "ca.pem") + " ";
  const std::string from =
      "soci oras cp --no-tty --from-plain-http --from-ca-file " + (folder.folder / "ca.pem") + " ";
  REQUIRE(lines.size() == 15);
  CHECK(lines[0] == "preflight oras manifest index create --output - " + options +
                        "localhost:5000/r sha256:" + a);
  CHECK(lines[1] == "preflight oras manifest fetch ghcr.io/o/r:1");
  CHECK(lines[3] ==
        "index oras manifest push --media-type application/vnd.oci.image.index.v1+json "
        "--descriptor --concurrency 1 " +
            options + "localhost:5000/r:one-<index> /scratch/<scratch>/0.json");
  CHECK(lines[4].starts_with("soci oras manifest fetch --descriptor " + options +
                             "localhost:5000/r:one-<index>-soci-"));
  CHECK(lines[7] == from +
                        "--to-oci-layout localhost:5000/r@sha256:<index> "
                        "/scratch/<scratch>/0/image:image");
  CHECK(lines[8] ==
        "soci soci convert --standalone --format oci-dir --all-platforms "
        "/scratch/<scratch>/0/image /scratch/<scratch>/0/soci");
  CHECK(
      lines[11].ends_with("localhost:5000/r@sha256:<each image> ghcr.io/o/r@sha256:<each image>"));
  CHECK(lines[12] == "copy oras manifest fetch ghcr.io/o/r:1");
  CHECK(lines[14] == "verify oras manifest fetch ghcr.io/o/r:1");
}

TEST_CASE("A rehearsal says why a target without sources is not published", "[publish]") {
  World world;
  world.add_target("one", {}, {"f.io/r:1"});
  const Rehearsal failed = rehearse(world.plan, 0);
  CHECK(failed.commands.empty());
  CHECK(failed.fails);
  CHECK(failed.ends == "incomplete: no source of it was found in the plan");
  world.plan.targets[0].allow_incomplete = true;
  const Rehearsal left_out = rehearse(world.plan, 0);
  CHECK(left_out.commands.empty());
  CHECK_FALSE(left_out.fails);
  CHECK(left_out.ends == "incomplete, which is allowed: no source of it was found in the plan");
}

TEST_CASE("A rehearsal takes a source to be of the platforms that nothing else is of",
          "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  for (const char* name : {"linux/amd64", "linux/arm64", "linux/arm64/v8", "linux/s390x"}) {
    target.platforms.push_back(parse_platform(name).value());
  }
  target.sources[0].platform = parse_platform("linux/arm64").value();
  const Rehearsal rehearsal = rehearse(world.plan, 0);
  CHECK(rehearsal.ends.empty());
  const auto copied = [&](const std::string& digest) {
    return std::any_of(rehearsal.commands.begin(), rehearsal.commands.end(),
                       [&](const auto& seen) { return seen.argv.back() == "f.io/r@" + digest; });
  };
  CHECK(copied(World::digest('a')));
  CHECK(copied("sha256:<linux/amd64>"));
  CHECK(copied("sha256:<linux/s390x>"));
}
