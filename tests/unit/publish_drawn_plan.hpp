// Plans drawn by seeds: their targets, what the registries hold before, and how long what is put
// does not show.
#pragma once

#include "publish/oci/sha256.hpp"
#include "publish_images.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace world {

using namespace retry_exec;
using namespace retry_exec::publish::oci;
using retry_exec::publish::plan::Target;

// What a target should come to.
struct Expected {
  std::set<std::string> platforms;
  bool published = true;
  bool shows = true;  // once it is published
};

class DrawnPlan {
 protected:
  explicit DrawnPlan(std::uint64_t seed) : random_(seed) {
    lose_configs();
    const std::size_t targets = 1 + draw(6);
    for (std::size_t i = 0; i < targets; ++i) add_target("t" + std::to_string(i));
    draw_lags(seed);
  }

  std::size_t draw(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }

  std::mt19937_64 random_;
  World world_;
  std::vector<Expected> expected_;
  std::map<std::string, std::string> before_;  // by tag
  std::map<std::string, std::string> rivals_;  // what another run puts at tags, once we have looked
  std::set<std::string> refused_looks_;
  std::set<std::string> never_shown_;  // tags that read as before, however long ago they moved

 private:
  // Where they are published: whoever copies such an image there finds its manifest, and copies
  // nothing.
  void lose_configs() {
    for (const char* name : {"f.io/r", "g.io/r"}) {
      if (draw(12) != 0) continue;
      const std::string digest = World::digest("abcdef"[draw(6)]);
      world_.repositories[name].shows[digest] = world_.start;
      world_.repositories[name].without_config.insert(digest);
    }
  }

  // Built with provenance: an index of an image and what attests it.
  std::string attested(char c) {
    Descriptor attestation = image(c);
    attestation.digest = digest_of("attests " + attestation.digest);
    attestation.platform = Platform{.os = "unknown", .architecture = "unknown"};
    attestation.annotations = {{"vnd.docker.reference.digest", World::digest(c)},
                               {"vnd.docker.reference.type", "attestation-manifest"}};
    return world_.add_index("r.io/tmp", index_json(std::vector{image(c), attestation}, {}));
  }

  // What a target is made of, by a seed of its own: others may publish the very same.
  std::string add_content(Target& target, Expected& expected, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::swap(random_, random);
    std::string letters = "abcdef";
    std::shuffle(letters.begin(), letters.end(), random_);
    letters.resize(1 + draw(3));
    const bool attestations = draw(3) == 0;
    for (const char c : letters) {
      const std::string digest = attestations ? attested(c) : World::digest(c);
      world_.repositories["r.io/tmp"].shows.emplace(digest, world_.start);
      target.sources.push_back({{"r.io", "tmp", "", digest}, std::nullopt});
      expected.platforms.insert(std::string("linux/cpu-") + c);
    }
    target.soci.enabled = draw(4) == 0;
    if (draw(8) == 0) add_what_is_no_image(seed, target, expected);
    if (draw(3) == 0) target.annotations = {{"of", std::to_string(seed)}};
    if (draw(3) == 0) target.staging = parse_reference("s.io/stage").value();
    if (draw(2) == 0) {
      for (const std::string& platform : expected.platforms) {
        target.platforms.push_back(parse_platform(platform).value());
      }
    }
    if (draw(6) == 0) {
      target.platforms.push_back(parse_platform("linux/cpu-missing").value());
      expected.published = false;
    }
    if (draw(12) == 0) {
      target.sources.clear();
      expected.published = false;
    }
    if (draw(4) == 0) {
      target.after = {{"cosign", "sign", "{repository}@{digest}"},
                      {"note", "{repository}:{tag}", "{digest}"},
                      {"oras", "attach", "--annotation", "of={name}", "{repository}@{digest}"}};
    }
    std::swap(random_, random);
    return letters;
  }

