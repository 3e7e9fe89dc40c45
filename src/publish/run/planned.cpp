#include "publish/oci/index.hpp"
#include "publish/run/target_run.hpp"

#include <retry_exec/publish_run.hpp>

#include <algorithm>

namespace retry_exec::publish {

namespace {

class Planner {
 public:
  Planner(const plan::Plan& plan, const plan::Target& target) : plan_(plan), target_(target) {}

  std::vector<PlannedCommand> commands() {
    preflight();
    if (target_.soci.enabled) soci();
    for (const std::string& repository : repositories()) content(repository);
    for (const std::string& repository : repositories()) tags(repository);
    for (const std::string& repository : repositories()) verify(repository);
    for (const std::string& repository : repositories()) after(repository);
    return std::move(commands_);
  }

 private:
  void add(plan::Phase phase, Arguments argv) { commands_.push_back({phase, std::move(argv)}); }

  void preflight() {
    for (const plan::Source& source : target_.sources) {
      const std::vector<std::string> digest = {source.reference.digest};
      add(plan::Phase::preflight, describe_command(plan_, source.reference, digest));
    }
    const bool all = must_know_all_tags(target_);
    for (const std::string& repository : repositories()) {
      for (const oci::Reference& tag : tags_in(repository)) {
        if (all || tag == tags_in(repository).front()) {
          add(plan::Phase::preflight, manifest_command(plan_, tag));
        }
      }
    }
    for (const plan::Source& source : target_.sources) children_.push_back(source.reference);
  }

  oci::Reference staging(const std::string& suffix = {}) const {
    const std::string hash = "sha256:<index>";
    return by_tag(target_.staging, oci::staging_tag(target_.name, hash, suffix));
  }

  std::vector<std::string> repositories() const {
    std::vector<std::string> names;
    for (const oci::Reference& tag : target_.tags) {
      if (std::find(names.begin(), names.end(), tag.name()) == names.end()) {
        names.push_back(tag.name());
      }
    }
    return names;
  }

  std::vector<oci::Reference> tags_in(const std::string& repository) const {
    std::vector<oci::Reference> tags;
    std::copy_if(target_.tags.begin(), target_.tags.end(), std::back_inserter(tags),
                 [&](const oci::Reference& tag) { return tag.name() == repository; });
    return tags;
  }

  void soci() {
    const std::string folder = plan_.scratch + "/<scratch>/" + target_.name;
    for (const oci::Reference& child : children_) {
      if (child.name() == target_.staging.name()) continue;
      add(plan::Phase::index, copy_command(plan_, child, by_digest(target_.staging, child.digest)));
    }
    add(plan::Phase::index, probe_command(plan_, published_));
    add(plan::Phase::index, put_command(plan_, staging(), {}, oci::oci_index, "<index>"));
    add(plan::Phase::soci, pull_command(plan_, published_, folder + "/image"));
    add(plan::Phase::soci,
        convert_command(plan_, target_.soci, folder + "/image", folder + "/soci"));
    published_.digest = "sha256:<soci>";
    add(plan::Phase::soci,
        push_command(plan_, folder + "/soci", published_.digest, staging("-soci")));
    children_ = {by_digest(target_.staging, "sha256:<each image>")};
  }

  void content(const std::string& repository) {
    const oci::Reference place = tags_in(repository).front();
    for (const oci::Reference& child : children_) {
      if (child.name() == repository) continue;
      add(plan::Phase::copy, copy_command(plan_, child, by_digest(place, child.digest)));
    }
    if (repositories().size() == 1) return;
    add(plan::Phase::copy,
        put_command(plan_, by_digest(place, published_.digest), {}, oci::oci_index, "<index>"));
  }

  void tags(const std::string& repository) {
    std::vector<std::string> names = names_of(tags_in(repository));
    names.erase(names.begin());
    const oci::Reference first = tags_in(repository).front();
    add(plan::Phase::copy, put_command(plan_, first, names, oci::oci_index, "<index>"));
  }

  void verify(const std::string& repository) {
    const std::vector<oci::Reference> tags = tags_in(repository);
    add(plan::Phase::verify, tags.size() == 1
                                 ? probe_command(plan_, tags.front())
                                 : describe_command(plan_, tags.front(), names_of(tags)));
  }

  void after(const std::string& repository) {
    if (target_.after.empty()) return;
    const std::vector<oci::Reference> tags = tags_in(repository);
    const oci::Reference root = by_digest(tags.front(), published_.digest);
    add(plan::Phase::after, discover_command(plan_, root));
    for (AfterCommand& command : after_commands(plan_, target_, tags, published_.digest)) {
      add(plan::Phase::after, std::move(command.argv));
    }
    add(plan::Phase::after, record_command(plan_, root, "<done>"));
  }

  static std::vector<std::string> names_of(const std::vector<oci::Reference>& tags) {
    std::vector<std::string> names;
    for (const oci::Reference& tag : tags) names.push_back(tag.tag);
    return names;
  }

  const plan::Plan& plan_;
  const plan::Target& target_;
  std::vector<PlannedCommand> commands_;
  std::vector<oci::Reference> children_;
  oci::Reference published_ = by_digest(target_.staging, "sha256:<index>");
};

}  // namespace

std::vector<PlannedCommand> planned_commands(const plan::Plan& plan, const plan::Target& target) {
  return Planner(plan, target).commands();
}

}  // namespace retry_exec::publish
