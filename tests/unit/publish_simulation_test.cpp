// Plans and faults drawn by seeds, and what must hold whatever they draw. A seed that fails is
// printed, and replayed by itself with RETRY_PUBLISH_SEED; RETRY_PUBLISH_SEEDS is their number.
#include "catch_shim.hpp"
#include "publish/oci/index.hpp"
#include "publish/oci/sha256.hpp"
#include "publish_drawn_plan.hpp"
#include "publish_world.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

using world::DrawnPlan;
using world::Expected;
using world::image;
using world::Said;
using world::World;

namespace {

class Simulation : private DrawnPlan {
 public:
  explicit Simulation(std::uint64_t seed) : DrawnPlan(seed) {
    world_.seed = seed;
    world_.keeps_events = false;
    world_.plan.policy.attempts = 30;
    faults_left_ = draw(3) == 0 ? 0 : draw(12);
    if (draw(5) == 0) lose_answers();
    if (runs_ == 1) keep_referrers_in_tags();
    is_calm_ = faults_left_ == 0 && without_answers_.empty() && runs_ == 1 && !is_killed_;
    world_.fault = [this](const world::Words& argv) { return fault(argv); };
    world_.spoil = [this](const world::Words& argv, Said said) {
      // What a tag has stays whole, because nothing is ever taken away.
      if (std::exchange(seen_moves_, world_.moves) != world_.moves) check_tags();
      check_command(argv);
      let_rival_move(argv);
      return spoil(argv, std::move(said));
    };
  }

