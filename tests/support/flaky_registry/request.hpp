// What a request to a registry is about, read from its method and path.
#pragma once

#include "plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace flaky {

struct Subject {
  std::string method;
  std::string target;  // path and query, as sent
  Kind kind = Kind::other;
  std::string repository;
  std::string tag;  // one of these two, or neither
  std::string digest;

  bool is_read() const { return method == "GET" || method == "HEAD"; }
  // The tag or digest; of uploads their path.
  const std::string& reference() const;
  // Tells references of different repositories apart.
  std::string key() const { return repository + '@' + reference(); }
};

Subject subject_of(std::string_view method, std::string_view target);

// The value of `name` in the query of `target`, percent-decoded; empty when there is none.
std::string query_value(std::string_view target, std::string_view name);

// Every sha256 digest that a manifest names, in its order.
std::vector<std::string> digests_in(std::string_view manifest);

}  // namespace flaky
