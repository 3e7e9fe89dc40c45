// The files that a plan names.
#include "publish_plan_folder.hpp"

#include <string>

using namespace retry_exec;
using namespace retry_exec::publish::plan;

using test::a;
using test::b;
using test::plan_with;
using test::PlanFolder;
using test::source;

TEST_CASE("A file that is called like a pattern is meant by its name", "[publish]") {
  const PlanFolder folder;
  const auto built = [&](const std::string& name, const std::string& hex) {
    folder.write(name, R"({"containerimage.digest": "sha256:)" + hex +
                           R"(", "image.name": "ghcr.io/acme/app"})");
  };
  const auto found = [&](const std::string& input) {
    const auto plan = folder.load(
        plan_with("    tags: [ghcr.io/o/app:1]\n    sources: {" + input + ": 'm[1].json'}\n"));
    REQUIRE(plan.has_value());
    REQUIRE(plan->targets[0].sources.size() == 1);
    return plan->targets[0].sources[0].reference.digest;
  };
  built("m1.json", a);
  CHECK(found("metadata") == "sha256:" + a);
  built("m[1].json", b);
  CHECK(found("metadata") == "sha256:" + b);
  CHECK(found("digest-file") == "sha256:" + b);
}
