// What `docker buildx bake --print` prints: targets, their tags and platforms, and groups of them.
#include "publish/oci/json.hpp"
#include "publish/plan/plan_file.hpp"

#include <retry_exec/read_file.hpp>

#include <boost/json/value.hpp>

#include <algorithm>

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
  read_index_annotations(fields, draft);
  return draft;
}

}  // namespace

void read_index_annotations(const boost::json::object& fields, TargetDraft& draft) {
  for (const std::string& text : oci::texts_of(fields, "annotations")) {
    const std::size_t equals = text.find('=');
    const std::size_t colon = text.find(':');
    if (equals == std::string::npos || colon == std::string::npos || colon + 1 >= equals) continue;
    const std::string kinds = "," + text.substr(0, colon) + ",";
    if (kinds.find(",index,") == std::string::npos) continue;
    draft.annotations[text.substr(colon + 1, equals - colon - 1)] = text.substr(equals + 1);
  }
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

std::set<std::string> targets_of(const Bake& bake, const std::string& name) {
  std::set<std::string> names;
  std::set<std::string> groups;
  std::vector<std::string> left = {name};
  while (!left.empty()) {
    const std::string next = std::move(left.back());
    left.pop_back();
    const auto group = bake.groups.find(next);
    if (group == bake.groups.end()) {
      names.insert(next);
    } else if (groups.insert(next).second) {
      left.insert(left.end(), group->second.begin(), group->second.end());
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
