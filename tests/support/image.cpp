#include "image.hpp"

#include "sha256.hpp"

#include <boost/crc.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

namespace test {

namespace {

namespace json = boost::json;

Blob blob_of(std::string bytes) {
  std::string digest = digest_of(bytes);
  return {std::move(bytes), std::move(digest)};
}

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

void put(std::string& header, std::size_t at, std::string_view text) {
  header.replace(at, text.size(), text);
}

// A ustar archive of one file.
std::string tar_of(std::string_view name, std::string_view content) {
  constexpr std::size_t record = 512;
  std::array<char, 24> size{};
  std::snprintf(size.data(), size.size(), "%011zo", content.size());
  std::string header(record, '\0');
  put(header, 0, name);
  put(header, 100, "0000644");
  put(header, 108, "0000000");
  put(header, 116, "0000000");
  put(header, 124, size.data());
  put(header, 136, "00000000000");
  put(header, 148, "        ");
  put(header, 156, "0");
  put(header, 257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::array<char, 8> checksum{};
  std::snprintf(checksum.data(), checksum.size(), "%06o", sum);
  put(header, 148, std::string_view(checksum.data(), 7));

  std::string tar = header;
  tar += content;
  tar.resize((tar.size() + record - 1) / record * record + 2 * record, '\0');
  return tar;
}

void append_little_endian(std::string& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

// RFC 1952 around RFC 1951's stored blocks: valid gzip without a compressor.
std::string gzip_of(std::string_view content) {
  constexpr std::size_t largest_block = 65535;
  std::string gzip("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  for (std::size_t at = 0; at < content.size(); at += largest_block) {
    const std::string_view block = content.substr(at, largest_block);
    const auto length = static_cast<std::uint32_t>(block.size());
    gzip += at + block.size() == content.size() ? '\1' : '\0';
    append_little_endian(gzip, length, 2);
    append_little_endian(gzip, ~length, 2);
    gzip += block;
  }
  boost::crc_32_type crc;
  crc.process_bytes(content.data(), content.size());
  append_little_endian(gzip, crc.checksum(), 4);
  append_little_endian(gzip, static_cast<std::uint32_t>(content.size()), 4);
  return gzip;
}

json::object descriptor(std::string_view type, const std::string& digest, std::size_t size) {
  return {{"mediaType", type}, {"digest", digest}, {"size", size}};
}

json::object platform_of(const Image& image) {
  json::object platform{{"architecture", image.architecture}, {"os", image.os}};
  if (!image.os_version.empty()) platform["os.version"] = image.os_version;
  return platform;
}

json::object entry_of(const Image& image) {
  json::object entry = descriptor(manifest_type, image.digest, image.manifest.size());
  entry["platform"] = platform_of(image);
  return entry;
}

Index index_of(json::array manifests) {
  Index index;
  index.manifest = json::serialize(json::object{
      {"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", std::move(manifests)}});
  index.digest = digest_of(index.manifest);
  return index;
}

// Config and manifest of an image that has its layers.
void finish(Image& image, json::array layers, json::array uncompressed) {
  json::object config = platform_of(image);
  config["config"] = json::object{};
  config["rootfs"] = json::object{{"type", "layers"}, {"diff_ids", std::move(uncompressed)}};
  image.config = blob_of(json::serialize(config));
  image.manifest = json::serialize(
      json::object{{"schemaVersion", 2},
                   {"mediaType", manifest_type},
                   {"config", descriptor("application/vnd.oci.image.config.v1+json",
                                         image.config.digest, image.config.bytes.size())},
                   {"layers", std::move(layers)}});
  image.digest = digest_of(image.manifest);
}

void write_blob(const std::string& folder, const std::string& digest, const std::string& bytes) {
  const std::string hex = digest.substr(digest.find(':') + 1);
  std::ofstream(folder + "/blobs/sha256/" + hex, std::ios::binary) << bytes;
}

}  // namespace

Image make_image(const ImageSpec& spec) {
  constexpr std::size_t tar_overhead = 2048;
  Image image;
  image.os = spec.os;
  image.os_version = spec.os_version;
  image.architecture = spec.architecture;
  json::array layers;
  json::array uncompressed;
  for (const std::size_t size : spec.layer_sizes) {
    const std::size_t content = size > tar_overhead ? size - tar_overhead : 1;
    const auto seed = spec.seed * 1000 + image.layers.size();
    const std::string tar = tar_of("data", random_bytes(content, seed));
    image.layers.push_back(blob_of(gzip_of(tar)));
    uncompressed.emplace_back(digest_of(tar));
    json::object layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip",
                                    image.layers.back().digest, image.layers.back().bytes.size());
    // With a title `oras pull` has a file to write.
    layer["annotations"] = json::object{{"org.opencontainers.image.title",
                                         "layer-" + std::to_string(image.layers.size()) + ".tgz"}};
    layers.push_back(std::move(layer));
  }
  finish(image, std::move(layers), std::move(uncompressed));
  return image;
}

Index make_index(std::span<const Image> images) {
  json::array manifests;
  for (const Image& image : images) manifests.push_back(entry_of(image));
  return index_of(std::move(manifests));
}

Attested attest(const Image& image) {
  Attested attested;
  Image& attestation = attested.attestation;
  attestation.os = attestation.architecture = "unknown";
  constexpr const char* provenance = "https://slsa.dev/provenance/v0.2";
  attestation.layers = {blob_of(json::serialize(
      json::object{{"_type", "https://in-toto.io/Statement/v0.1"},
                   {"predicateType", provenance},
                   {"subject", json::array{json::object{{"name", image.digest}}}}}))};
  const Blob& statement = attestation.layers.front();
  json::object layer =
      descriptor("application/vnd.in-toto+json", statement.digest, statement.bytes.size());
  layer["annotations"] = json::object{{"in-toto.io/predicate-type", provenance}};
  finish(attestation, {std::move(layer)}, {json::value(statement.digest)});
  json::object entry = entry_of(attestation);
  entry["annotations"] = json::object{{"vnd.docker.reference.digest", image.digest},
                                      {"vnd.docker.reference.type", "attestation-manifest"}};
  attested.index = index_of({entry_of(image), std::move(entry)});
  return attested;
}

void write_layout(const std::string& folder, const Image& image, const std::string& tag) {
  std::filesystem::create_directories(folder + "/blobs/sha256");
  std::ofstream(folder + "/oci-layout") << R"({"imageLayoutVersion":"1.0.0"})";
  write_blob(folder, image.digest, image.manifest);
  write_blob(folder, image.config.digest, image.config.bytes);
  for (const Blob& layer : image.layers) write_blob(folder, layer.digest, layer.bytes);
  json::object entry = descriptor(manifest_type, image.digest, image.manifest.size());
  entry["annotations"] = json::object{{"org.opencontainers.image.ref.name", tag}};
  std::ofstream(folder + "/index.json") << json::serialize(json::object{
      {"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", json::array{entry}}});
}

}  // namespace test
