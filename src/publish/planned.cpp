#include "publish/argv.hpp"
#include "publish/index.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace retry_exec::publish {

namespace {

class Planner {
 public:
  Planner(const Plan& plan, const Target& target) : plan_(plan), target_(target) {}

  std::vector<PlannedCommand> commands() {
    preflight();
    add(Phase::index, probe_command(plan_, published_));
    add(Phase::index, index_command(plan_, target_, staging(), digests()));
    if (target_.soci.enabled) soci();
    for (const Reference& tag : target_.tags) {
      add(Phase::copy, probe_command(plan_, tag));
      add(Phase::copy, copy_command(plan_, published_, tag));
    }
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
  }

  Reference staging(const std::string& suffix = {}) const {
    const std::string hash = "sha256:<index>";
    return by_tag(target_.staging, staging_tag(target_.name, hash, suffix));
  }

  std::vector<std::string> digests() const {
    std::vector<std::string> digests;
    for (const Source& source : target_.sources) digests.push_back(source.reference.digest);
    return digests;
  }

  void soci() {
    const std::string folder = plan_.scratch + "/<scratch>/" + target_.name;
    add(Phase::soci, pull_command(plan_, published_, folder + "/image"));
    add(Phase::soci, convert_command(plan_, target_.soci, folder + "/image", folder + "/soci"));
    published_.digest = "sha256:<soci>";
    add(Phase::soci, push_command(plan_, folder + "/soci", published_.digest, staging("-soci")));
  }

  const Plan& plan_;
  const Target& target_;
  std::vector<PlannedCommand> commands_;
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
