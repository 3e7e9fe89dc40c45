// The oras and soci of the simulation.
#include "publish/oci/index.hpp"
#include "publish/oci/sha256.hpp"
#include "publish_world.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace world {

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace std::chrono_literals;

namespace {

constexpr const char* image_type = "application/vnd.oci.image.manifest.v1+json";

std::string blob_of(const std::string& layout, const std::string& digest) {
  return layout + "/blobs/sha256/" + digest.substr(digest.find(':') + 1);
}

// A layout of one index.
void write_layout(const std::string& layout, const std::string& digest, const std::string& bytes) {
  std::filesystem::create_directories(layout + "/blobs/sha256");
  std::ofstream(blob_of(layout, digest)) << bytes;
  const Descriptor root{std::string(oci_index), digest, bytes.size(), std::nullopt};
  std::ofstream(layout + "/index.json") << index_json(std::vector{root}, {});
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

// ---- what shows, and what is put ---------------------------------------------------------------

// The digest that a reference reads as now; empty: not there.
std::string World::read(const std::string& reference) const {
  const auto repository = repositories.find(repository_of(reference));
  if (repository == repositories.end()) return {};
  const std::string digest = behind(reference, '@');
  if (digest.empty()) {
    const auto tag = repository->second.tags.find(behind(reference, ':'));
    if (tag == repository->second.tags.end()) return {};
    return now < tag->second.shows ? tag->second.before : tag->second.digest;
  }
  const auto found = repository->second.shows.find(digest);
  return found != repository->second.shows.end() && found->second <= now ? digest : "";
}

// An image is for the processor that its digest begins with.
std::string World::content_of(const std::string& digest) const {
  const auto found = manifests.find(digest);
  if (found != manifests.end()) return found->second;
  const auto before = converted.find(digest);
  const std::string& config = before == converted.end() ? digest : before->second;
  return R"({"mediaType":")" + std::string(image_type) + R"(","config":{"digest":")" + config +
         R"("},"layers":[],"of":")" + digest + "\"}";
}

std::string World::descriptor_of(const std::string& digest) const {
  const bool index = manifests.contains(digest);
  const Descriptor descriptor{index ? std::string(oci_index) : image_type, digest,
                              content_of(digest).size(), std::nullopt};
  const std::string json = index_json(std::vector{descriptor}, {});
  const std::size_t open = json.find('[');
  return json.substr(open + 1, json.rfind(']') - open - 1);
}

void World::put(const std::string& repository, const std::string& digest) {
  repositories[repository].shows.emplace(digest, now + (lag ? lag(repository, digest) : 0s));
}

void World::move_tag(const std::string& repository, const std::string& tag,
                     const std::string& digest) {
  Repository::Tag& moved = repositories[repository].tags[tag];
  if (moved.digest == digest) return;
  const std::string before = now < moved.shows ? moved.before : moved.digest;
  ++moves;
  moved = {digest, before, now + (lag ? lag(repository, "tag " + tag) : 0s)};
}

// ---- oras and soci ------------------------------------------------------------------------------

Said World::fetch(const Words& argv) const {
  const std::string& reference = argv.back();
  const std::string found = read(reference);
  if (found.empty()) return not_found(reference);
  const std::string content = content_of(found);
  const bool index = manifests.contains(found);
  if (argv[2] == "fetch-config") {
    if (index) return {1, "", "Error: it does not have a config: denied\n"};
    return {0, R"({"os":"linux","architecture":"cpu-)" + found.substr(7, 1) + "\"}", ""};
  }
  if (std::find(argv.begin(), argv.end(), "--descriptor") == argv.end()) return {0, content, ""};
  return {0, descriptor_of(found), ""};
}

Said World::push(const Words& argv) {
  const std::string bytes = test::read_file(argv.back());
  const std::vector<std::string> tags = split(argv[argv.size() - 2], ',');
  const std::string& place = tags.front();
  const std::string repository = repository_of(place);
  const std::string made = digest_of(bytes);
  const auto index = parse_index(bytes);
  if (!index) return {1, "", "Error: manifest invalid: denied\n"};
  for (const Descriptor& child : index->manifests) {
    if (repositories[repository].shows.contains(child.digest)) continue;
    return {1, "",
            "Error response from registry: manifest blob unknown: blob unknown to registry: " +
                child.digest + "\n"};
  }
  manifests[made] = bytes;
  put(repository, made);
  if (place.find('@') == std::string::npos) move_tag(repository, behind(place, ':'), made);
  for (std::size_t i = 1; i < tags.size(); ++i) move_tag(repository, tags[i], made);
  return {0, descriptor_of(made), ""};
}

// An index of what is asked for, in the order in which it is.
Said World::describe(const Words& argv) const {
  std::vector<Descriptor> described;
  const auto repository = std::find_if(argv.begin(), argv.end(), [](const std::string& word) {
    return word.find('/') != std::string::npos;
  });
  for (auto name = std::next(repository); name != argv.end(); ++name) {
    const char sign = name->starts_with("sha256:") ? '@' : ':';
    const std::string reference = *repository + sign + *name;
    const std::string found = read(reference);
    if (found.empty()) return not_found(reference);
    if (repositories.at(*repository).without_config.contains(found)) {
      return not_found(digest_of("config of " + found));
    }
    Descriptor descriptor = parse_descriptor(descriptor_of(found)).value();
    if (no_images.contains(found)) {
      descriptor.platform = Platform{.os = "unknown", .architecture = "unknown"};
    } else if (!manifests.contains(found)) {
      descriptor.platform = Platform{.os = "linux", .architecture = "cpu-" + found.substr(7, 1)};
    }
    described.push_back(std::move(descriptor));
  }
  return {0, index_json(described, {}), ""};
}

