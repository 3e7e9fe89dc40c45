// What `docker buildx bake --print` prints: targets, their tags and platforms, and groups of them.
#include "publish/oci/json.hpp"
#include "publish/plan/plan_file.hpp"

#include <retry_exec/read_file.hpp>

#include <boost/json/value.hpp>

#include <algorithm>
#include <initializer_list>
#include <unordered_map>

namespace retry_exec::publish::plan {

namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20;

// What is in another form than bake prints it in would be missed without a word.
class FormCheck {
 public:
  FormCheck(const std::string& file, Errors& errors) : file_(file), errors_(errors) {}

  void lists(const std::string& what, const boost::json::object& fields,
             std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      if (!oci::has_only_texts(fields, key))
        error("'" + std::string(key) + "' of " + what + " is not a list of texts");
    }
  }

  // nullptr where it is none; null says nothing.
  const boost::json::object* object(const std::string& what, const boost::json::value& value) {
    if (!value.is_object() && !value.is_null()) error(what + " is not an object");
    return value.if_object();
  }

 private:
  void error(const std::string& what) {
    errors_.push_back({{file_}, what + ", as `docker buildx bake --print` prints it"});
  }

  const std::string& file_;
  Errors& errors_;
};

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

void read_groups(const boost::json::object& fields, FormCheck& check, Bake& bake) {
  const boost::json::value* value = fields.if_contains("group");
  const boost::json::object* groups = value == nullptr ? nullptr : check.object("'group'", *value);
  if (groups == nullptr) return;
  for (const auto& [name, said] : *groups) {
    const std::string what = "group '" + std::string(name) + "'";
    const boost::json::object* group = check.object(what, said);
    if (group == nullptr) continue;
    check.lists(what, *group, {"targets"});
    bake.groups[name] = oci::texts_of(*group, "targets");
  }
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
  FormCheck check(file, errors);
  for (const auto& [name, value] : *targets) {
    const std::string what = "target '" + std::string(name) + "'";
    const boost::json::object* target = check.object(what, value);
    if (target == nullptr) continue;
    check.lists(what, *target, {"tags", "platforms", "annotations"});
    bake.targets.push_back(read_target(name, *target, where, file));
  }
  read_groups(*fields, check, bake);
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
