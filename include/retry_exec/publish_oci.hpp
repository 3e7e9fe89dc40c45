// What registries hold, by the names of the OCI specifications.
#pragma once

#include <retry_exec/error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retry_exec::publish::oci {

// "ghcr.io/posit-dev/workbench:2026.05.0@sha256:…"; the host is always written out.
struct Reference {
  std::string host;        // "localhost:5000"
  std::string repository;  // "posit-dev/workbench"
  std::string tag;         // empty: none
  std::string digest;      // empty: none

  std::string name() const { return host + "/" + repository; }
  bool operator==(const Reference&) const = default;
};
std::string to_string(const Reference& reference);
Result<Reference> parse_reference(std::string_view text);
// The same of an image that is read: manifests are compared with their digests, which only those of
// SHA-256 can be.
Result<Reference> parse_source(std::string_view text);
// The one name of a registry that has several: index.docker.io and registry-1.docker.io are
// docker.io, as oras itself and its credentials have it.
std::string registry_of(std::string_view host);
bool is_digest(std::string_view text);
bool is_tag(std::string_view text);

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string os_version;
  std::vector<std::string> os_features;

  bool operator==(const Platform&) const = default;
};
// "linux/arm64/v8", "windows(10.0.20348.1)/amd64"
std::string to_string(const Platform& platform);
Result<Platform> parse_platform(std::string_view text);
// Whether they are one platform: arm64 is arm64/v8, arm is arm/v7.
bool is_same(const Platform& one, const Platform& other);
// Whether `there` is what is wanted: a version, its revision, or features that are not asked for
// may be any.
bool fits(const Platform& wanted, const Platform& there);

// When an image was made.
using Date = std::chrono::sys_time<std::chrono::nanoseconds>;

using Annotations = std::vector<std::pair<std::string, std::string>>;  // sorted by key

// https://github.com/opencontainers/image-spec/blob/main/descriptor.md
struct Descriptor {
  std::string media_type;
  std::string digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform;
  Annotations annotations = {};
  std::string artifact_type = {};
  std::vector<std::string> urls = {};
  std::string data = {};  // in Base64, as it was
};

}  // namespace retry_exec::publish::oci
