// A plan as written, before what it names has been read.
#pragma once

#include <retry_exec/config.hpp>
#include <retry_exec/publish_plan.hpp>

#include <boost/json/object.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace retry_exec::publish::plan {

// A text of the plan, and where it stands.
struct PlanText {
  std::string text;
  Position where;
};

using PlanCommand = std::vector<PlanText>;

// Where sources are found that are not written in the plan.
struct SourceInput {
  enum class Kind { digests, metadata, digest_file };
  Kind kind = Kind::digests;
  PlanText value;                      // a folder, or files
  std::optional<PlanText> repository;  // of digests that have no name
};

// What `bake` and `targets` say of a target; empty optionals say nothing.
struct TargetDraft {
  using Text = PlanText;
  std::string name;
  Position where;
  std::vector<Text> sources;
  std::vector<SourceInput> inputs;
  std::optional<Text> metadata_action;
  std::optional<Text> staging;
  std::vector<Text> tags;
  std::map<std::string, std::string> annotations;        // written in the plan
  std::map<std::string, std::string> found_annotations;  // elsewhere: those of the plan beat them
  std::optional<SociOptions> soci;
  std::optional<bool> flatten;
  std::vector<Text> platforms;
  std::optional<bool> allow_incomplete;
  std::optional<bool> only_newer;
  std::optional<std::vector<PlanCommand>> after;
  std::vector<Source> found;         // in metadata files and other inputs
  std::string looked_in;             // for `inputs`
  std::vector<std::string> remarks;  // on inputs that gave no source, and had to
  std::vector<std::string> broken;   // inputs that a build did not write to their end
  bool baked = false;                // known from a bake file alone
};

// A bake file, or several.
struct Bake {
  std::vector<TargetDraft> targets;
  std::map<std::string, std::vector<std::string>> groups;
};

struct PlanFile {
  Plan plan;  // all but its targets
  std::vector<TargetDraft::Text> rules;
  std::vector<TargetDraft::Text> metadata;
  std::vector<TargetDraft::Text> bake;
  std::vector<TargetDraft::Text> bake_targets;  // that must be there; none: the default group
  std::optional<bool> allow_incomplete;
  std::optional<bool> only_newer;
  std::optional<std::vector<PlanCommand>> after;
  std::vector<std::string> metadata_files;  // that the patterns stand for
  std::optional<TargetDraft::Text> staging;
  std::vector<TargetDraft> targets;
};

PlanFile read_plan_file(const config::Node& root, Errors& errors);

// Puts environment variables in the place of ${NAME}, in every value; "$${" stands for "${".
void expand_variables(config::Node& node, const Variables& environment, Errors& errors);

// "path", as seen from the folder of `file`.
std::string beside(const std::string& file, const std::string& path);

// The files that a pattern stands for, sorted; the plan has them among those that it names. A
// pattern without a match is an error.
std::vector<std::string> files_of(const TargetDraft::Text& pattern, Plan& plan, Errors& errors);

// A path as a pattern that it alone matches.
std::string literal(const std::string& path);

// Their names, for people: of many, some.
std::string names_of(const std::vector<std::string>& files);

// Reads what the `inputs` of a target name.
void read_inputs(PlanFile& file, TargetDraft& draft, Errors& errors);

// Takes tags, and annotations of the index, from the JSON of docker/metadata-action.
void read_metadata_action(PlanFile& file, TargetDraft& draft, Errors& errors);

// Whether 'metadata-action' is that JSON itself, not a file of it.
bool is_json(std::string_view metadata_action);

// "index:KEY=VALUE" and "index,manifest:KEY=VALUE" among the "annotations" of bake and
// docker/metadata-action.
std::map<std::string, std::string> index_annotations_of(const boost::json::object& fields);

// The words between commas and white space.
std::vector<std::string> words_of(std::string_view text);

// Reads buildx metadata of one target, an object a file: the newest image of each platform.
void read_flat_metadata(const std::vector<std::string>& files, TargetDraft& target, Errors& errors);

// Whether the sources of a target are those in the plan's metadata.
bool takes_metadata_of_plan(const TargetDraft& draft);

// Reads buildx metadata: of each of `targets`, the newest image of each platform. Returns remarks
// on files that say nothing of any: whose source is missing there, nobody knows.
std::vector<std::string> read_metadata(const std::vector<std::string>& files,
                                       std::vector<TargetDraft>& targets, Errors& errors);

// Reads what `docker buildx bake --print` prints, in its order.
Bake read_bake(const std::string& file, const Position& where, Errors& errors);

// The targets that a group, and the groups in it, stand for; a target stands for itself.
std::set<std::string> targets_of(const Bake& bake, const std::string& name);

// "docker.io/posit/workbench" for Docker's short "posit/workbench".
std::string with_host(const std::string& name);

// The name alone of name@digest. Another '@' stays: it follows a password, which is hidden where it
// is told together with what follows.
std::string without_digest(const std::string& name);

// Turns drafts into targets, and checks them one by one and against each other.
std::vector<Target> finish_targets(const PlanFile& file, const std::vector<TargetDraft>& drafts,
                                   const Variables& environment, Errors& errors);

}  // namespace retry_exec::publish::plan
