#include "rules/sources.hpp"

#include <retry_exec/read_file.hpp>

#include <boost/system/result.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace retry_exec {

namespace {

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

std::string_view without_extension(std::string_view name) {
  for (const std::string_view extension : {".yaml", ".yml"}) {
    if (name.ends_with(extension)) return name.substr(0, name.size() - extension.size());
  }
  return name;
}

const BuiltinSet* find_builtin(std::string_view name_or_path) {
  const std::string_view name = without_extension(name_or_path);
  const auto sets = builtin_sets();
  const auto found =
      std::lower_bound(sets.begin(), sets.end(), name,
                       [](const BuiltinSet& set, std::string_view n) { return set.name < n; });
  return found != sets.end() && found->name == name ? &*found : nullptr;
}

// Does `name` stand for the file at `path`? A bare name of a built-in set never does: where oras is
// run, a file of that name is oras itself.
bool names_file(std::string_view name, const std::string& path) {
  const BuiltinSet* set = find_builtin(name);
  return (set == nullptr || set->name != name) && is_file(path);
}

}  // namespace

std::optional<std::string_view> builtin_name(std::string_view name_or_path) {
  const BuiltinSet* set = find_builtin(name_or_path);
  if (set == nullptr || names_file(name_or_path, std::string(name_or_path))) return std::nullopt;
  return set->name;
}

const PolicyFields* builtin_policy(std::string_view name) {
  const BuiltinSet* set = find_builtin(name);
  return set == nullptr ? nullptr : &set->policy;
}

namespace rules {

namespace {

constexpr std::size_t most_files = 256;
constexpr std::size_t deepest_include = 16;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// One key per file, however it is reached.
std::string canonical(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return path;
  std::string key = real;
  std::free(real);
  return key;
}

std::string unknown_set(const std::string& name) {
  std::vector<std::string_view> names;
  for (const BuiltinSet& set : builtin_sets()) names.push_back(set.name);
  if (name.find('/') != std::string::npos) return "'" + name + "' does not exist";
  std::string what = "'" + name + "' is neither a file nor a built-in rule set";
  if (const auto near = nearest_word(without_extension(name), names); !near.empty()) {
    return what + "; did you mean '" + std::string(near) + "'?";
  }
  return what + "; 'retry-rules list' shows the built-in sets";
}

void visit_last_first(LoadedFile* source, std::set<LoadedFile*>& seen,
                      std::vector<LoadedFile*>& order) {
  if (!seen.insert(source).second) return;
  for (auto child = source->includes.rbegin(); child != source->includes.rend(); ++child) {
    visit_last_first(*child, seen, order);
  }
  order.push_back(source);
}

}  // namespace

std::vector<LoadedFile*> Sources::in_order(std::span<LoadedFile* const> roots) {
  std::set<LoadedFile*> seen;
  std::vector<LoadedFile*> order;
  for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
    visit_last_first(*root, seen, order);
  }
  std::reverse(order.begin(), order.end());
  return order;
}

LoadedFile* Sources::load(const std::string& name) {
  if (names_file(name, name)) return load_path(name, {});
  if (const BuiltinSet* set = find_builtin(name)) return load_builtin(*set, {});
  struct stat status {};
  errors_.push_back(::stat(name.c_str(), &status) == 0 ? Error{{name}, "is a folder, not a file"}
                                                       : Error{{}, unknown_set(name)});
  complete_ = false;
  return nullptr;
}

LoadedFile* Sources::load_path(const std::string& path, const Position& named) {
  const std::string key = canonical(path);
  if (includes_itself(key, named)) return nullptr;
  if (LoadedFile* source = known(key)) return source;
  // What a rule file includes may not make its reader wait, as standard input could.
  if (named.line == 0) return read_text(config::parse_file(path), path, key);
  const Result<std::string> text = read_regular_file(path, config::Limits{}.bytes);
  if (text) return read_text(config::parse(*text, path), path, key);
  return read_text(Errors{text.error()}, path, key);
}

LoadedFile* Sources::load_builtin(const BuiltinSet& set, const Position& named) {
  const std::string key = "built in:" + std::string(set.name);
  if (includes_itself(key, named)) return nullptr;
  if (LoadedFile* source = known(key)) return source;
  auto source = std::make_unique<LoadedFile>();
  source->file.file = std::string(set.name) + ".yaml";
  source->builtin = true;
  const config::Node root = config::unflatten(set.tree, source->file.file);
  return read(root, std::move(source), key);
}

LoadedFile* Sources::add(std::string_view yaml, const std::string& path) {
  return read_text(config::parse(yaml, path), path, path);
}

LoadedFile* Sources::read_text(const Result<config::Node, Errors>& root, const std::string& path,
                               const std::string& key) {
  if (!root) {
    append(errors_, root.error());
    complete_ = false;
    return nullptr;
  }
  auto source = std::make_unique<LoadedFile>();
  source->file.file = path;
  source->folder = folder_of(path);
  return read(*root, std::move(source), key);
}

bool Sources::includes_itself(const std::string& key, const Position& named) {
  if (std::find(open_.begin(), open_.end(), key) == open_.end()) return false;
  errors_.push_back({named, "a set that includes itself, by way of this include"});
  return true;
}

LoadedFile* Sources::known(const std::string& key) const {
  const auto found = sources_.find(key);
  return found == sources_.end() ? nullptr : found->second.get();
}

LoadedFile* Sources::read(const config::Node& root, std::unique_ptr<LoadedFile> source,
                          const std::string& key) {
  const std::string file = source->file.file;
  source->file =
      read_rule_file(root, file, source->builtin ? Patterns::trust : Patterns::check, errors_);
  LoadedFile& kept = *(sources_[key] = std::move(source));
  open_.push_back(key);
  include_all(kept);
  open_.pop_back();
  return &kept;
}

void Sources::include_all(LoadedFile& source) {
  for (const IncludeDraft& draft : source.file.includes) {
    if (open_.size() > deepest_include || sources_.size() > most_files) {
      errors_.push_back({draft.where, "too many files include one another"});
      return;
    }
    LoadedFile* included = include(source, draft);
    const auto& before = source.includes;
    if (included == nullptr) continue;
    if (std::find(before.begin(), before.end(), included) != before.end()) {
      errors_.push_back({draft.where, "'" + draft.name + "' is included twice"});
    } else {
      source.includes.push_back(included);
    }
  }
}

LoadedFile* Sources::include(const LoadedFile& source, const IncludeDraft& draft) {
  if (!source.builtin) {
    const std::string path = draft.name.starts_with('/') ? draft.name : source.folder + draft.name;
    if (names_file(draft.name, path)) return load_path(path, draft.where);
  }
  if (const BuiltinSet* set = find_builtin(draft.name)) return load_builtin(*set, draft.where);
  errors_.push_back({draft.where, unknown_set(draft.name)});
  complete_ = false;
  return nullptr;
}

}  // namespace rules

}  // namespace retry_exec
