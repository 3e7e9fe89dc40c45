#include "publish/plan/plan_file.hpp"

#include <retry_exec/text.hpp>

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <span>

namespace retry_exec::publish::plan {

namespace {

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [letter](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string expanded(const config::Node& node, const Variables& environment, Errors& errors) {
  const std::string& text = node.text;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 3, "$${") == 0) {
      out += "${";
      at += 3;
      continue;
    }
    if (text.compare(at, 2, "${") != 0) {
      out += text[at++];
      continue;
    }
    const std::size_t end = text.find('}', at);
    const std::string name =
        end == std::string::npos ? std::string() : text.substr(at + 2, end - at - 2);
    const char* value = is_variable_name(name) ? environment(name) : nullptr;
    if (!is_variable_name(name)) {
      errors.push_back({node.position_of(at),
                        "'${' begins a variable such as ${NAME}; write '$${' "
                        "where it does not"});
      return out;
    }
    if (value == nullptr) {
      errors.push_back(
          {node.position_of(at), "the environment variable '" + name + "' is not set"});
    } else {
      out += value;
    }
    at = end + 1;
  }
  return out;
}

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_MARK, nullptr, &found) == 0) {  // NOLINT(concurrency-mt-unsafe)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

// A folder and those in it at any depth, each with a '/' behind it; "" is the current one. Hidden
// ones, links and those that may not be read are not entered, as by a shell.
std::vector<std::string> folders_from(const std::string& folder, const Position& where,
                                      Errors& errors) {
  namespace fs = std::filesystem;
  std::vector<std::string> folders = {folder};
  const std::string root = folder.empty() ? "." : folder;
  std::error_code failure;
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, failure);
  for (; !failure && at != fs::recursive_directory_iterator(); at.increment(failure)) {
    const bool is_folder = at->symlink_status(failure).type() == fs::file_type::directory;
    const bool hidden = at->path().filename().native().starts_with('.');
    if (hidden) at.disable_recursion_pending();
    if (is_folder && !hidden) {
      folders.push_back(at->path().native().substr(folder.empty() ? 2 : 0) + "/");
    }
  }
  if (failure) {
    errors.push_back({where, "'" + root + "' cannot be searched: " + failure.message()});
  }
  return folders;
}

// "**" between slashes stands for folders at any depth, which glob(3) does not know.
std::vector<std::string> matches_at_any_depth(const std::string& pattern, const Position& where,
                                              Errors& errors) {
  std::size_t at = pattern.find("**");
  const auto is_whole = [&] {
    const std::size_t end = at + 2;
    return (at == 0 || pattern[at - 1] == '/') && (end == pattern.size() || pattern[end] == '/');
  };
  while (at != std::string::npos && !is_whole()) at = pattern.find("**", at + 1);
  if (at == std::string::npos) return matches(pattern);
  const std::string behind = at + 2 == pattern.size() ? "*" : pattern.substr(at + 3);
  std::vector<std::string> found;
  const std::vector<std::string> roots =
      at == 0 ? std::vector<std::string>{""} : matches(pattern.substr(0, at));
  for (const std::string& root : roots) {
    for (const std::string& folder : folders_from(root, where, errors)) {
      const auto more = matches_at_any_depth(literal(folder) + behind, where, errors);
      found.insert(found.end(), more.begin(), more.end());
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace

void expand_variables(config::Node& node, const Variables& environment, Errors& errors) {
  if (node.kind == config::Node::Kind::scalar && node.text.find("${") != std::string::npos) {
    node.text = expanded(node, environment, errors);
    node.style = config::Node::Style::plain;  // '${LOCAL}' may stand for true
  }
  for (config::Node& item : node.items) expand_variables(item, environment, errors);
  for (auto& [key, value] : node.entries) expand_variables(value, environment, errors);
}

std::string beside(const std::string& file, const std::string& path) {
  const std::size_t slash = file.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos) return path;
  return file.substr(0, slash + 1) + path;
}

std::string literal(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

// A file of that very name is meant, whatever else the name matches as a pattern.
std::vector<std::string> files_of(const TargetDraft::Text& pattern, Plan& plan, Errors& errors) {
  namespace fs = std::filesystem;
  plan.patterns.push_back(beside(literal(plan.file), pattern.text));
  std::vector<std::string> files = {beside(plan.file, pattern.text)};
  std::error_code ignored;
  if (!fs::exists(files.front(), ignored) || fs::is_directory(files.front(), ignored)) {
    files = matches_at_any_depth(beside(literal(plan.file), pattern.text), pattern.where, errors);
  }
  std::erase_if(files, [](const std::string& file) { return file.ends_with('/'); });
  if (files.empty()) {
    errors.push_back({pattern.where, "no file matches '" + beside(plan.file, pattern.text) + "'"});
  }
  plan.files.insert(plan.files.end(), files.begin(), files.end());
  return files;
}

namespace {

using Parts = std::vector<std::string>;

// Of a path from the root on, the links in it followed as far as it is there.
Parts parts_of(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path whole =
      std::filesystem::weakly_canonical(std::filesystem::absolute(path, ignored), ignored);
  return {whole.begin(), whole.end()};
}

bool fits(std::span<const std::string> pattern, std::span<const std::string> path) {
  if (pattern.empty() || path.empty()) return pattern.empty() && path.empty();
  const bool any_depth = pattern.front() == "**";
  if (any_depth && pattern.size() > 1 && fits(pattern.subspan(1), path)) return true;
  if (::fnmatch(pattern.front().c_str(), path.front().c_str(), FNM_PERIOD) != 0) return false;
  return fits(pattern.subspan(1), path.subspan(1)) || (any_depth && fits(pattern, path.subspan(1)));
}

}  // namespace

bool would_be_read(const Plan& plan, const std::string& file) {
  const Parts path = parts_of(file);
  return std::any_of(plan.patterns.begin(), plan.patterns.end(),
                     [&](const std::string& pattern) { return fits(parts_of(pattern), path); });
}

std::string names_of(const std::vector<std::string>& files) {
  constexpr std::size_t most = 5;
  const std::string names = text::joined(std::span(files).first(std::min(files.size(), most)));
  if (files.size() <= most) return names;
  return names + " and " + std::to_string(files.size() - most) + " more";
}

}  // namespace retry_exec::publish::plan
