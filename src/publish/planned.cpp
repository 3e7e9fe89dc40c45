#include "publish/argv.hpp"
#include "publish/index.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace retry_exec::publish {

namespace {

class Planner {
 public:
  Planner(const Plan& plan, const Target& target) : plan_(plan), target_(target) {}

  std::vector<PlannedCommand> commands() {
    preflight();
    if (target_.soci.enabled) soci();
    for (const std::string& repository : repositories()) content(repository);
    for (const std::string& repository : repositories()) tags(repository);
    for (const Reference& tag : target_.tags) add(Phase::verify, probe_command(plan_, tag));
    return std::move(commands_);
  }

 private:
  void add(Phase phase, Arguments argv) { commands_.push_back({phase, std::move(argv)}); }

  void preflight() {
    for (const Source& source : target_.sources) {
      add(Phase::preflight, probe_command(plan_, source.reference));
    }
    for (const Source& source : target_.sources) {
      add(Phase::preflight, config_command(plan_, source.reference));
    }
    for (const Reference& tag : target_.tags) {
      add(Phase::preflight, manifest_command(plan_, tag));
    }
    for (const Source& source : target_.sources) children_.push_back(source.reference);
  }

  Reference staging(const std::string& suffix = {}) const {
    const std::string hash = "sha256:<index>";
    return by_tag(target_.staging, staging_tag(target_.name, hash, suffix));
  }

  std::vector<std::string> repositories() const {
    std::vector<std::string> names;
    for (const Reference& tag : target_.tags) {
      if (std::find(names.begin(), names.end(), tag.name()) == names.end()) {
        names.push_back(tag.name());
      }
    }
    return names;
  }

  std::vector<Reference> tags_in(const std::string& repository) const {
    std::vector<Reference> tags;
    std::copy_if(target_.tags.begin(), target_.tags.end(), std::back_inserter(tags),
                 [&](const Reference& tag) { return tag.name() == repository; });
    return tags;
  }

  void soci() {
    const std::string folder = plan_.scratch + "/<scratch>/" + target_.name;
    for (const Reference& child : children_) {
      if (child.name() == target_.staging.name()) continue;
      add(Phase::index, copy_command(plan_, child, by_digest(target_.staging, child.digest)));
    }
    add(Phase::index, probe_command(plan_, published_));
    add(Phase::index, put_command(plan_, staging(), oci_index, "<index>"));
    add(Phase::soci, pull_command(plan_, published_, folder + "/image"));
    add(Phase::soci, convert_command(plan_, target_.soci, folder + "/image", folder + "/soci"));
    published_.digest = "sha256:<soci>";
    add(Phase::soci, push_command(plan_, folder + "/soci", published_.digest, staging("-soci")));
    children_ = {by_digest(target_.staging, "sha256:<each image>")};
  }

  void content(const std::string& repository) {
    const Reference place = tags_in(repository).front();
    for (const Reference& child : children_) {
      if (child.name() == repository) continue;
      add(Phase::copy, copy_command(plan_, child, by_digest(place, child.digest)));
    }
    if (repositories().size() == 1) return;
    add(Phase::copy, put_command(plan_, by_digest(place, published_.digest), oci_index, "<index>"));
  }

  void tags(const std::string& repository) {
    std::vector<Reference> tags = tags_in(repository);
    if (repositories().size() == 1 || tags.size() == 1) {
      add(Phase::copy, put_command(plan_, tags.front(), oci_index, "<index>"));
      tags.erase(tags.begin());
    }
    if (tags.empty()) return;
    std::vector<std::string> names;
    for (const Reference& tag : tags) names.push_back(tag.tag);
    add(Phase::copy, tag_command(plan_, by_digest(tags.front(), published_.digest), names));
  }

  const Plan& plan_;
  const Target& target_;
  std::vector<PlannedCommand> commands_;
  std::vector<Reference> children_;
  Reference published_ = by_digest(target_.staging, "sha256:<index>");
};

}  // namespace

std::vector<PlannedCommand> planned_commands(const Plan& plan, const Target& target) {
  return Planner(plan, target).commands();
}

std::string matrix(const Plan& plan) {
  boost::json::array include;
  for (const Target& target : plan.targets) {
    include.push_back(boost::json::object{{"target", target.name}});
  }
  return boost::json::serialize(boost::json::object{{"include", std::move(include)}});
}

}  // namespace retry_exec::publish
