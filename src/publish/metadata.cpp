#include "publish/json.hpp"
#include "publish/plan_file.hpp"

#include <retry_exec/read_file.hpp>

#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <initializer_list>
#include <map>
#include <tuple>

namespace retry_exec::publish {

namespace {

// buildx writes provenance and digests of build inputs into it as well.
constexpr std::size_t most_bytes = std::size_t{64} << 20;

using Date = std::chrono::sys_time<std::chrono::nanoseconds>;

struct Found {
  std::string target;
  Source source;
  // An image that does not say when it was made counts as made now, and of two such the later
  // file's wins.
  Date created = Date::max();
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

// Reads "2026-05-04T12:30:00.25+02:00"; without a zone it is UTC.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  std::optional<Date> read() {
    namespace chrono = std::chrono;
    const int year = number(4);
    expect("-");
    const int month = number(2);
    expect("-");
    const int day = number(2);
    expect("Tt ");
    const int hour = number(2);
    expect(":");
    const int minute = number(2);
    expect(":");
    const int second = number(2);
    const chrono::nanoseconds fraction = read_fraction();
    const chrono::minutes offset = read_offset();
    const chrono::year_month_day date = chrono::year(year) / month / day;
    if (!good_ || !rest_.empty() || !date.ok() || year < 1700 || year > 2200) return std::nullopt;
    return chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
           chrono::seconds(second) + fraction - offset;
  }

 private:
  int number(std::size_t digits) {
    int value = 0;
    const char* const end = rest_.data() + std::min(digits, rest_.size());
    const auto [stop, error] = std::from_chars(rest_.data(), end, value);
    good_ = good_ && error == std::errc() && stop == rest_.data() + digits && value >= 0;
    rest_.remove_prefix(std::min(digits, rest_.size()));
    return value;
  }

  char expect(std::string_view any) {
    const char c = rest_.empty() ? '\0' : rest_.front();
    good_ = good_ && any.find(c) != std::string_view::npos;
    if (!rest_.empty()) rest_.remove_prefix(1);
    return c;
  }

  std::chrono::nanoseconds read_fraction() {
    std::chrono::nanoseconds fraction{};
    if (!rest_.starts_with('.')) return fraction;
    rest_.remove_prefix(1);
    std::chrono::nanoseconds digit = std::chrono::milliseconds(100);
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; digit /= 10) {
      fraction += digit * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return fraction;
  }

  std::chrono::minutes read_offset() {
    if (rest_.empty()) return {};
    const char sign = expect("Zz+-");
    if (sign != '+' && sign != '-') return {};
    const int hours = number(2);
    expect(":");
    const std::chrono::minutes offset = std::chrono::hours(hours) + std::chrono::minutes(number(2));
    return sign == '+' ? offset : -offset;
  }

  std::string_view rest_;
  bool good_ = true;
};

const boost::json::object* inside(const boost::json::object& entry,
                                  std::initializer_list<const char*> keys) {
  const boost::json::object* at = &entry;
  for (const char* key : keys) {
    at = object_of(*at, key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

// What the descriptor says, else what the provenance of the build says.
std::optional<Platform> platform_of(const boost::json::object& entry) {
  if (const auto* at = inside(entry, {"containerimage.descriptor", "platform"})) {
    if (auto platform = platform_in(*at)) return platform;
  }
  const auto* at = inside(entry, {"buildx.build.provenance", "invocation", "environment"});
  return at == nullptr ? std::nullopt : parse_platform(text_of(*at, "platform"));
}

// The annotation of the image, else the label that the build was given.
Date created_of(const boost::json::object& entry) {
  std::string text;
  if (const auto* at = inside(entry, {"containerimage.descriptor", "annotations"})) {
    text = text_of(*at, "org.opencontainers.image.created");
  }
  const auto* at = inside(entry, {"buildx.build.provenance", "invocation", "parameters", "args"});
  if (text.empty() && at != nullptr) text = text_of(*at, "label:org.opencontainers.image.created");
  return DateReader(text).read().value_or(Date::max());
}

// buildx and bake write Docker's short names: "posit/workbench" and "debian" are on Docker Hub.
std::string with_host(const std::string& name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return "docker.io/library/" + name;
  const std::string first = name.substr(0, slash);
  const bool host = first == "localhost" || first.find_first_of(".:[") != std::string::npos;
  return host ? name : "docker.io/" + name;
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
    const std::string image = with_host(names.substr(0, names.find(',')));
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
  return std::tuple(one.created, one.order) > std::tuple(other.created, other.order);
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

namespace {

// "index:KEY=VALUE" and "index,manifest:KEY=VALUE" are for the index, which is what is made here.
void read_bake_annotations(const boost::json::object& target, TargetDraft& draft) {
  for (const std::string& text : texts_of(target, "annotations")) {
    const std::size_t equals = text.find('=');
    const std::size_t colon = text.find(':');
    if (equals == std::string::npos || colon == std::string::npos || colon + 1 >= equals) continue;
    const std::string kinds = "," + text.substr(0, colon) + ",";
    if (kinds.find(",index,") == std::string::npos) continue;
    draft.annotations[text.substr(colon + 1, equals - colon - 1)] = text.substr(equals + 1);
  }
}

}  // namespace

std::vector<TargetDraft> read_bake(const std::string& file, const Position& where, Errors& errors) {
  std::vector<TargetDraft> drafts;
  const auto text = read_file(file, most_bytes);
  if (!text) {
    errors.push_back(text.error());
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
    for (const std::string& tag : texts_of(value.get_object(), "tags")) {
      draft.tags.push_back({with_host(tag), {file}});
    }
    read_bake_annotations(value.get_object(), draft);
    if (!draft.tags.empty()) drafts.push_back(std::move(draft));
  }
  return drafts;
}

}  // namespace retry_exec::publish
