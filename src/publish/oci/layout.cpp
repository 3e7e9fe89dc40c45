#include "publish/oci/layout.hpp"

#include "publish/oci/index.hpp"
#include "publish/oci/json.hpp"
#include "publish/oci/sha256.hpp"

#include <retry_exec/read_file.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

namespace retry_exec::publish::oci {

namespace {

constexpr std::string_view soci_index = "application/vnd.amazon.soci.index.v2+json";

Result<boost::json::object> read_object(const std::string& file) {
  const auto text = read_file(file, std::size_t{16} << 20);
  if (!text) return text.error();
  auto fields = parse_object(*text);
  if (!fields) return Error{{file}, fields.error().what};
  return fields;
}

std::string blob_file(const std::string& layout, const std::string& digest) {
  const std::size_t colon = digest.find(':');
  return layout + "/blobs/" + digest.substr(0, colon) + "/" + digest.substr(colon + 1);
}

Result<void> write_file(const std::string& file, const std::string& text) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file.c_str(), "we"),
                                                            std::fclose);
  if (!out || std::fwrite(text.data(), 1, text.size(), out.get()) != text.size() ||
      std::fflush(out.get()) != 0) {
    return Error{{file}, "cannot be written"};
  }
  return {};
}

}  // namespace

Result<void> reduce_to_root(const std::string& layout, const std::string& root) {
  const std::string file = layout + "/index.json";
  const auto fields = read_object(file);
  if (!fields) return fields.error();
  for (const boost::json::object* entry : objects_of(*fields, "manifests")) {
    if (text_of(*entry, "digest") != root) continue;
    const std::array<Descriptor, 1> only = {
        Descriptor{text_of(*entry, "mediaType"), root, size_of(*entry, "size"), std::nullopt}};
    return write_file(file, index_json(only, {}));
  }
  return Error{{file}, root + " is not in it"};
}

Result<std::string> converted_digest(const std::string& layout) {
  const std::string file = layout + "/index.json";
  const auto fields = read_object(file);
  if (!fields) return fields.error();
  const auto entries = objects_of(*fields, "manifests");
  if (entries.size() != 1) {
    return Error{{file}, "one entry was expected, not " + std::to_string(entries.size())};
  }
  std::string digest = text_of(*entries.front(), "digest");
  if (!is_digest(digest)) return Error{{file}, "its entry has no digest"};
  const auto index = read_object(blob_file(layout, digest));
  if (!index) return index.error();
  const auto manifests = objects_of(*index, "manifests");
  const bool indexed =
      std::any_of(manifests.begin(), manifests.end(), [](const boost::json::object* manifest) {
        return text_of(*manifest, "artifactType") == soci_index;
      });
  if (!indexed) return Error{{file}, "soci made no SOCI index"};
  return digest;
}

Result<void> name_entries(const std::string& layout) {
  const std::string file = layout + "/index.json";
  const auto text = read_file(file, std::size_t{16} << 20);
  if (!text) return text.error();
  auto named = parse_index(*text);
  if (!named || named->manifests.empty()) return Error{{file}, "it names no manifest"};
  const auto root = manifest_in(layout, named->manifests.front().digest);
  if (!root) return root.error();
  const auto index = parse_index(*root);
  if (!index) return Error{{file}, index.error().what};
  named->manifests.insert(named->manifests.end(), index->manifests.begin(), index->manifests.end());
  return write_file(file, index_json(named->manifests, {}));
}

Result<std::string> manifest_in(const std::string& layout, const std::string& digest) {
  const std::string file = blob_file(layout, digest);
  auto text = read_file(file, std::size_t{16} << 20);
  if (!text) return text.error();
  if (digest_of(*text) != digest) return Error{{file}, "it is not what its name says"};
  return *std::move(text);
}

Result<std::uint64_t> image_size(std::string_view manifest) {
  const auto fields = parse_object(manifest);
  if (!fields) return fields.error();
  std::uint64_t bytes = manifest.size();
  if (const boost::json::object* config = object_of(*fields, "config")) {
    bytes += size_of(*config, "size");
  }
  for (const boost::json::object* layer : objects_of(*fields, "layers")) {
    bytes += size_of(*layer, "size");
  }
  return bytes;
}

Result<std::vector<std::string>> image_content(std::string_view manifest) {
  const auto fields = parse_object(manifest);
  if (!fields) return fields.error();
  std::vector<std::string> digests;
  if (const boost::json::object* config = object_of(*fields, "config")) {
    digests.push_back(text_of(*config, "digest"));
  }
  for (const boost::json::object* layer : objects_of(*fields, "layers")) {
    digests.push_back(text_of(*layer, "digest"));
  }
  return digests;
}

}  // namespace retry_exec::publish::oci
