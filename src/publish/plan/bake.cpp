// What `docker buildx bake --print` prints: targets, their tags and platforms, and groups of them.
#include "publish/oci/json.hpp"
#include "publish/plan/plan_file.hpp"

#include <retry_exec/read_file.hpp>

#include <boost/json/value.hpp>

#include <algorithm>
#include <unordered_map>

namespace retry_exec::publish::plan {

namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20;

// What of this is not a list of texts would be missed without a word.
void check_lists(const std::string& name, const boost::json::object& fields,
                 const std::string& file, Errors& errors) {
  for (const char* key : {"tags", "platforms"}) {
    const boost::json::value* value = fields.if_contains(key);
    if (value == nullptr || value->is_null() || oci::is_list_of_texts(fields, key)) continue;
    errors.push_back({{file},
                      "'" + std::string(key) + "' of target '" + name +
                          "' is not a list of texts, as `docker buildx bake --print` prints it"});
  }
}

TargetDraft read_target(const std::string& name, const boost::json::object& fields,
                        const Position& where, const std::string& file) {
  TargetDraft draft;
  draft.name = name;
  draft.where = where;
  draft.baked = true;
  for (const std::string& tag : oci::texts_of(fields, "tags")) {
    draft.tags.push_back({with_host(tag), {file}});
  }
  for (const std::string& platform : oci::texts_of(fields, "platforms")) {
    draft.platforms.push_back({platform, {file}});
  }
  draft.found_annotations = index_annotations_of(fields);
  return draft;
}

bool has_target(const Bake& bake, const std::string& name) {
  return std::any_of(bake.targets.begin(), bake.targets.end(),
                     [&](const TargetDraft& target) { return target.name == name; });
}

}  // namespace

std::map<std::string, std::string> index_annotations_of(const boost::json::object& fields) {
  std::map<std::string, std::string> annotations;
  for (const std::string& text : oci::texts_of(fields, "annotations")) {
    const std::size_t equals = text.find('=');
    const std::size_t colon = text.find(':');
    if (equals == std::string::npos || colon == std::string::npos || colon + 1 >= equals) continue;
    const std::string kinds = "," + text.substr(0, colon) + ",";
    if (kinds.find(",index,") == std::string::npos) continue;
    annotations[text.substr(colon + 1, equals - colon - 1)] = text.substr(equals + 1);
  }
  return annotations;
}

Bake read_bake(const std::string& file, const Position& where, Errors& errors) {
  Bake bake;
  const auto text = read_file(file, most_bytes);
  if (!text) {
    errors.push_back(text.error());
    return bake;
  }
  const auto fields = oci::parse_object(*text);
  const boost::json::object* targets = fields ? oci::object_of(*fields, "target") : nullptr;
  if (targets == nullptr) {
    errors.push_back({{file},
                      fields ? "no 'target' in it; a bake file here is what `docker buildx "
                               "bake --print` prints"
                             : fields.error().what});
    return bake;
  }
  for (const auto& [name, value] : *targets) {
    if (!value.is_object()) continue;
    check_lists(name, value.get_object(), file, errors);
    bake.targets.push_back(read_target(name, value.get_object(), where, file));
  }
  if (const boost::json::object* groups = oci::object_of(*fields, "group")) {
    for (const auto& [name, value] : *groups) {
      if (value.is_object()) bake.groups[name] = oci::texts_of(value.get_object(), "targets");
    }
  }
  return bake;
}

// A group within itself, such as "app" that lists "app" and "tools", is there the target of its
// name, as buildx has it.
std::set<std::string> targets_of(const Bake& bake, const std::string& name) {
  struct Step {
    std::string name;
    bool leaves = false;  // all that the group lists has been looked at
  };
  std::set<std::string> names;
  std::unordered_map<std::string, bool> entered;  // groups; true: what is looked at is in it
  std::vector<Step> left = {{name}};
  while (!left.empty()) {
    const Step next = std::move(left.back());
    left.pop_back();
    const auto group = bake.groups.find(next.name);
    if (next.leaves) {
      entered[next.name] = false;
    } else if (group == bake.groups.end()) {
      names.insert(next.name);
    } else if (const auto [known, fresh] = entered.emplace(next.name, true); fresh) {
      left.push_back({next.name, true});
      for (const std::string& member : group->second) left.push_back({member});
    } else if (known->second && has_target(bake, next.name)) {
      names.insert(next.name);
    }
  }
  return names;
}

// buildx and bake write Docker's short names: "posit/workbench" and "debian" are on Docker Hub.
std::string with_host(const std::string& name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return "docker.io/library/" + name;
  const std::string first = name.substr(0, slash);
  const bool host = first == "localhost" || first.find_first_of(".:[") != std::string::npos;
  return host ? name : "docker.io/" + name;
}

std::string without_digest(const std::string& name) {
  const std::size_t at = name.rfind('@');
  const bool digest = at != std::string::npos && oci::is_digest(name.substr(at + 1));
  return digest ? name.substr(0, at) : name;
}

}  // namespace retry_exec::publish::plan