  // Empty when all that must hold has held.
  std::string run() {
    if (is_killed_) world_.run(1, world_.start + std::chrono::milliseconds(draw(40'000)));
    for (const auto& result : world_.run(runs_)) check(result.value());
    if (broken_.empty() && all_published()) {
      world_.fault = nullptr;
      world_.spoil = nullptr;
      world_.log.clear();
      const std::size_t done = world_.done_after.size();
      settle();
      check(world_.run());
      if (world_.writes() > 0) broken_ = "a second run wrote something";
      if (world_.done_after.size() > done) broken_ = "a second run signed something again";
      if (clean_up()) {
        const PublishResult mended = world_.run();
        settle();
        check(mended);
      }
      if (roll_back()) {
        const PublishResult moved = world_.run();
        settle();
        check(moved);
      }
    }
    if (world_.elapsed() > 5h) broken_ = "it took " + format_duration(world_.elapsed());
    return broken_;
  }

 private:
  std::optional<Said> fault(const world::Words& argv) {
    if (refused_looks_.erase(argv.back()) > 0) {
      return Said{1, "", "Error response from registry: denied\n"};
    }
    if (faults_left_ == 0 || draw(8) != 0) return std::nullopt;
    --faults_left_;
    switch (draw(8)) {
      case 0:
        return Said{1, "", "toomanyrequests: slow down\n"};
      case 1:
        return Said{1, "", "", 24h, true};  // hangs
      case 2:
      case 3:
        lost_ = true;  // done, and the answer lost
        return std::nullopt;
      default:
        return Said{1, "", "connection refused\n"};
    }
  }

  // Another run moves a tag as soon as ours has looked at it.
  void let_rival_move(const world::Words& argv) {
    const auto rival = rivals_.find(argv.back());
    if (rival == rivals_.end() || argv[2] != "fetch") return;
    world_.set_tag(rival->first, rival->second);
    before_[rival->first] = rival->second;
    rivals_.erase(rival);
  }

  // All of those to the moves of tags, of which there are few.
  void lose_answers() {
    faults_left_ = 0;
    world_.plan.policy.attempts = 2;
    for (const char* name : {"f.io/r", "g.io/r"}) {
      if (draw(2) == 0) without_answers_.insert(name);
    }
  }

  // Runs side by side lose there what each other attaches, which nobody can help.
  void keep_referrers_in_tags() {
    for (const char* name : {"f.io/r", "g.io/r", "r.io/tmp"}) {
      if (draw(3) == 0) world_.without_referrers.insert(name);
    }
  }

  Said spoil(const world::Words& argv, Said said) {
    const bool pushes = argv.size() > 2 && argv[2] == "push";
    const std::string place = pushes ? argv[argv.size() - 2] : "";
    if (place.find('@') == std::string::npos &&
        without_answers_.contains(world::repository_of(place))) {
      return Said{1, "", "504 Gateway Timeout\n", said.took};
    }
    if (!std::exchange(lost_, false)) return said;
    return Said{1, "", "connection reset by peer\n", said.took};
  }

  // Everything that was put shows by now.
  void settle() { world_.now += 1h; }

  // What registries do below a tag: some of what it lists goes. The next run brings it back.
  bool clean_up() {
    bool gone = false;
    for (const Target& target : world_.plan.targets) {
      for (const Reference& tag : target.tags) {
        const auto index = world_.manifests.find(world_.at(to_string(tag)));
        if (index == world_.manifests.end()) continue;
        for (const Descriptor& child : parse_index(index->second).value().manifests) {
          // In the sources' repository only what SOCI has made can be brought back.
          if (tag.name() == "r.io/tmp" && !target.soci.enabled) continue;
          if (draw(4) != 0) continue;
          gone = world_.repositories.at(tag.name()).shows.erase(child.digest) > 0 || gone;
        }
      }
    }
    // Of what has no tag.
    return std::erase_if(world_.repositories["s.io/stage"].shows,
                         [&](const auto& shown) {
                           return !world_.manifests.contains(shown.first) && draw(4) == 0;
                         }) > 0 ||
           gone;
  }

  // Another run has moved tags, and the registry shows once more what they had before.
  bool roll_back() {
    std::set<std::string> stale;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      std::vector<Descriptor> images;
      for (const std::string& platform : expected_[i].platforms)
        images.push_back(image(platform.back()));
      for (const Reference& tag : world_.plan.targets[i].tags) {
        if (draw(6) != 0) continue;
        const std::string other =
            world_.add_index(tag.name(), index_json(images, {{"of", "another run"}}));
        const std::string ours = world_.at(to_string(tag));
        world_.repositories[tag.name()].tags[tag.tag] = {other, ours, TimePoint::max()};
        before_[to_string(tag)] = other;
        stale.insert(to_string(tag));
      }
    }
    world_.spoil = [this, stale](const world::Words& argv, Said said) {
      for (const std::string& tag : stale) show_once_read(argv, parse_reference(tag).value());
      return said;
    };
    return !stale.empty();
  }

  void show_once_read(const world::Words& argv, const Reference& tag) {
    TimePoint& shows = world_.repositories[tag.name()].tags[tag.tag].shows;
    const auto has = [&](const std::string& word) {
      return std::find(argv.begin(), argv.end(), word) != argv.end();
    };
    if (shows == TimePoint::max() && (has(to_string(tag)) || (has(tag.name()) && has(tag.tag))))
      shows = world_.now;
  }

  // Nobody who pulls a tag finds that what it lists is missing, not even for a while.
  bool is_readable(const std::string& repository, const std::string& digest) const {
    const std::vector<Descriptor> listed = parse_index(world_.manifests.at(digest))->manifests;
    return std::all_of(listed.begin(), listed.end(), [&](const Descriptor& child) {
      const auto& shows = world_.repositories.at(repository).shows;
      const auto found = shows.find(child.digest);
      return found != shows.end() && found->second <= world_.now;
    });
  }

  bool is_whole(const std::string& repository, const std::string& digest,
                const Expected& expected) const {
    const auto index = world_.manifests.find(digest);
    if (index == world_.manifests.end()) return false;
    std::set<std::string> platforms;
    for (const Descriptor& child : parse_index(index->second).value().manifests) {
      if (!world_.repositories.at(repository).shows.contains(child.digest)) return false;
      if (!is_attestation(child)) platforms.insert(to_string(*child.platform));
    }
    return platforms == expected.platforms;
  }

  bool is_everywhere(const Target& target, const std::string& digest) const {
    return std::all_of(target.tags.begin(), target.tags.end(), [&](const Reference& tag) {
      const auto repository = world_.repositories.find(tag.name());
      return repository != world_.repositories.end() && repository->second.shows.contains(digest);
    });
  }

  // A tag has what it had, or the new whole, never anything else; and it has that only when all of
  // the target's destinations have all of it.
  void check_tags() {
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      for (const Reference& tag : world_.plan.targets[i].tags) {
        const std::string now = world_.at(to_string(tag));
        if (now == before_[to_string(tag)]) continue;
        if (!expected_[i].published || !is_whole(tag.name(), now, expected_[i])) {
          broken_ = to_string(tag) + " has " + now;
        } else if (!is_everywhere(world_.plan.targets[i], now)) {
          broken_ = to_string(tag) + " was moved before another destination had all";
        } else if (!before_[to_string(tag)].empty() && !is_readable(tag.name(), now)) {
          broken_ = to_string(tag) + ", which is pulled, was moved to what does not show yet";
        }
      }
    }
  }

  void check_signed(std::size_t target, const Reference& tag, const std::string& digest) {
    if (world_.plan.targets[target].after.empty()) return;
    const std::string image = tag.name() + "@" + digest;
    for (const std::string& line :
         {"cosign sign " + image, "note " + to_string(tag) + " " + digest}) {
      const auto& done = world_.done_after;
      const auto times = std::count(done.begin(), done.end(), line);
      if (times == 0) broken_ = "not done: " + line;
      // About a tag again, where it has moved again.
      if (times > 1 && is_calm_ && line.starts_with("cosign")) broken_ = "done again: " + line;
    }
    const auto [begin, end] = world_.records.equal_range(image);
    const bool is_attached = std::any_of(begin, end, [&](const auto& record) {
      return record.second == "of\":\"" + world_.plan.targets[target].name;
    });
    if (!is_attached)
      broken_ = "not attached to " + image + ": " + world_.plan.targets[target].name;
  }

  // What is signed is what a tag has, or is left to a later run.
  void check_command(const world::Words& argv) {
    if (argv[0] != "note") return;
    if (world_.at(argv[1]) != argv[2]) broken_ = "signed before it was published: " + argv[1];
  }

  bool all_published() const {
    return std::all_of(expected_.begin(), expected_.end(), [](const Expected& expected) {
      return expected.published && expected.shows;
    });
  }

  void check(const PublishResult& result) {
    check_tags();
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      const TargetResult& target = result.targets[i];
      const std::string why = target.failure ? target.failure->what : "no failure";
      if (target.failure.has_value() == (expected_[i].published && expected_[i].shows)) {
        broken_ = target.name + ": " + why;
      }
      if (!expected_[i].published) continue;
      for (const TagResult& tag : target.tags) {
        const std::string now = world_.at(to_string(tag.tag));
        if (never_shown_.contains(to_string(tag.tag)) && tag.verified) {
          broken_ = to_string(tag.tag) + " was said to be verified";
        }
        if (!expected_[i].shows) continue;
        if (now != target.digest) broken_ = to_string(tag.tag) + " was not moved";
        if (world_.shown(to_string(tag.tag)) != target.digest) {
          broken_ = to_string(tag.tag) + " does not show what was published";
        }
        if (!tag.verified) broken_ = to_string(tag.tag) + " was not verified";
        check_signed(i, tag.tag, target.digest);
      }
    }
    if ((result.exit_code() == 0) != all_published()) {
      broken_ = "exit code " + std::to_string(result.exit_code());
    }
  }

  std::set<std::string> without_answers_;  // repositories
  const bool is_killed_ = draw(4) == 0;    // a run before
  const std::size_t runs_ = draw(6) == 0 ? 2 : 1;
  bool is_calm_ = false;
  std::size_t faults_left_ = 0;
  bool lost_ = false;
  std::size_t seen_moves_ = 0;
  std::string broken_;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("Whatever plans and faults a seed draws, a tag has what it had or the new whole",
          "[publish][simulation]") {
  const std::uint64_t first = number_from("RETRY_PUBLISH_SEED", 0);
  const std::uint64_t seeds = number_from("RETRY_PUBLISH_SEEDS", first == 0 ? 1000 : 1);
  unsigned failures = 0;
  for (std::uint64_t seed = first; seed < first + seeds && failures < 5; ++seed) {
    const std::string broken = Simulation(seed).run();
    if (seeds > 10'000 && (seed - first + 1) % 10'000 == 0) {
      std::fprintf(stderr, "%llu seeds\n", static_cast<unsigned long long>(seed - first + 1));
    }
    if (broken.empty()) continue;
    ++failures;
    INFO("RETRY_PUBLISH_SEED=" << seed);
    CHECK(broken == "");
  }
}
