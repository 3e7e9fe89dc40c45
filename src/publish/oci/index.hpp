// The index of a target, of plain images as `oras manifest index create` makes it, byte for byte;
// its digest is known before it is pushed.
#pragma once

#include <retry_exec/publish_oci.hpp>

#include <boost/json/object.hpp>

#include <span>
#include <string>

namespace retry_exec::publish::oci {

inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view docker_list =
    "application/vnd.docker.distribution.manifest.list.v2+json";

bool is_index(std::string_view media_type);
bool is_image_manifest(std::string_view media_type);

// An entry of an index, and the repository in which it can be read.
struct Child {
  Descriptor descriptor;
  Reference from;
};

// Whether buildx made it to attest an image of the same index.
bool is_attestation(const Descriptor& descriptor);
// Whether it is something that clients can run.
bool is_image(const Descriptor& descriptor);
// Whether it is an index of such.
bool holds_images(const Descriptor& descriptor);
// Whether it is none of these: a SOCI index, a signature. It may name a platform all the same.
bool is_artifact(const Descriptor& descriptor);

// The same order whatever that of the sources: images by platform, each followed by what attests
// it, then the rest, for a client takes the first entry of its platform. What stands twice, for one
// platform and about one image, stands once afterwards; without a platform it is taken for one that
// has one.
std::vector<Child> in_order(std::vector<Child> children);

// Go's encoding/json of an OCI index: keys in the order of its struct, annotations sorted, and
// '<', '>', '&', U+2028 and U+2029 escaped. What a descriptor says besides its platform is kept,
// as `docker buildx imagetools create` keeps it.
std::string index_json(std::span<const Descriptor> manifests, const Annotations& annotations);

// Both; of a key in both the value of `first`.
Annotations joined(Annotations first, const Annotations& second);

// "workbench-2026.05.0-3f9a0c1b5d7e", the tag that a target's index has in staging: legal whatever
// the target is called, at most 128 characters with `suffix`.
std::string staging_tag(const std::string& target, const std::string& digest,
                        const std::string& suffix = {});

// One entry of an OCI layout's index.json, or the parsed output of `manifest fetch --descriptor`.
Result<Descriptor> parse_descriptor(std::string_view json);

// An image's platform, out of its config.
Result<Platform> parse_config_platform(std::string_view json);

// "os", "architecture", … of a JSON object; nothing where it names no platform.
std::optional<Platform> platform_of(const boost::json::object& fields);

// What an index lists, and what it says of itself.
struct IndexContents {
  std::string media_type;
  std::vector<Descriptor> manifests;
  Annotations annotations;
};
Result<IndexContents> parse_index(std::string_view json);

}  // namespace retry_exec::publish::oci
