#include "publish/oci/date.hpp"
#include "publish/oci/index.hpp"
#include "publish/oci/json.hpp"
#include "publish/oci/platform.hpp"
#include "publish/plan/plan_file.hpp"

#include <retry_exec/read_file.hpp>

#include <boost/json/value.hpp>

#include <algorithm>
#include <initializer_list>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace retry_exec::publish::plan {

namespace {

// buildx writes provenance and digests of build inputs into it as well.
constexpr std::size_t most_bytes = std::size_t{64} << 20;

struct FoundSource {
  Source source;
  std::size_t order = 0;
};

const boost::json::object* inside(const boost::json::object& entry,
                                  std::initializer_list<const char*> keys) {
  const boost::json::object* at = &entry;
  for (const char* key : keys) {
    at = oci::object_of(*at, key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

// The platform in a build's provenance is the builder's, which may build for others.
std::optional<oci::Platform> platform_in(const boost::json::object& entry) {
  const auto* at = inside(entry, {"containerimage.descriptor", "platform"});
  return at == nullptr ? std::nullopt : oci::platform_of(*at);
}

// The annotation of the image, else the label that the build was given.
std::optional<oci::Date> created_of(const boost::json::object& entry) {
  std::string text;
  if (const auto* at = inside(entry, {"containerimage.descriptor", "annotations"})) {
    text = oci::text_of(*at, "org.opencontainers.image.created");
  }
  const auto* at = inside(entry, {"buildx.build.provenance", "invocation", "parameters", "args"});
  if (text.empty() && at != nullptr)
    text = oci::text_of(*at, "label:org.opencontainers.image.created");
  return oci::parse_date(text);
}

class MetadataReader {
 public:
  explicit MetadataReader(Errors& errors) : errors_(errors) {}

  void read(const std::string& file) {
    const auto text = read_file(file, most_bytes);
    if (!text) {
      errors_.push_back(text.error());
      return;
    }
    const auto fields = oci::parse_object(*text);
    if (!fields) {
      errors_.push_back({{file}, fields.error().what});
      return;
    }
    if (fields->contains("containerimage.digest")) return read_entry(file, flat, *fields);
    for (const auto& [name, value] : *fields) {
      if (value.is_object()) read_entry(file, std::string(name), value.get_object());
    }
  }

  // How often something of it was found, of use or not.
  std::size_t told_of(const std::string& target) const {
    const auto known = of_target.find(target);
    return known == of_target.end() ? 0 : known->second.found.size() + known->second.remarks.size();
  }

  std::string flat;  // the target that an object without a target's name is for

  struct OfTarget {
    std::vector<FoundSource> found;
    std::vector<std::string> remarks;
  };
  std::unordered_map<std::string, OfTarget> of_target;

 private:
  void read_entry(const std::string& file, const std::string& name,
                  const boost::json::object& entry) {
    const std::string digest = oci::text_of(entry, "containerimage.digest");
    const std::string names = oci::text_of(entry, "image.name");
    if (!entry.contains("containerimage.digest")) return;  // a note of the builder
    if (digest.empty()) {
      of_target[name].remarks.push_back(
          file + " has it with a 'containerimage.digest' that is not a text");
      return;
    }
    if (names.empty()) {
      of_target[name].remarks.push_back(
          file + " has it without 'image.name', which says where it was pushed");
      return;
    }
    const std::string image = with_host(names.substr(0, names.find(',')));
    auto reference = oci::parse_reference(image.substr(0, image.find('@')) + "@" + digest);
    if (!reference) {
      errors_.push_back({{file}, "target '" + name + "': " + reference.error().what});
      return;
    }
    reference->tag.clear();
    std::vector<FoundSource>& found = of_target[name].found;
    found.push_back({.source = {*std::move(reference), platform_in(entry), created_of(entry)},
                     .order = found.size()});
  }

  Errors& errors_;
};

// Of two of one date, or of one image, the later file's.
bool newer(const FoundSource& one, const FoundSource& other) {
  const auto key = [](const FoundSource& found) {
    return std::tuple(found.source.created, found.order);
  };
  return key(one) > key(other);
}

using Newest = std::unordered_map<std::string, const FoundSource*>;

void keep_newest(Newest& newest, const std::string& key, const FoundSource& found) {
  const auto [known, fresh] = newest.emplace(key, &found);
  if (!fresh && newer(found, *known->second)) known->second = &found;
}

bool has_newer(const Newest& newest, const std::string& key, const FoundSource& found) {
  const auto known = newest.find(key);
  return known != newest.end() && newer(*known->second, found);
}

std::string key_of(const oci::Platform& platform) {
  return to_string(oci::normalized(platform));
}

// Of each platform the newest, and of each image one. An image of which the platform is not said is
// known by its digest. Where a date is not said, the run reads it.
void take_newest(const MetadataReader& reader, TargetDraft& target) {
  const auto known = reader.of_target.find(target.name);
  if (known == reader.of_target.end()) return;
  const auto& [all, remarks] = known->second;
  target.remarks.insert(target.remarks.end(), remarks.begin(), remarks.end());
  Newest by_platform;    // of those with a date
  Newest with_platform;  // of each image
  Newest without_platform;
  const auto key_with_digest = [](const FoundSource& found) {
    return key_of(*found.source.platform) + " " + found.source.reference.digest;
  };
  std::unordered_set<std::string> named;  // digests of which a platform is said
  for (const FoundSource& found : all) {
    const std::string& digest = found.source.reference.digest;
    if (!found.source.platform) {
      keep_newest(without_platform, digest, found);
      continue;
    }
    named.insert(digest);
    keep_newest(with_platform, key_with_digest(found), found);
    if (found.source.created) keep_newest(by_platform, key_of(*found.source.platform), found);
  }
  for (const FoundSource& found : all) {
    const std::string& digest = found.source.reference.digest;
    const std::optional<oci::Platform>& platform = found.source.platform;
    const bool outdated =
        platform ? has_newer(with_platform, key_with_digest(found), found) ||
                       (found.source.created && has_newer(by_platform, key_of(*platform), found))
                 : named.contains(digest) || has_newer(without_platform, digest, found);
    if (outdated) continue;
    target.found.push_back(found.source);
    target.found.back().place = found.order;
  }
}

}  // namespace

void read_metadata(const std::vector<std::string>& files, std::vector<TargetDraft>& targets,
                   Errors& errors) {
  MetadataReader reader(errors);
  for (const std::string& file : files) reader.read(file);
  for (TargetDraft& target : targets) take_newest(reader, target);
}

void read_flat_metadata(const std::vector<std::string>& files, TargetDraft& target,
                        Errors& errors) {
  MetadataReader reader(errors);
  reader.flat = target.name;
  for (const std::string& file : files) {
    const std::size_t before = reader.told_of(target.name);
    reader.read(file);
    if (reader.told_of(target.name) > before) continue;
    reader.of_target[target.name].remarks.push_back(
        file +
        " has no source of it; the metadata of one build, with 'containerimage.digest' and "
        "'image.name', or of a target '" +
        target.name + "' was expected");
  }
  take_newest(reader, target);
}

}  // namespace retry_exec::publish::plan
