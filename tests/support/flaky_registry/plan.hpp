// What goes wrong, as the test wants it: see README.md for the format.
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/quantity.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace flaky {

using retry_exec::Duration;

constexpr unsigned without_end = std::numeric_limits<unsigned>::max();

struct Invisible {
  enum class Since { push, plan };
  unsigned reads = 0;
  Duration lasts{};
  Since since = Since::push;
  bool refuse_parents = false;
};

struct Stale {
  unsigned reads = 0;
  Duration lasts{};
};

struct Answer {
  enum class Body { json, html, empty };
  unsigned status = 0;
  Body body = Body::json;
  std::string code;
  std::string message;
  std::optional<std::string> detail;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct ImmutableTags {};
struct Delay {
  Duration lasts{};
};
struct Reset {};
struct Cut {
  std::optional<std::uint64_t> after;  // bytes of the body; default: half of it
};
struct Silence {
  std::optional<Duration> lasts;
};

using Effect = std::variant<Invisible, Stale, Answer, ImmutableTags, Delay, Reset, Cut, Silence>;

enum class Kind { manifest, blob, upload, other };

struct Fault {
  std::string name;
  std::vector<std::string> methods;
  std::optional<Kind> kind;
  std::optional<std::regex> path;
  std::optional<std::regex> repository;
  std::optional<std::regex> tag;
  std::optional<std::regex> digest;
  unsigned skip = 0;
  unsigned times = without_end;
  bool per_reference = false;
  double probability = 1;
  bool forward = false;
  Effect effect;
};

struct Plan {
  std::uint64_t seed = 1;
  std::vector<Fault> faults;
};

retry_exec::Result<Plan, retry_exec::Errors> parse_plan(std::string_view text,
                                                        const std::string& file);

}  // namespace flaky
