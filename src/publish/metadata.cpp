#include "publish/json.hpp"
#include "publish/plan_file.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <tuple>

namespace retry_exec::publish {

namespace {

// buildx writes provenance and digests of build inputs into it as well.
constexpr yaml::Limits metadata_limits = {.bytes = std::size_t{64} << 20, .nodes = 0, .depth = 0};

struct Found {
  std::string target;
  Source source;
  // RFC 3339 in UTC, which sorts as text; an image that does not say when it was made counts as
  // made now, and of two such the later file's wins.
  std::string created;
  std::size_t order = 0;
};

std::optional<Platform> platform_in(const boost::json::object& fields) {
  Platform platform{.os = text_of(fields, "os"),
                    .architecture = text_of(fields, "architecture"),
                    .variant = text_of(fields, "variant"),
                    .os_version = {},
                    .os_features = {}};
  if (platform.architecture.empty()) return std::nullopt;
  return platform;
}

// "linux/arm64/v8"
std::optional<Platform> parse_platform(std::string_view text) {
  const std::size_t first = text.find('/');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('/', first + 1);
  Platform platform;
  platform.os = text.substr(0, first);
  platform.architecture = text.substr(first + 1, second - first - 1);
  if (second != std::string_view::npos) platform.variant = text.substr(second + 1);
  return platform;
}

// What the descriptor says, else what the provenance of the build says.
std::optional<Platform> platform_of(const boost::json::object& entry) {
  const boost::json::object* at = object_of(entry, "containerimage.descriptor");
  if (at != nullptr) at = object_of(*at, "platform");
  if (const auto platform = at == nullptr ? std::nullopt : platform_in(*at)) return platform;
  at = &entry;
  for (const char* key : {"buildx.build.provenance", "invocation", "environment"}) {
    at = object_of(*at, key);
    if (at == nullptr) return std::nullopt;
  }
  return parse_platform(text_of(*at, "platform"));
}

std::string created_of(const boost::json::object& entry) {
  const boost::json::object* at = object_of(entry, "containerimage.descriptor");
  if (at != nullptr) at = object_of(*at, "annotations");
  return at == nullptr ? std::string() : text_of(*at, "org.opencontainers.image.created");
}

class MetadataReader {
 public:
  explicit MetadataReader(Errors& errors) : errors_(errors) {}

  void read(const std::string& file) {
    const auto text = yaml::read_file(file, metadata_limits);
    if (!text) {
      errors_.insert(errors_.end(), text.error().begin(), text.error().end());
      return;
    }
    const auto fields = parse_object(*text);
    if (!fields) {
      errors_.push_back({{file}, fields.error().what});
      return;
    }
    for (const auto& [name, value] : *fields) {
      if (value.is_object()) read_entry(file, std::string(name), value.get_object());
    }
  }

  std::vector<Found> found;

 private:
  void read_entry(const std::string& file, const std::string& name,
                  const boost::json::object& entry) {
    const std::string digest = text_of(entry, "containerimage.digest");
    const std::string names = text_of(entry, "image.name");
    if (digest.empty() || names.empty()) return;  // a note of the builder, or an image not pushed
    const std::string image = names.substr(0, names.find(','));
    auto reference = parse_reference(image.substr(0, image.find('@')) + "@" + digest);
    if (!reference) {
      errors_.push_back({{file}, "target '" + name + "': " + reference.error().what});
      return;
    }
    reference->tag.clear();
    found.push_back({.target = name,
                     .source = {*std::move(reference), platform_of(entry)},
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
  return *one.source.platform == *other.source.platform;
}

bool newer(const Found& one, const Found& other) {
  return std::tuple(one.created.empty(), one.created, one.order) >
         std::tuple(other.created.empty(), other.created, other.order);
}

}  // namespace

void read_metadata(const std::vector<std::string>& files, std::vector<TargetDraft>& targets,
                   Errors& errors) {
  MetadataReader reader(errors);
  for (const std::string& file : files) reader.read(file);
  for (const Found& found : reader.found) {
    const bool outdated = std::any_of(
        reader.found.begin(), reader.found.end(),
        [&](const Found& other) { return same_platform(found, other) && newer(other, found); });
    if (outdated) continue;
    const auto target = std::find_if(targets.begin(), targets.end(), [&](const TargetDraft& draft) {
      return draft.name == found.target;
    });
    if (target != targets.end()) target->found.push_back(found.source);
  }
}

std::vector<TargetDraft> read_bake(const std::string& file, const Position& where, Errors& errors) {
  std::vector<TargetDraft> drafts;
  const auto text = yaml::read_file(file, metadata_limits);
  if (!text) {
    errors.insert(errors.end(), text.error().begin(), text.error().end());
    return drafts;
  }
  const auto fields = parse_object(*text);
  const boost::json::object* targets = fields ? object_of(*fields, "target") : nullptr;
  if (targets == nullptr) {
    errors.push_back({{file},
                      fields ? "no 'target' in it; a bake file here is what `docker buildx "
                               "bake --print` prints"
                             : fields.error().what});
    return drafts;
  }
  for (const auto& [name, value] : *targets) {
    if (!value.is_object()) continue;
    TargetDraft draft{.name = std::string(name), .where = where, .baked = true};
    for (std::string& tag : texts_of(value.get_object(), "tags")) {
      draft.tags.push_back({std::move(tag), {file}});
    }
    if (!draft.tags.empty()) drafts.push_back(std::move(draft));
  }
  return drafts;
}

}  // namespace retry_exec::publish
