// Publishing images: from manifests that were pushed by digest to verified tags.
//
//   load_plan(file)  →  Plan  →  publish(plan, seams)  →  Outcome of each target
//
// For each target: wait until every source digest is readable → create the index → convert it for
// SOCI (where asked) → copy it to its tags → verify them → run what is to be run afterwards. All
// that touches a registry is done by oras and soci, as argv arrays; nothing here prints. The format
// of a plan is documented in README.md, "Publishing images".
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/policy.hpp>
#include <retry_exec/publish_oci.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retry_exec::publish::plan {

// ---- the plan --------------------------------------------------------------------------------

enum class Phase { preflight, index, soci, copy, verify, after };

// Its name in plans and reports, and its limits where the plan does not say others.
struct PhaseDefaults {
  Phase phase;
  std::string_view name;
  Duration timeout;   // of one attempt; of a read 30 s: oras itself gives a throttled request 15
  Duration deadline;  // of the phase
};
// In the order in which they run.
inline constexpr std::array phases = {
    PhaseDefaults{Phase::preflight, "preflight", std::chrono::seconds(30),
                  std::chrono::minutes(10)},
    PhaseDefaults{Phase::index, "index", std::chrono::minutes(1), std::chrono::minutes(10)},
    PhaseDefaults{Phase::soci, "soci", std::chrono::minutes(30), std::chrono::hours(2)},
    PhaseDefaults{Phase::copy, "copy", std::chrono::minutes(30), std::chrono::hours(2)},
    PhaseDefaults{Phase::verify, "verify", std::chrono::seconds(30), std::chrono::minutes(10)},
    PhaseDefaults{Phase::after, "after", std::chrono::minutes(10), std::chrono::minutes(30)},
};
constexpr const PhaseDefaults& defaults_of(Phase phase) {
  return phases[static_cast<std::size_t>(phase)];
}
constexpr std::string_view to_string(Phase phase) {
  return defaults_of(phase).name;
}

// How a registry is talked to. What is empty, oras decides by itself.
struct RegistryOptions {
  std::optional<bool> plain_http;
  bool insecure = false;
  std::string ca_file;
  std::string registry_config;
  Position ca_file_is_at = {};  // in the plan
  Position registry_config_is_at = {};
};

struct SociOptions {
  bool enabled = false;
  std::vector<std::string> platforms;  // empty: all
  std::optional<std::uint64_t> span_size;
  std::optional<std::uint64_t> min_layer_size;
  std::vector<std::string> prefetch_files;
  std::vector<std::string> optimizations;
  bool fail_on_empty = false;  // no layer is worth indexing: fail, or publish the image as it is
};

struct Source {
  oci::Reference reference;  // has a digest
  std::optional<oci::Platform> platform;
  // Of those found in metadata: what it says of the date, and the place, the latest file's last.
  std::optional<oci::Date> created = {};
  std::optional<std::size_t> place = {};
};

struct Target {
  std::string name;
  std::vector<Source> sources;       // in the order of the index; none: they were not found
  std::string looked_in;             // where sources were looked for, for people
  std::vector<std::string> remarks;  // on inputs of it that gave no source: they had to
  std::vector<std::string> broken;   // inputs of it that are half written: they fail it
  oci::Reference staging;            // a repository: neither tag nor digest
  oci::Annotations annotations;
  SociOptions soci;
  bool flatten = false;  // of a source that is itself an index, only the images count
  std::vector<oci::Platform> platforms;  // that must be there; none: nothing says which
  bool allow_incomplete = false;         // what must be there and is not is only reported
  bool only_newer = false;               // a tag whose image was created later than ours stays
  std::vector<oci::Reference> tags;
  // Run once it is published, at each destination, or for each tag where one has "{tag}".
  std::vector<std::vector<std::string>> after;
};

struct Plan {
  std::string file;
  std::vector<std::string> rules;
  std::string oras = "oras";
  std::string soci = "soci";
  PolicyFields policy;
  std::map<Phase, PolicyFields> phases;
  std::map<std::string, RegistryOptions, std::less<>> registries;
  std::string scratch;
  std::vector<Target> targets;        // in the order of their copies into one repository
  std::vector<std::string> files;     // that it names and that are read
  std::vector<std::string> patterns;  // that stand for such files, also for those yet to come
};

using Variables = std::function<const char*(const std::string&)>;  // getenv(3)

// Reads a plan and all that it names, and checks what can be checked without a registry. All errors
// at once. Paths in a plan are relative to its folder.
Result<Plan, Errors> load_plan(const std::string& path, const Variables& environment);
// The same of a plan's text; its paths are relative to the current folder.
Result<Plan, Errors> read_plan(const std::string& text, const Variables& environment);
// What is wrong with the text of a plan without variables, as far as it shows without the files
// that it names.
Errors check_text(const std::string& text);

// The targets that are to be published here: those of `only` (empty: all), of which every
// `shards`-th from the `shard`-th on (both from 1).
struct Selection {
  std::vector<std::string> only;
  unsigned shard = 1;
  unsigned shards = 1;
};
Result<Plan, Errors> select_targets(Plan plan, const Selection& selection);

// What only a run needs, not what is asked of a plan before it (a job that lists the targets has no
// login): the files of the registries that its targets are in can be read.
Errors check_registry_files(const Plan& plan);

// Whether a run would read a file of that name if it were there: by a pattern of the plan's, or
// from a folder of digests.
bool would_be_read(const Plan& plan, const std::string& file);

// "{"include":[{"target":"workbench"},…]}": what a CI system makes one job a target of.
std::string matrix(const Plan& plan);

}  // namespace retry_exec::publish::plan
