#include "publish/oci/index.hpp"

#include "publish/oci/json.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <tuple>

namespace retry_exec::publish::oci {

namespace {

// As encoding/json writes strings by default.
std::string go_string(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out += '\\', out += c;
    } else if (c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : c == '\b' ? "\\b" : "\\f";
    } else if (static_cast<unsigned char>(c) < ' ' || c == '<' || c == '>' || c == '&') {
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4], out += digits[c & 0xf];
    } else if (text.substr(i).starts_with("\u2028") || text.substr(i).starts_with("\u2029")) {
      out += text.substr(i).starts_with("\u2028") ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string field(std::string_view name, std::string_view text) {
  return go_string(name) + ":" + go_string(text);
}

std::string list(std::string_view name, std::span<const std::string> texts) {
  std::string json;
  for (const std::string& one : texts) text::append_to(json, go_string(one), ",");
  return json.empty() ? json : "," + go_string(name) + ":[" + json + "]";
}

std::string platform_json(const Platform& platform) {
  std::string json =
      "{" + field("architecture", platform.architecture) + "," + field("os", platform.os);
  if (!platform.os_version.empty()) json += "," + field("os.version", platform.os_version);
  json += list("os.features", platform.os_features);
  if (!platform.variant.empty()) json += "," + field("variant", platform.variant);
  return json + "}";
}

std::string annotations_json(const Annotations& annotations) {
  std::string json;
  for (const auto& [key, value] : annotations) {
    text::append_to(json, field(key, value), ",");
  }
  return json.empty() ? json : ",\"annotations\":{" + json + "}";
}

std::string descriptor_json(const Descriptor& descriptor) {
  std::string json = "{" + field("mediaType", descriptor.media_type) + "," +
                     field("digest", descriptor.digest) +
                     ",\"size\":" + std::to_string(descriptor.size) +
                     list("urls", descriptor.urls) + annotations_json(descriptor.annotations);
  if (!descriptor.data.empty()) json += "," + field("data", descriptor.data);
  if (descriptor.platform) json += ",\"platform\":" + platform_json(*descriptor.platform);
  if (!descriptor.artifact_type.empty()) {
    json += "," + field("artifactType", descriptor.artifact_type);
  }
  return json + "}";
}

Annotations annotations_in(const boost::json::object& fields) {
  Annotations annotations;
  const boost::json::object* entries = object_of(fields, "annotations");
  if (entries == nullptr) return annotations;
  for (const auto& [key, value] : *entries) {
    if (value.is_string()) annotations.emplace_back(key, value.get_string());
  }
  std::sort(annotations.begin(), annotations.end());
  return annotations;
}

Result<Descriptor> descriptor_of(const boost::json::object& fields) {
  Descriptor descriptor{.media_type = text_of(fields, "mediaType"),
                        .digest = text_of(fields, "digest"),
                        .size = size_of(fields, "size"),
                        .platform = {},
                        .annotations = annotations_in(fields),
                        .artifact_type = text_of(fields, "artifactType"),
                        .urls = texts_of(fields, "urls"),
                        .data = text_of(fields, "data")};
  if (!is_digest(descriptor.digest)) return Error{{}, "a descriptor without a digest"};
  if (const boost::json::object* platform = object_of(fields, "platform")) {
    descriptor.platform = platform_of(*platform);
  }
  return descriptor;
}

// The digest of the image that is attested; empty where none is.
std::string attested_by(const Descriptor& descriptor) {
  if (!is_attestation(descriptor)) return {};
  for (const auto& [key, value] : descriptor.annotations) {
    if (key == "vnd.docker.reference.digest") return value;
  }
  return {};
}

// An image may be for several platforms, and a statement about several images.
bool is_same_entry(const Descriptor& one, const Descriptor& other) {
  const bool may_be_for_one =
      !one.platform || !other.platform || is_same(*one.platform, *other.platform);
  return one.digest == other.digest && may_be_for_one && attested_by(one) == attested_by(other);
}

}  // namespace

std::optional<Platform> platform_of(const boost::json::object& fields) {
  Platform platform{.os = text_of(fields, "os"),
                    .architecture = text_of(fields, "architecture"),
                    .variant = text_of(fields, "variant"),
                    .os_version = text_of(fields, "os.version"),
                    .os_features = texts_of(fields, "os.features")};
  if (platform.os.empty() && platform.architecture.empty()) return std::nullopt;
  return platform;
}

bool is_attestation(const Descriptor& descriptor) {
  const auto marks = [](const auto& annotation) {
    return annotation.first == "vnd.docker.reference.type";
  };
  return std::any_of(descriptor.annotations.begin(), descriptor.annotations.end(), marks) ||
         (descriptor.platform && descriptor.platform->os == "unknown");
}

// The artifact type of an image, where an entry has one, is the media type of its config.
bool is_image(const Descriptor& descriptor) {
  const std::string& type = descriptor.artifact_type;
  const bool is_of_an_image = type.empty() || type == "application/vnd.oci.image.config.v1+json" ||
                              type == "application/vnd.docker.container.image.v1+json";
  return is_image_manifest(descriptor.media_type) && is_of_an_image && !is_attestation(descriptor);
}

bool holds_images(const Descriptor& descriptor) {
  return is_index(descriptor.media_type) && descriptor.artifact_type.empty() &&
         !is_attestation(descriptor);
}

bool is_artifact(const Descriptor& descriptor) {
  return !is_image(descriptor) && !holds_images(descriptor) && !is_attestation(descriptor);
}

std::vector<Child> in_order(std::vector<Child> children) {
  // Behind everything that has a platform comes what has none.
  const auto place = [](const Child& child) {
    const std::optional<Platform>& platform = child.descriptor.platform;
    return std::tuple(platform ? to_string(*platform) : "~", child.descriptor.digest,
                      attested_by(child.descriptor));
  };
  std::stable_sort(children.begin(), children.end(),
                   [&](const Child& one, const Child& other) { return place(one) < place(other); });
  std::vector<Child> ordered;
  const auto add = [&](const Child& child) {
    const auto same = [&](const Child& other) {
      return is_same_entry(other.descriptor, child.descriptor);
    };
    if (std::none_of(ordered.begin(), ordered.end(), same)) ordered.push_back(child);
  };
  for (const Child& image : children) {
    if (!is_image(image.descriptor) && !holds_images(image.descriptor)) continue;
    add(image);
    for (const Child& other : children) {
      if (attested_by(other.descriptor) == image.descriptor.digest) add(other);
    }
  }
  for (const Child& rest : children) add(rest);
  return ordered;
}

bool is_index(std::string_view media_type) {
  return media_type == oci_index || media_type == docker_list;
}

bool is_image_manifest(std::string_view media_type) {
  return media_type == "application/vnd.oci.image.manifest.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.v2+json";
}

std::string index_json(std::span<const Descriptor> manifests, const Annotations& annotations) {
  std::string json = "{\"schemaVersion\":2," + field("mediaType", oci_index) + ",\"manifests\":[";
  for (const Descriptor& manifest : manifests) {
    json += (json.ends_with('[') ? "" : ",") + descriptor_json(manifest);
  }
  return json + "]" + annotations_json(annotations) + "}";
}

Annotations joined(Annotations first, const Annotations& second) {
  for (const auto& entry : second) {
    const auto same = [&](const auto& other) { return other.first == entry.first; };
    if (std::none_of(first.begin(), first.end(), same)) first.push_back(entry);
  }
  std::sort(first.begin(), first.end());
  return first;
}

std::string staging_tag(const std::string& target, const std::string& digest,
                        const std::string& suffix) {
  constexpr std::size_t hash_digits = 16;
  const std::string hash = digest.substr(digest.find(':') + 1, hash_digits);
  std::string name = target;
  for (char& c : name) {
    if (!is_tag(std::string("a") + c)) c = '_';
  }
  if (!is_tag(name.substr(0, 1))) name.insert(0, "_");
  return name.substr(0, 128 - suffix.size() - hash.size() - 1) + "-" + hash + suffix;
}

Result<Descriptor> parse_descriptor(std::string_view json) {
  const auto fields = parse_object(json);
  if (!fields) return fields.error();
  return descriptor_of(*fields);
}

Result<Platform> parse_config_platform(std::string_view json) {
  const auto fields = parse_object(json);
  if (!fields) return fields.error();
  const std::optional<Platform> platform = platform_of(*fields);
  if (!platform) return Error{{}, "the image's config names no platform"};
  return *platform;
}

Result<IndexContents> parse_index(std::string_view json) {
  const auto fields = parse_object(json);
  if (!fields) return fields.error();
  IndexContents index{.media_type = text_of(*fields, "mediaType"),
                      .manifests = {},
                      .annotations = annotations_in(*fields)};
  for (const boost::json::object* entry : objects_of(*fields, "manifests")) {
    auto descriptor = descriptor_of(*entry);
    if (!descriptor) return descriptor.error();
    index.manifests.push_back(*std::move(descriptor));
  }
  return index;
}

}  // namespace retry_exec::publish::oci