Said World::discover(const Words& argv) const {
  if (read(argv.back()).empty()) return not_found(argv.back());
  std::string listed;
  const auto [begin, end] = records.equal_range(argv.back());
  for (auto record = begin; record != end; ++record) {
    listed += (listed.empty() ? "" : ",") + ("{\"annotations\":{\"" + record->second + "\"}}");
  }
  return {0, "{\"referrers\":[" + listed + "]}", ""};
}

Said World::attach(const Words& argv) {
  const std::string& root = argv.back();
  if (read(root).empty()) return not_found(root);
  const auto annotation = std::find(argv.begin(), argv.end(), "--annotation");
  std::string text = *std::next(annotation);
  text.replace(text.find('='), 1, "\":\"");
  if (!without_referrers.contains(repository_of(root))) {
    records.emplace(root, text);
    return {0, "Attached\n", ""};
  }
  const auto [begin, end] = records.equal_range(root);
  std::multimap<std::string, std::string> listed(begin, end);
  listed.emplace(root, text);
  at_its_end_ = [this, root, listed] {
    records.erase(root);
    records.insert(listed.begin(), listed.end());
  };
  return {0, "Attached\n", ""};
}

Said World::copy(const Words& argv) {
  const std::string& source = argv[argv.size() - 2];
  const std::string found = read(source);
  if (found.empty()) {
    return {1, "",
            "Error from source registry for \"" + source + "\": " + source + ": not found\n"};
  }
  const std::string repository = repository_of(argv.back());
  // Below what is there it does not look.
  if (repositories[repository].shows.contains(found) && !read(repository + "@" + found).empty()) {
    return {0, "Exists  " + found.substr(7, 12) + " " + image_type + "\nCopied\n", ""};
  }
  if (const auto index = parse_index(content_of(found)); index && manifests.contains(found)) {
    for (const Descriptor& child : index->manifests) put(repository, child.digest);
  }
  put(repository, found);
  const std::string copying = "Copying " + found.substr(7, 12) + " " + image_type + "\n";
  // It reads back what it has put.
  if (read(repository + "@" + found).empty()) {
    Said said = not_found(found);
    said.out = copying;
    return said;
  }
  return {0, copying + "Copied\n", ""};
}

Said World::pull(const Words& argv) {
  const std::string& source = argv[argv.size() - 2];
  const std::string found = read(source);
  if (found.empty()) return not_found(source);
  const std::string& place = argv.back();
  write_layout(place.substr(0, place.rfind(':')), found, content_of(found));
  return {0, "Copied\n", ""};
}

// Each image is another afterwards, and has a SOCI index beside it.
Said World::convert(const Words& argv) {
  const std::string& layout = argv[argv.size() - 2];
  const auto entry = parse_index(test::read_file(layout + "/index.json")).value().manifests.at(0);
  std::vector<Descriptor> images;
  for (Descriptor image :
       parse_index(test::read_file(blob_of(layout, entry.digest))).value().manifests) {
    if (!image.artifact_type.empty()) {
      return {1, "", "soci: errors encountered while building soci layers; denied\n"};
    }
    const std::string before = image.digest;
    image.annotations.clear();
    image.digest = digest_of("soci of " + before);
    converted[image.digest] = before;
    images.push_back(image);
    image.digest = digest_of("index of " + image.digest);
    image.artifact_type = "application/vnd.amazon.soci.index.v2+json";
    images.push_back(image);
  }
  const std::string bytes = index_json(images, {});
  write_layout(argv.back(), digest_of(bytes), bytes);
  return {0, "", ""};
}

Said World::push_layout(const Words& argv) {
  const std::string& layout = argv[argv.size() - 2];
  const std::string made = layout.substr(layout.find('@') + 1);
  const std::string blob = blob_of(layout.substr(0, layout.find('@')), made);
  const std::string repository = repository_of(argv.back());
  const bool was_there = repositories[repository].shows.contains(made);
  if (std::filesystem::exists(blob) && !was_there) {  // the index: below it, if it is new
    manifests[made] = test::read_file(blob);
    for (const Descriptor& child : parse_index(manifests[made]).value().manifests) {
      put(repository, child.digest);
    }
  }
  put(repository, made);
  if (const std::string tag = behind(argv.back(), ':');
      argv.back().find('@') == std::string::npos) {
    move_tag(repository, tag, made);
  }
  return {0, "Copying " + made.substr(7, 12) + "\nCopied\n", ""};
}

Said World::answer(const Words& argv) {
  if (fault) {
    if (const auto said = fault(argv)) return *said;
  }
  const auto has = [&](const char* word) {
    return std::find(argv.begin(), argv.end(), word) != argv.end();
  };
  if (argv[0] != "oras" && argv[0] != "soci") {
    std::string line;
    for (const std::string& word : argv) {
      const bool is_digest = word.find("@sha256:") != std::string::npos;
      if (is_digest && read(word).empty()) return {1, "", "denied: cannot read " + word + "\n"};
      line += (line.empty() ? "" : " ") + word;
    }
    done_after.push_back(line);
    return spoil ? spoil(argv, {}) : Said{};
  }
  Said said = argv[1] == "convert"       ? convert(argv)
              : argv[1] == "discover"    ? discover(argv)
              : argv[1] == "attach"      ? attach(argv)
              : argv[3] == "create"      ? describe(argv)
              : has("--to-oci-layout")   ? pull(argv)
              : has("--from-oci-layout") ? push_layout(argv)
              : argv[1] == "cp"          ? copy(argv)
              : argv[2] == "push"        ? push(argv)
                                         : fetch(argv);
  return spoil ? spoil(argv, std::move(said)) : said;
}

}  // namespace world