  void add_target(const std::string& name) {
    Target& target = world_.add_target(name, {}, {});
    Expected expected;
    const bool is_twin = !contents_.empty() && draw(4) == 0;
    contents_.push_back(is_twin ? contents_[draw(contents_.size())] : random_());
    const std::string letters = add_content(target, expected, contents_.back());
    const std::vector<std::string> repositories = {"f.io/r", "g.io/r", "r.io/tmp"};
    for (std::size_t i = 1 + draw(4); i > 0; --i) {
      add_tag(target, repositories[draw(3)] + ":" + name + "-" + std::to_string(i), expected);
    }
    for (const Reference& tag : target.tags) {
      const std::set<std::string>& broken = world_.repositories[tag.name()].without_config;
      const bool lists_one = std::any_of(letters.begin(), letters.end(),
                                         [&](char c) { return broken.contains(World::digest(c)); });
      if (lists_one && !target.soci.enabled) expected.published = false;
    }
    if (!target.platforms.empty()) refuse_looks(target);
    expected_.push_back(expected);
  }

  // In the place of the images, or besides.
  void add_what_is_no_image(std::uint64_t seed, Target& target, Expected& expected) {
    const std::string digest = digest_of("attests " + std::to_string(seed));
    world_.repositories["r.io/tmp"].shows.emplace(digest, world_.start);
    world_.no_images.insert(digest);
    if (draw(2) == 0) {
      target.sources.clear();
      expected.published = false;
    }
    target.sources.push_back({{"r.io", "tmp", "", digest}, std::nullopt});
  }

  void add_tag(Target& target, const std::string& tag, Expected& expected) {
    target.tags.push_back(parse_reference(tag).value());
    if (draw(40) == 0) {
      never_shown_.insert(tag);
      expected.shows = false;
    }
    std::vector<Descriptor> held;
    const std::size_t what = draw(4);
    if (what != 0 && target.platforms.empty() && draw(5) == 0) add_rival(tag, expected);
    switch (what) {
      case 0:
        held = {image('a'), image('0')};
        if (target.platforms.empty()) expected.published = false;  // it would lose one
        break;
      case 1:
        held = {image((*expected.platforms.begin()).back())};
        break;
      default:
        before_[tag] = "";
        return;
    }
    const std::string repository = tag.substr(0, tag.find(':'));
    before_[tag] = world_.add_index(repository, index_json(held, {{"tag", tag}}));
    world_.set_tag(tag, before_[tag]);
  }

  // With a platform that ours does not have, which the tag must not lose, or with one that it has.
  void add_rival(const std::string& tag, Expected& expected) {
    std::vector<Descriptor> held = {image((*expected.platforms.begin()).back())};
    if (draw(2) == 0) {
      held.push_back(image('0'));
      expected.published = false;
    }
    rivals_[tag] =
        world_.add_index(tag.substr(0, tag.find(':')), index_json(held, {{"rival", tag}}));
  }

  // Of a repository's tags the first is looked at, and may not be read then.
  void refuse_looks(const Target& target) {
    std::set<std::string> repositories;
    for (const Reference& tag : target.tags) {
      if (!repositories.insert(tag.name()).second) continue;
      if (draw(6) == 0) refused_looks_.insert(to_string(tag));
    }
  }

  void draw_lags(std::uint64_t seed) {
    const std::size_t most = draw(3) == 0 ? 1 : 1 + draw(30'000);
    world_.lag = [this, seed, most](const std::string& repository,
                                    const std::string& what) -> Duration {
      if (what.starts_with("tag ") && never_shown_.contains(repository + ":" + what.substr(4))) {
        return std::chrono::hours(10'000);
      }
      const std::size_t drawn = std::hash<std::string>{}(std::to_string(seed) + repository + what);
      return std::chrono::milliseconds(drawn % 2 == 0 ? 0 : drawn / 2 % most);
    };
    for (auto& [digest, since] : world_.repositories["r.io/tmp"].shows) {
      since += world_.lag("r.io/tmp", digest);
    }
  }

  std::vector<std::uint64_t> contents_;  // seeds, one a target
};

}  // namespace world
