#include "publish/plan/plan_file.hpp"

#include <retry_exec/text.hpp>

#include <glob.h>

#include <algorithm>
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

std::vector<std::string> files_of(const TargetDraft::Text& pattern, const std::string& plan_file,
                                  Errors& errors) {
  glob_t found{};
  const std::string path = beside(plan_file, pattern.text);
  std::vector<std::string> files;
  if (::glob(path.c_str(), GLOB_MARK, nullptr, &found) == 0) {  // NOLINT(concurrency-mt-unsafe)
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  std::erase_if(files, [](const std::string& file) { return file.ends_with('/'); });
  if (files.empty()) errors.push_back({pattern.where, "no file matches '" + path + "'"});
  return files;
}

std::string names_of(const std::vector<std::string>& files) {
  constexpr std::size_t most = 5;
  const std::string names = text::joined(std::span(files).first(std::min(files.size(), most)));
  if (files.size() <= most) return names;
  return names + " and " + std::to_string(files.size() - most) + " more";
}

}  // namespace retry_exec::publish::plan
