// One registry under several spellings: "ghcr.io" and "ghcr.io:443".
#pragma once

#include <retry_exec/publish_plan.hpp>

#include <map>
#include <string>
#include <string_view>

namespace retry_exec::publish::plan {

// Of each registry one spelling, so that a tag has one owner: the one under which `registries` of
// the plan has it, else the first. It is not always the one without a port, for logins are looked
// up by what is written.
class Registries {
 public:
  using Options = std::map<std::string, RegistryOptions, std::less<>>;

  explicit Registries(Options options);

  std::string spelling_of(const std::string& host);

 private:
  std::string key_of(const std::string& host) const;
  bool is_plain(const std::string& host, std::string_view name) const;

  Options options_;
  std::map<std::string, std::string> spellings_;
};

}  // namespace retry_exec::publish::plan
