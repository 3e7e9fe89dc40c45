// Images and targets of the simulated registries, and what a run of one target came to.
#pragma once

#include "publish/oci/index.hpp"
#include "publish_world.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace world {

namespace oci = retry_exec::publish::oci;

inline constexpr const char* image_type = "application/vnd.oci.image.manifest.v1+json";

// What the simulated images are for.
inline oci::Descriptor image(char c) {
  return {image_type, World::digest(c), World::image_size,
          oci::Platform{.os = "linux", .architecture = std::string("cpu-") + c}};
}

inline oci::Descriptor attestation(char c, char of) {
  oci::Descriptor descriptor{image_type, World::digest(c), World::image_size,
                             oci::Platform{.os = "unknown", .architecture = "unknown"}};
  descriptor.annotations = {{"vnd.docker.reference.digest", World::digest(of)},
                            {"vnd.docker.reference.type", "attestation-manifest"}};
  return descriptor;
}

inline oci::Platform platform(const std::string& text) {
  return oci::parse_platform(text).value();
}

// An entry of an index for another one, which has been added.
inline oci::Descriptor index_entry(const World& world, const std::string& digest) {
  return {std::string(oci::oci_index), digest, world.manifests.at(digest).size(), std::nullopt};
}

// Signs at each destination, and tells of each tag.
inline retry_exec::publish::plan::Target& add_signed_target(World& world) {
  auto& target = world.add_target("one", {'a'}, {"f.io/r:1", "f.io/r:2", "g.io/r:1"});
  target.after = {{"cosign", "sign", "--yes", "{repository}@{digest}"},
                  {"tell", "{name}", "{repository}:{tag}"}};
  return target;
}

// Where the order is that of whoever came first.
inline Words sorted(Words words) {
  std::sort(words.begin(), words.end());
  return words;
}

inline std::string why(const retry_exec::publish::PublishResult& result, std::size_t target = 0) {
  return result.targets[target].failure ? result.targets[target].failure->what : "";
}

inline std::string notes(const retry_exec::publish::PublishResult& result) {
  std::string text;
  for (const retry_exec::publish::PhaseResult& phase : result.targets[0].phases)
    text += phase.note + "\n";
  return text;
}

inline std::vector<oci::Descriptor> published(const World& world, const std::string& tag) {
  return oci::parse_index(world.manifests.at(world.at(tag)))->manifests;
}

}  // namespace world
