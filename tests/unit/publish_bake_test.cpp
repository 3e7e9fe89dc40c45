// What `docker buildx bake --print` says of targets and groups, and what a plan makes of it.
#include "publish_plan_folder.hpp"

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace test;

namespace {

std::string pushed(const std::string& target, const std::string& hex) {
  return '"' + target + R"(": {"image.name": "ghcr.io/o/r", "containerimage.digest": "sha256:)" +
         hex + "\"}";
}

std::string names_of(const Result<Plan, Errors>& plan) {
  REQUIRE(plan.has_value());
  std::string names;
  for (const Target& target : plan->targets) names += target.name + " ";
  return names;
}

}  // namespace

TEST_CASE("A bake group that lists a target of its own name must have that target", "[publish]") {
  const PlanFolder folder;
  const std::string targets =
      R"("target": {"app": {"tags": ["o/r:app"]}, "tools": {"tags": ["o/r:tools"]},
         "extra": {"tags": ["o/r:extra"]}}})";
  folder.write("m.json", "{" + pushed("tools", a) + "}");
  const std::string head = "retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\n";
  for (const char* app : {R"("app": {"targets": ["app", "tools"]})",
                          R"("app": {"targets": ["tools", "all"]}, "all": {"targets": ["app"]})"}) {
    CAPTURE(app);
    folder.write("bake.json", R"({"group": {"default": {"targets": ["app"]}, )" + std::string(app) +
                                  "}, " + targets);
    CHECK(names_of(folder.load(head)) == "app tools ");
    CHECK(names_of(folder.load(head + "bake-targets: [app]\n")) == "app tools ");
  }
}

TEST_CASE("A bake group that several groups list stands for its targets alone", "[publish]") {
  const PlanFolder folder;
  folder.write("bake.json", R"({
      "group": {"default": {"targets": ["x", "y"]}, "x": {"targets": ["app"]},
                "y": {"targets": ["app"]}, "app": {"targets": ["tools"]}},
      "target": {"app": {"tags": ["o/r:app"]}, "tools": {"tags": ["o/r:tools"]}}})");
  folder.write("m.json", "{" + pushed("tools", a) + "}");
  CHECK(names_of(folder.load("retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\n")) ==
        "tools ");
}

TEST_CASE("Annotations of a bake target without tags are those of the plan's target of that name",
          "[publish]") {
  const PlanFolder folder;
  folder.write("bake.json", R"({"target": {"one": {"platforms": ["linux/amd64"],
      "annotations": ["index:title=bake", "index:vendor=bake"]}}})");
  folder.write("m.json", "{" + pushed("one", a) + "}");
  const std::string head =
      "retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\n"
      "targets:\n  one:\n    tags: [ghcr.io/o/r:1]\n";
  const auto annotations = [&](const std::string& more) {
    const auto plan = folder.load(head + more);
    REQUIRE(plan.has_value());
    CHECK(plan->targets.at(0).platforms.size() == 1);
    return plan->targets.at(0).annotations;
  };
  CHECK(annotations("") == Annotations{{"title", "bake"}, {"vendor", "bake"}});
  CHECK(annotations("    annotations: {title: plan}\n") ==
        Annotations{{"title", "plan"}, {"vendor", "bake"}});
}

TEST_CASE("What bake prints in another form is an error, not left out", "[publish]") {
  const PlanFolder folder;
  const auto errors = [&](const std::string& bake) {
    folder.write("bake.json", "{" + bake + "}");
    folder.write("m.json", "{" + pushed("one", a) + "}");
    return folder.errors("retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\n");
  };
  const std::string target = R"("target": {"one": {"tags": ["o/r:1"]}})";
  CHECK(errors(R"("group": {"default": {"targets": "one"}}, )" + target) ==
        "bake.json: 'targets' of group 'default' is not a list of texts, as `docker buildx bake "
        "--print` prints it\n");
  CHECK_THAT(errors(R"("group": {"default": {"targets": ["one", 5]}}, )" + target),
             ContainsSubstring("'targets' of group 'default' is not a list of texts"));
  CHECK_THAT(errors(R"("group": {"default": ["one"]}, )" + target),
             ContainsSubstring("group 'default' is not an object"));
  CHECK_THAT(errors(R"("group": ["one"], )" + target),
             ContainsSubstring("'group' is not an object"));
  CHECK_THAT(errors(R"("target": {"one": {"tags": ["o/r:1"]}, "two": "x"})"),
             ContainsSubstring("target 'two' is not an object"));
  CHECK_THAT(errors(R"("target": {"one": {"tags": ["o/r:1"], "annotations": "index:a=b"}})"),
             ContainsSubstring("'annotations' of target 'one' is not a list of texts"));
  CHECK(errors(R"("group": {"default": {"targets": null}}, )" + target).empty());
  CHECK(errors(R"("group": null, )" + target).empty());
}
