// The index of a target, as `oras manifest index create` makes it: byte for byte, so that its
// digest is known before it is pushed.
#pragma once

#include <retry_exec/publish.hpp>

#include <span>
#include <string>

namespace retry_exec::publish {

inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view docker_list =
    "application/vnd.docker.distribution.manifest.list.v2+json";

bool is_index(std::string_view media_type);
bool is_image_manifest(std::string_view media_type);

// Go's encoding/json of an OCI index: keys in the order of its struct, annotations sorted, and
// '<', '>', '&', U+2028 and U+2029 escaped.
std::string index_json(std::span<const Descriptor> manifests,
                       std::span<const std::pair<std::string, std::string>> annotations);

// "workbench-2026.05.0-3f9a0c1b5d7e", the tag that a target's index has in staging: legal whatever
// the target is called, at most 128 characters with `suffix`.
std::string staging_tag(const std::string& target, const std::string& digest,
                        const std::string& suffix = {});

// One entry of an OCI layout's index.json, or the parsed output of `manifest fetch --descriptor`.
Result<Descriptor> parse_descriptor(std::string_view json);

// An image's platform, out of its config.
Result<Platform> parse_config_platform(std::string_view json);

// What an index lists, without the attestations of buildx.
Result<std::vector<Descriptor>> parse_index_images(std::string_view json);

// The digest that oras printed last: "Digest: sha256:…"; empty when it printed none.
std::string printed_digest(std::string_view output);

}  // namespace retry_exec::publish
