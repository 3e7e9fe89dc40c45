// What the publish tests play in: two real registries behind proxies that spoil them, images pushed
// by digest as builders push them, a plan that publishes them, and real oras and soci.
#pragma once

#include "catch_shim.hpp"
#include "registry.hpp"
#include "run.hpp"
#include "temporary_folder.hpp"

#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace test {

struct PublishTarget {
  std::string name;
  std::vector<Image> images;  // one a platform
  bool soci = false;
  std::string extra = {};  // more lines of the target in the plan: "annotations: {run: '1'}"
};

// Two platforms; with `soci`, one layer below and one above the size that is worth indexing here.
PublishTarget make_target(const std::string& name, std::uint64_t seed, bool soci = false);

// The tools' own: ours, and a real soci where the environment's SOCI names one.
std::vector<std::string> soci_commands();

struct PublishScene {
  Registry first_registry;
  Registry second_registry;
  FlakyRegistry first{first_registry};
  FlakyRegistry second{second_registry};
  TemporaryFolder folder;

  std::string oras = required("ORAS_1_3_6");
  std::string soci = soci_commands().front();
  std::string minimum_layer_size = "1MiB";
  // Of all attempts; short, so that a hang is soon given up.
  std::string timeout = "20s";
  std::string stall_timeout = "2m";  // where something is copied
  std::string preflight_deadline = "60s";
  std::string preflight_pace = ", delay: 100ms, factor: 1.1";

  bool default_policies = false;  // the plan sets none of these

  std::vector<PublishTarget> targets;

  // Blobs and manifests of all targets, through the proxy, by digest.
  void push_sources() const;

  std::string staging_of(const PublishTarget& target) const;  // repository in `first`
  // The two tags of a target: {registry, repository}, tag 1.0.
  std::string repository_of(const PublishTarget& target) const { return "final/" + target.name; }
  std::vector<std::string> tags_of(const PublishTarget& target) const;

  // What a plan says before its targets, and with those of the scene.
  std::string plan_head() const;
  std::string plan_text() const;
  Program program(std::vector<std::string> options = {}) const;
  Program program_of(const std::string& plan, std::vector<std::string> options = {}) const;
  Ended publish(std::vector<std::string> options = {}) const;

  void both(std::string_view faults);  // the same fault plan for both registries

  std::string scratch() const { return folder / "scratch"; }
  std::vector<std::string> left_in_scratch() const;

  // What the registries themselves, past the proxies, say of a target: its digest at each tag.
  std::vector<std::string> digests_of(const PublishTarget& target) const;

  // How far the journals had come, to look only at what follows.
  struct Moment {
    std::size_t first = 0;
    std::size_t second = 0;
  };
  Moment moment() const;
  std::vector<JournalEntry> entries_since(const Moment& moment) const;

 private:
  void policies(std::ostream& plan) const;
};

inline const PublishScene::Moment from_the_start = {};

// Every tag has the index of exactly the images of its target, and since `moment` no final tag was
// given any other digest. Nothing is left in scratch.
void check_published(const PublishScene& scene,
                     const PublishScene::Moment& moment = from_the_start);

// The regular scene: three targets of two platforms, one with SOCI.
void three_targets(PublishScene& scene, std::uint64_t seed = 1);

bool is_write(const JournalEntry& entry);

// "pushed the manifest": PUT of a manifest that the registry took.
bool is_stored_manifest(const JournalEntry& entry);

}  // namespace test
