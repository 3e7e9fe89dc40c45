#include "publish/plan/plan_file.hpp"

#include <retry_exec/rules.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <unordered_map>
#include <unordered_set>

namespace retry_exec::publish::plan {

namespace {

// Where each target stands among others: of those of one name, the first.
class DraftsByName {
 public:
  explicit DraftsByName(std::vector<TargetDraft>& drafts) : drafts_(drafts) {
    for (std::size_t i = 0; i < drafts.size(); ++i) places_.emplace(drafts[i].name, i);
  }

  TargetDraft* find(const std::string& name) {
    const auto place = places_.find(name);
    return place == places_.end() ? nullptr : &drafts_[place->second];
  }

  void add(TargetDraft&& draft) {
    places_.emplace(draft.name, drafts_.size());
    drafts_.push_back(std::move(draft));
  }

 private:
  std::vector<TargetDraft>& drafts_;
  std::unordered_map<std::string, std::size_t> places_;
};

// What the plan writes of a target beats what bake says.
void merge(TargetDraft& baked, TargetDraft&& written) {
  baked.baked = false;
  baked.where = written.where;
  baked.sources = std::move(written.sources);
  baked.inputs = std::move(written.inputs);
  baked.metadata_action = std::move(written.metadata_action);
  if (!written.tags.empty()) baked.tags = std::move(written.tags);
  if (!written.platforms.empty()) baked.platforms = std::move(written.platforms);
  baked.staging = std::move(written.staging);
  baked.annotations = std::move(written.annotations);
  baked.soci = std::move(written.soci);
  baked.flatten = written.flatten;
  baked.allow_incomplete = written.allow_incomplete;
  baked.only_newer = written.only_newer;
  baked.after = std::move(written.after);
}

// Of a bake target without tags; the plan says where it is published.
void add_what_is_baked(TargetDraft& written, const TargetDraft& baked) {
  if (written.platforms.empty()) written.platforms = baked.platforms;
  written.found_annotations = baked.found_annotations;
}

void add_new(std::vector<TargetDraft::Text>& texts, const std::vector<TargetDraft::Text>& more) {
  std::unordered_set<std::string> known;
  for (const TargetDraft::Text& one : texts) known.insert(one.text);
  std::copy_if(more.begin(), more.end(), std::back_inserter(texts),
               [&](const auto& one) { return !known.contains(one.text); });
}

// Adds what the file at `path` says of a target to what others said of it.
void join(TargetDraft& known, const TargetDraft& more, const std::string& path,
          const PlanFile& file, Errors& errors) {
  add_new(known.tags, more.tags);
  add_new(known.platforms, more.platforms);
  const auto is_written = [&](const std::string& key) {
    return std::any_of(file.targets.begin(), file.targets.end(), [&](const TargetDraft& target) {
      return target.name == known.name && target.annotations.contains(key);
    });
  };
  for (const auto& [key, value] : more.found_annotations) {
    const auto [there, fresh] = known.found_annotations.emplace(key, value);
    if (fresh || there->second == value || is_written(key)) continue;
    errors.push_back({{path},
                      "annotation '" + key + "' of target '" + known.name + "' is '" + value +
                          "', and '" + there->second +
                          "' in another bake file; which one is meant, the target says under "
                          "'annotations'"});
  }
}

Bake read_bakes(PlanFile& file, Errors& errors) {
  Bake all;
  DraftsByName places(all.targets);
  for (const TargetDraft::Text& bake : file.bake) {
    for (const std::string& path : files_of(bake, file.plan, errors)) {
      Bake read = read_bake(path, bake.where, errors);
      for (TargetDraft& draft : read.targets) {
        if (TargetDraft* known = places.find(draft.name)) {
          join(*known, draft, path, file, errors);
        } else {
          places.add(std::move(draft));
        }
      }
      for (auto& [name, members] : read.groups) {
        std::vector<std::string>& group = all.groups[name];
        group.insert(group.end(), members.begin(), members.end());
      }
    }
  }
  return all;
}

// Those of bake's targets that must have been built.
std::set<std::string> wanted_of(const Bake& bake, const PlanFile& file, Errors& errors) {
  std::vector<TargetDraft::Text> names = file.bake_targets;
  if (names.empty() && bake.groups.contains("default")) {
    names.push_back({"default", file.bake.front().where});
  }
  std::unordered_set<std::string_view> known;
  for (const TargetDraft& draft : bake.targets) known.insert(draft.name);
  std::set<std::string> wanted;
  for (const TargetDraft::Text& name : names) {
    for (const std::string& target : targets_of(bake, name.text)) {
      if (known.contains(target)) {
        wanted.insert(target);
      } else {
        const bool in_group = bake.groups.contains(name.text);
        errors.push_back(
            {name.where, "no bake file has a target or group '" + target + "'" +
                             (in_group ? ", which group '" + name.text + "' lists" : "")});
      }
    }
  }
  return wanted;
}

std::vector<TargetDraft> gather(PlanFile& file, Errors& errors) {
  Bake bake = read_bakes(file, errors);
  const std::set<std::string> wanted = wanted_of(bake, file, errors);
  std::vector<TargetDraft> drafts = std::move(bake.targets);
  DraftsByName places(drafts);
  for (TargetDraft& written : file.targets) {
    TargetDraft* known = places.find(written.name);
    if (known != nullptr && !known->tags.empty()) {
      merge(*known, std::move(written));
    } else {
      if (known != nullptr) add_what_is_baked(written, *known);
      places.add(std::move(written));
    }
  }
  for (const TargetDraft::Text& pattern : file.metadata) {
    const std::vector<std::string> files = files_of(pattern, file.plan, errors);
    file.metadata_files.insert(file.metadata_files.end(), files.begin(), files.end());
  }
  const std::vector<std::string> remarks = read_metadata(file.metadata_files, drafts, errors);
  std::erase_if(drafts, [](const auto& draft) { return draft.baked && draft.tags.empty(); });
  for (TargetDraft& draft : drafts) {
    read_inputs(file, draft, errors);
    read_metadata_action(file, draft, errors);
  }
  // A bake file describes what could be built; what was not to be built is not published. Where
  // nothing says what was to be, its metadata tells, even if it is of no use.
  const bool unsaid = file.bake_targets.empty() && !bake.groups.contains("default");
  std::erase_if(drafts, [&](const TargetDraft& draft) {
    const bool built = !draft.found.empty() || (unsaid && !draft.remarks.empty());
    return draft.baked && !built && !file.metadata_files.empty() && !wanted.contains(draft.name);
  });
  for (TargetDraft& draft : drafts) {
    if (!takes_metadata_of_plan(draft)) continue;
    draft.remarks.insert(draft.remarks.end(), remarks.begin(), remarks.end());
  }
  return drafts;
}

std::string first_set(const Variables& environment, std::initializer_list<const char*> names,
                      const char* otherwise) {
  for (const char* name : names) {
    const char* value = environment(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return otherwise;
}

void fill_in(Plan& plan, const Variables& environment) {
  if (plan.oras.empty()) plan.oras = first_set(environment, {"ORAS", "ORAS_PATH"}, "oras");
  if (plan.soci.empty()) plan.soci = first_set(environment, {"SOCI", "SOCI_PATH"}, "soci");
  if (plan.scratch.empty()) plan.scratch = first_set(environment, {"TMPDIR"}, "/tmp");
}

// Names of built-in sets, or files; those of the plan are looked for beside it.
void read_rules(PlanFile& file, Errors& errors) {
  for (const TargetDraft::Text& rules : file.rules) {
    const std::string path = beside(file.plan.file, rules.text);
    std::error_code ignored;
    const bool bare = builtin_name(rules.text) == rules.text;
    const bool is_file = !bare && std::filesystem::is_regular_file(path, ignored);
    file.plan.rules.push_back(is_file ? path : rules.text);
    if (!is_file && builtin_name(rules.text)) continue;
    file.plan.files.push_back(file.plan.rules.back());
    // The errors in a file have a place of their own.
    const auto set = load_rule_set(file.plan.rules.back());
    if (set) continue;
    for (Error error : set.error()) {
      if (error.where.file.empty()) error.where = rules.where;
      errors.push_back(std::move(error));
    }
  }
  if (file.plan.rules.empty()) file.plan.rules = {"ghcr"};
}

void add_files_of_registries(Plan& plan) {
  for (const auto& [host, options] : plan.registries) {
    for (const std::string& path : {options.ca_file, options.registry_config}) {
      if (!path.empty()) plan.files.push_back(path);
    }
  }
}

void check_scratch(const Plan& plan, Errors& errors) {
  const bool soci = std::any_of(plan.targets.begin(), plan.targets.end(),
                                [](const Target& target) { return target.soci.enabled; });
  if (soci && plan.scratch.find_first_of(":@") != std::string::npos) {
    errors.push_back({{plan.file},
                      "the scratch folder '" + plan.scratch +
                          "' has a ':' or '@' in its name, which oras reads as a tag or a digest"});
  }
}

}  // namespace

namespace {

constexpr const char* of_text = "(options)";  // in the place of a file's name

Result<Plan, Errors> finish_plan(config::Node root, const std::string& path,
                                 const Variables& environment) {
  Errors errors;
  expand_variables(root, environment, errors);
  PlanFile file = read_plan_file(root, errors);
  file.plan.file = path;
  fill_in(file.plan, environment);
  read_rules(file, errors);
  add_files_of_registries(file.plan);
  std::vector<TargetDraft> drafts = gather(file, errors);
  file.plan.targets = finish_targets(file, std::move(drafts), environment, errors);
  if (file.plan.targets.empty() && errors.empty()) {
    errors.push_back({{path},
                      "no targets: write some under 'targets', or name a 'bake' file whose "
                      "targets have tags"});
  }
  check_scratch(file.plan, errors);
  if (!errors.empty()) return errors;
  return std::move(file.plan);
}

}  // namespace

Result<Plan, Errors> load_plan(const std::string& path, const Variables& environment) {
  auto root = config::parse_file(path);
  if (!root) return root.error();
  return finish_plan(*std::move(root), path, environment);
}

Result<Plan, Errors> read_plan(const std::string& text, const Variables& environment) {
  auto root = config::parse(text, of_text);
  if (!root) return root.error();
  return finish_plan(*std::move(root), of_text, environment);
}

Errors check_text(const std::string& text) {
  auto root = config::parse(text, of_text);
  if (!root) return root.error();
  const Variables none = [](const std::string&) { return nullptr; };
  Errors errors;
  expand_variables(*root, none, errors);
  PlanFile file = read_plan_file(*root, errors);
  for (TargetDraft& draft : file.targets) {
    const bool here = draft.metadata_action && is_json(draft.metadata_action->text);
    if (here) read_metadata_action(file, draft, errors);
  }
  finish_targets(file, file.targets, none, errors);
  return errors;
}

Result<Plan, Errors> select_targets(Plan plan, const Selection& selection) {
  Errors errors;
  std::vector<std::string_view> names;
  for (const Target& target : plan.targets) names.push_back(target.name);
  for (const std::string& name : selection.only) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string_view near = nearest_word(name, names);
    errors.push_back({{plan.file},
                      "no target '" + name + "' in the plan" +
                          (near.empty() ? "; --matrix lists those that it has"
                                        : "; did you mean '" + std::string(near) + "'?")});
  }
  if (!errors.empty()) return errors;
  if (!selection.only.empty()) {
    std::erase_if(plan.targets, [&](const Target& target) {
      return std::find(selection.only.begin(), selection.only.end(), target.name) ==
             selection.only.end();
    });
  }
  std::size_t number = 0;
  std::erase_if(plan.targets,
                [&](const Target&) { return number++ % selection.shards != selection.shard - 1; });
  return plan;
}

namespace {

std::set<std::string> hosts_of(const Plan& plan) {
  std::set<std::string> hosts;
  for (const Target& target : plan.targets) {
    for (const Source& source : target.sources) hosts.insert(source.reference.host);
    for (const oci::Reference& tag : target.tags) hosts.insert(tag.host);
    if (target.soci.enabled) hosts.insert(target.staging.host);
  }
  return hosts;
}

// Empty where it can; what is open already (/dev/fd/N) is not read away.
std::string why_unreadable(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return " is a folder, not a file";
  if (::access(path.c_str(), R_OK) == 0) return {};
  return " cannot be read: " + std::generic_category().message(errno);
}

}  // namespace

Errors check_registry_files(const Plan& plan) {
  Errors errors;
  for (const std::string& host : hosts_of(plan)) {
    const auto registry = plan.registries.find(host);
    if (registry == plan.registries.end()) continue;
    const auto check = [&](const char* key, const std::string& path, const Position& where) {
      const std::string why = path.empty() ? "" : why_unreadable(path);
      if (why.empty()) return;
      errors.push_back(
          {where, "'" + std::string(key) + "' of registry '" + host + "': " + path + why});
    };
    const RegistryOptions& options = registry->second;
    check("ca-file", options.ca_file, options.ca_file_is_at);
    check("registry-config", options.registry_config, options.registry_config_is_at);
  }
  return errors;
}

std::string matrix(const Plan& plan) {
  boost::json::array include;
  for (const Target& target : plan.targets) {
    include.push_back(boost::json::object{{"target", target.name}});
  }
  return boost::json::serialize(boost::json::object{{"include", std::move(include)}});
}

}  // namespace retry_exec::publish::plan
