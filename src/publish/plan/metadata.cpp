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
  // `flat` is the target that an object without a target's name is for; empty: nothing says which.
  MetadataReader(std::unordered_set<std::string> known, std::string flat, Errors& errors)
      : known_(std::move(known)), flat_(std::move(flat)), errors_(errors) {}

  // What a file says of the known targets, of use or not.
  enum class Said { something, nothing, of_no_name, broken };

  Said read(const std::string& file) {
    const auto text = read_file(file, most_bytes);
    if (!text) {
      errors_.push_back(text.error());
      return Said::something;  // the plan has failed
    }
    const auto fields = oci::parse_object(*text);
    if (!fields && oci::is_json(*text)) {  // of another kind, which no build left half written
      errors_.push_back({{file}, fields.error().what});
      return Said::something;
    }
    if (!fields) {
      why_broken = fields.error().what;
      return Said::broken;
    }
    if (fields->contains("containerimage.digest")) {
      if (flat_.empty()) return Said::of_no_name;
      read_entry(file, flat_, *fields);
      return Said::something;
    }
    Said said = Said::nothing;
    for (const auto& [key, value] : *fields) {
      const std::string name(key);
      if (!known_.contains(name)) continue;
      said = Said::something;
      const boost::json::object* entry = value.if_object();
      if (entry != nullptr && entry->contains("containerimage.digest")) {
        read_entry(file, name, *entry);
      } else {
        of_target[name].remarks.push_back(
            file + " has it without 'containerimage.digest': it was built, but not pushed");
      }
    }
    return said;
  }

  std::string why_broken;  // of the file that was read last

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
    auto reference = oci::parse_source(without_digest(image) + "@" + digest);
    if (!reference) {
      errors_.push_back({{file}, "target '" + name + "': " + reference.error().what});
      return;
    }
    reference->tag.clear();
    std::vector<FoundSource>& found = of_target[name].found;
    found.push_back({.source = {*std::move(reference), platform_in(entry), created_of(entry)},
                     .order = found.size()});
  }

  std::unordered_set<std::string> known_;
  std::string flat_;
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

// What a later input of the target says stands later.
std::size_t place_behind(const std::vector<Source>& found) {
  std::size_t place = 0;
  for (const Source& source : found) {
    if (source.place) place = std::max(place, *source.place + 1);
  }
  return place;
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
  const std::size_t first = place_behind(target.found);
  for (const FoundSource& found : all) {
    const std::string& digest = found.source.reference.digest;
    const std::optional<oci::Platform>& platform = found.source.platform;
    const bool outdated =
        platform ? has_newer(with_platform, key_with_digest(found), found) ||
                       (found.source.created && has_newer(by_platform, key_of(*platform), found))
                 : named.contains(digest) || has_newer(without_platform, digest, found);
    if (outdated) continue;
    target.found.push_back(found.source);
    target.found.back().place = first + found.order;
  }
}

// One remark of all such files: each is one of every target.
void remark_on(const std::vector<std::string>& files, const char* one, const char* several,
               std::vector<std::string>& remarks) {
  if (files.empty()) return;
  remarks.push_back(names_of(files) + (files.size() == 1 ? one : several));
}

}  // namespace

bool takes_metadata_of_plan(const TargetDraft& draft) {
  const bool is_published = !draft.baked || !draft.tags.empty();
  return is_published && draft.sources.empty() && draft.inputs.empty();
}

std::vector<std::string> read_metadata(const std::vector<std::string>& files,
                                       std::vector<TargetDraft>& targets, Errors& errors) {
  std::unordered_set<std::string> known;
  for (const TargetDraft& target : targets) known.insert(target.name);
  const auto takes = std::count_if(targets.begin(), targets.end(), takes_metadata_of_plan);
  const auto taker = std::find_if(targets.begin(), targets.end(), takes_metadata_of_plan);
  MetadataReader reader(std::move(known), takes == 1 ? taker->name : "", errors);
  std::vector<std::string> useless;
  std::vector<std::string> nameless;
  for (const std::string& file : files) {
    const MetadataReader::Said said = reader.read(file);
    if (said == MetadataReader::Said::nothing) useless.push_back(file);
    if (said == MetadataReader::Said::of_no_name) nameless.push_back(file);
    // Whose source is missing there, nobody knows.
    if (said == MetadataReader::Said::broken) errors.push_back({{file}, reader.why_broken});
  }
  for (TargetDraft& target : targets) take_newest(reader, target);
  std::vector<std::string> remarks;
  remark_on(useless, " says nothing of a target that the plan or bake knows",
            " say nothing of a target that the plan or bake knows", remarks);
  remark_on(nameless,
            " is of one build and names no target; 'sources: [{metadata: …}]' of a target reads "
            "such a file",
            " are of one build each and name no target; 'sources: [{metadata: …}]' of a target "
            "reads such files",
            remarks);
  return remarks;
}

void read_flat_metadata(const std::vector<std::string>& files, TargetDraft& target,
                        Errors& errors) {
  MetadataReader reader({target.name}, target.name, errors);
  for (const std::string& file : files) {
    const MetadataReader::Said said = reader.read(file);
    if (said == MetadataReader::Said::something) continue;
    if (said == MetadataReader::Said::broken) {  // left by a build of this target alone
      target.broken.push_back(file + ": " + reader.why_broken);
      continue;
    }
    reader.of_target[target.name].remarks.push_back(
        file +
        " has no source of it; the metadata of one build, with 'containerimage.digest' and "
        "'image.name', or of a target '" +
        target.name + "' was expected");
  }
  take_newest(reader, target);
}

}  // namespace retry_exec::publish::plan
