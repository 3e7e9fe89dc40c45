// OCI layouts on the local disk, between oras and soci.
#pragma once

#include <retry_exec/publish_oci.hpp>

namespace retry_exec::publish::oci {

// Leaves one entry in the layout's index.json: `root`. oras lists every child manifest as well, and
// soci ≥ 0.14 takes such a file for the image's own index and refuses it.
Result<void> reduce_to_root(const std::string& layout, const std::string& root);

// What soci made: the one entry of its index.json, once its index has been seen to hold SOCI
// indices.
Result<std::string> converted_digest(const std::string& layout);

// Adds to index.json what the index that is its one entry lists: of what is not named there oras
// does not know that it is a manifest.
Result<void> name_entries(const std::string& layout);

// A manifest of the layout, byte for byte.
Result<std::string> manifest_in(const std::string& layout, const std::string& digest);

// The bytes of an image: its config and layers, from its manifest.
Result<std::uint64_t> image_size(std::string_view manifest);

// The digests of these: what a manifest says besides may change, and it is the same image.
Result<std::vector<std::string>> image_content(std::string_view manifest);

}  // namespace retry_exec::publish::oci
