#include "publish/oci/date.hpp"
#include "publish/oci/index.hpp"
#include "publish/oci/json.hpp"
#include "publish/plan/plan_file.hpp"

#include <retry_exec/read_file.hpp>

#include <boost/json/value.hpp>

#include <algorithm>
#include <initializer_list>
#include <tuple>

namespace retry_exec::publish::plan {

namespace {

// buildx writes provenance and digests of build inputs into it as well.
constexpr std::size_t most_bytes = std::size_t{64} << 20;

struct Found {
  std::string target;
  Source source;
  // An image that does not say when it was made counts as made now, and of two such the later
  // file's wins.
  oci::Date created = oci::Date::max();
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

// What the descriptor says, else what the provenance of the build says.
std::optional<oci::Platform> platform_in(const boost::json::object& entry) {
  if (const auto* at = inside(entry, {"containerimage.descriptor", "platform"})) {
    if (auto platform = oci::platform_of(*at)) return platform;
  }
  const auto* at = inside(entry, {"buildx.build.provenance", "invocation", "environment"});
  const auto platform = oci::parse_platform(at == nullptr ? "" : oci::text_of(*at, "platform"));
  return platform ? std::optional(*platform) : std::nullopt;
}

// The annotation of the image, else the label that the build was given.
oci::Date created_of(const boost::json::object& entry) {
  std::string text;
  if (const auto* at = inside(entry, {"containerimage.descriptor", "annotations"})) {
    text = oci::text_of(*at, "org.opencontainers.image.created");
  }
  const auto* at = inside(entry, {"buildx.build.provenance", "invocation", "parameters", "args"});
  if (text.empty() && at != nullptr)
    text = oci::text_of(*at, "label:org.opencontainers.image.created");
  return oci::parse_date(text).value_or(oci::Date::max());
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
    const auto found_of = [&](const Found& one) { return one.target == target; };
    const auto remark_of = [&](const auto& one) { return one.first == target; };
    return static_cast<std::size_t>(std::count_if(found.begin(), found.end(), found_of) +
                                    std::count_if(remarks.begin(), remarks.end(), remark_of));
  }

  std::string flat;  // the target that an object without a target's name is for

  std::vector<Found> found;
  std::vector<std::pair<std::string, std::string>> remarks;  // by target

 private:
  void read_entry(const std::string& file, const std::string& name,
                  const boost::json::object& entry) {
    const std::string digest = oci::text_of(entry, "containerimage.digest");
    const std::string names = oci::text_of(entry, "image.name");
    if (!entry.contains("containerimage.digest")) return;  // a note of the builder
    if (digest.empty()) {
      remarks.push_back({name, file + " has it with a 'containerimage.digest' that is not a text"});
      return;
    }
    if (names.empty()) {
      remarks.push_back(
          {name, file + " has it without 'image.name', which says where it was pushed"});
      return;
    }
    const std::string image = with_host(names.substr(0, names.find(',')));
    auto reference = oci::parse_reference(image.substr(0, image.find('@')) + "@" + digest);
    if (!reference) {
      errors_.push_back({{file}, "target '" + name + "': " + reference.error().what});
      return;
    }
    reference->tag.clear();
    found.push_back({.target = name,
                     .source = {*std::move(reference), platform_in(entry)},
                     .created = created_of(entry),
                     .order = found.size()});
  }

  Errors& errors_;
};

bool same_platform(const Found& one, const Found& other) {
  if (one.target != other.target) return false;
  if (!one.source.platform || !other.source.platform) {
    return one.source.reference.digest == other.source.reference.digest;
  }
  return oci::is_same(*one.source.platform, *other.source.platform);
}

bool newer(const Found& one, const Found& other) {
  return std::tuple(one.created, one.order) > std::tuple(other.created, other.order);
}

}  // namespace

namespace {

// Of each platform the newest.
void take_newest(const MetadataReader& reader, TargetDraft& target) {
  for (const auto& [name, remark] : reader.remarks) {
    if (name == target.name) target.remarks.push_back(remark);
  }
  for (const Found& found : reader.found) {
    const bool outdated = std::any_of(
        reader.found.begin(), reader.found.end(),
        [&](const Found& other) { return same_platform(found, other) && newer(other, found); });
    if (found.target == target.name && !outdated) target.found.push_back(found.source);
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
    reader.remarks.push_back(
        {target.name, file +
                          " has no source of it; the metadata of one build, with "
                          "'containerimage.digest' and 'image.name', or of a target '" +
                          target.name + "' was expected"});
  }
  take_newest(reader, target);
}

}  // namespace retry_exec::publish::plan
