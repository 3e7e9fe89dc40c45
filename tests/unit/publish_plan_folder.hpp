// A folder with a plan and what it names.
#pragma once

#include "catch_shim.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/publish_run.hpp>

#include <map>
#include <string>

namespace test {

inline const std::string a(64, 'a');
inline const std::string b(64, 'b');

struct PlanFolder {
  TemporaryFolder folder;
  std::map<std::string, std::string> environment;

  std::string write(const std::string& name, const std::string& text) const {
    return folder.write(name, text);
  }

  retry_exec::Result<retry_exec::publish::plan::Plan, retry_exec::Errors> load(
      const std::string& yaml) const {
    return retry_exec::publish::plan::load_plan(
        write("plan.yaml", yaml), [this](const std::string& name) {
          const auto found = environment.find(name);
          return found == environment.end() ? nullptr : found->second.c_str();
        });
  }

  // The errors, one a line, without the folder's name.
  std::string errors(const std::string& yaml) const {
    const auto plan = load(yaml);
    std::string text;
    if (plan) return text;
    for (const retry_exec::Error& error : plan.error()) text += to_string(error) + "\n";
    const std::string prefix = folder / "";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }
};

inline std::string source(const std::string& hex = a) {
  return "ghcr.io/o/r/tmp@sha256:" + hex;
}

inline std::string plan_with(const std::string& target) {
  return "retry-publish: 1\ntargets:\n  one:\n" + target;
}

}  // namespace test
