// OCI images made by the tests: real gzip layers of the size asked for, a config with a platform.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace test {

inline constexpr std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";

struct Blob {
  std::string bytes;
  std::string digest;
};

struct Image {
  std::string os;
  std::string os_version;  // empty: none
  std::string architecture;
  std::string manifest;  // the JSON, byte for byte
  std::string digest;    // of the manifest
  Blob config;
  std::vector<Blob> layers;
};

struct ImageSpec {
  std::string architecture = "amd64";
  std::vector<std::size_t> layer_sizes = {2000};  // compressed, to within a percent
  std::uint64_t seed = 1;                         // another seed, another content and digest
  std::string os = "linux";
  std::string os_version = {};
};

// A layer is a tar of one file of random bytes in gzip's stored form, so its size is what was asked
// for.
Image make_image(const ImageSpec& spec = {});

struct Index {
  std::string manifest;
  std::string digest;
};

Index make_index(std::span<const Image> images);

// What buildx pushes of a build with provenance: a manifest that attests the image, and an index of
// both.
struct Attested {
  Image attestation;
  Index index;
};
Attested attest(const Image& image);

// An OCI layout in `folder` whose index.json has this image under this tag.
void write_layout(const std::string& folder, const Image& image, const std::string& tag);

}  // namespace test
