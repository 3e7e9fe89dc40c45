// Which of the metadata of bake is for whom, and what is said of what is for nobody.
#include "publish_plan_folder.hpp"

#include <filesystem>
#include <set>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::plan;
using namespace test;

namespace {

const std::string ref = R"({"buildx.build.ref": "x/y/z"})";

std::string pushed(const std::string& hex) {
  return R"({"containerimage.digest": "sha256:)" + hex + R"(", "image.name": "ghcr.io/o/r/tmp"})";
}

std::string remarks_of(const Target& target) {
  std::string text;
  for (const std::string& remark : target.remarks) text += remark + "\n";
  return text;
}

// The remarks on a second file, for the one target of a plan or for both of two.
std::string remarks(const std::string& second, bool two_targets = false) {
  const PlanFolder folder;
  folder.write("1.json", R"({"one": )" + pushed(a) + R"(, "two": )" + pushed(a) + "}");
  folder.write("2.json", second);
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n" +
      std::string(two_targets ? "  two: {tags: [ghcr.io/o/r:2]}\n" : ""));
  REQUIRE(plan.has_value());
  const std::string text = remarks_of(plan->targets.front());
  if (two_targets) CHECK(remarks_of(plan->targets.back()) == text);
  return text;
}

}  // namespace

TEST_CASE("A target that metadata has without a digest was not pushed, which is remarked",
          "[publish]") {
  for (const std::string& entry : {ref, std::string("null"), std::string("{}")}) {
    CAPTURE(entry);
    CHECK_THAT(remarks(R"({"one": )" + entry + "}"),
               ContainsSubstring("2.json has it without 'containerimage.digest'"));
    CHECK_THAT(remarks(R"({"other": )" + pushed(b) + R"(, "one": )" + entry + "}"),
               ContainsSubstring("2.json has it without 'containerimage.digest'"));
  }
}

TEST_CASE("A metadata file that says nothing of a known target is remarked of every target",
          "[publish]") {
  for (const std::string& useless : {std::string("{}"), R"({"One": )" + pushed(b) + "}", ref,
                                     std::string(R"({"buildx.build.warnings": [{"level": 1}]})")}) {
    CAPTURE(useless);
    CHECK_THAT(remarks(useless, true), ContainsSubstring("2.json says nothing of a target"));
  }
  CHECK(remarks(R"({"other": )" + pushed(b) + R"(, "buildx.build.warnings": [], "one": )" +
                pushed(b) + "}")
            .empty());
}

TEST_CASE("Of many metadata files that say nothing there is one remark", "[publish]") {
  const PlanFolder folder;
  folder.write("0.json", R"({"one": )" + pushed(a) + "}");
  for (char c = '1'; c <= '9'; ++c) folder.write(std::string(1, c) + ".json", "{}");
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
  REQUIRE(plan.has_value());
  REQUIRE(plan->targets[0].remarks.size() == 1);
  CHECK_THAT(remarks_of(plan->targets[0]),
             ContainsSubstring("5.json and 4 more say nothing of a target"));
}

TEST_CASE("Metadata of one build is for the only target that reads the plan's metadata",
          "[publish]") {
  CHECK(remarks(pushed(b)).empty());
  CHECK_THAT(remarks(R"({"containerimage.digest": "sha256:)" + b + "\"}"),
             ContainsSubstring("2.json has it without 'image.name'"));
  CHECK_THAT(remarks(pushed(b), true),
             ContainsSubstring("2.json is of one build and names no target; 'sources: "));
  const PlanFolder folder;
  folder.write("m.json", pushed(a));
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: [m.json]\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n  two: "
      "{tags: [ghcr.io/o/r:2], sources: ['" +
      source(b) + "']}\n  three: {tags: [ghcr.io/o/r:3], sources: [{metadata: m.json}]}\n");
  REQUIRE(plan.has_value());
  for (const Target& target : plan->targets) {
    CAPTURE(target.name);
    CHECK(target.sources.size() == 1);
    CHECK(target.remarks.empty());
  }
}

TEST_CASE("A remark on a metadata file is none of a target that has sources of its own",
          "[publish]") {
  const PlanFolder folder;
  folder.write("own.json", pushed(a));
  folder.write("m.json", "{}");
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: [m.json]\ntargets:\n  one: {tags: [ghcr.io/o/r:1], sources: "
      "[{metadata: own.json}]}\n  two: {tags: [ghcr.io/o/r:2], sources: ['" +
      source(b) + "']}\n");
  REQUIRE(plan.has_value());
  for (const Target& target : plan->targets) CHECK(target.remarks.empty());
}

TEST_CASE("Metadata of what bake builds and does not publish is known to be for that",
          "[publish]") {
  const PlanFolder folder;
  folder.write("bake.json", R"({"group": {"default": {"targets": ["one"]}}, "target": {
      "one": {"tags": ["ghcr.io/o/one:1"]}, "base": {}, "extra": {"tags": ["ghcr.io/o/x:1"]}}})");
  folder.write("1.json", R"({"one": )" + pushed(a) + "}");
  folder.write("2.json", R"({"base": )" + ref + "}");
  folder.write("3.json", R"({"extra": )" + ref + "}");
  const std::string head = "retry-publish: 1\nmetadata: ['?.json']\nbake: [bake.json]\n";
  const auto plan = folder.load(head);
  REQUIRE(plan.has_value());
  REQUIRE(plan->targets.size() == 1);
  CHECK(plan->targets[0].remarks.empty());
  folder.write("4.json", "{}");
  const auto other = folder.load(head);
  REQUIRE(other.has_value());
  REQUIRE(other->targets.size() == 1);
  CHECK_THAT(remarks_of(other->targets[0]), ContainsSubstring("4.json says nothing of a target"));
}

TEST_CASE("An annotation that the plan writes beats docker/metadata-action, whose beats bake's",
          "[publish]") {
  const PlanFolder folder;
  folder.write("meta.json", R"({"tags": ["ghcr.io/o/r:1"],
      "annotations": ["index:title=action", "index:vendor=action"]})");
  folder.write("bake.json", R"({"target": {"one": {"tags": ["ghcr.io/o/r:2"],
      "annotations": ["index:title=bake", "index:vendor=bake", "index:url=bake"]}}})");
  folder.write("m.json", "{\"one\": " + pushed(a) + "}");
  const auto annotations = [&](const std::string& plan, const std::string& more) {
    const auto read = folder.load("retry-publish: 1\nmetadata: [m.json]\n" + plan +
                                  "targets:\n  one:\n    metadata-action: meta.json\n" + more);
    REQUIRE(read.has_value());
    return read->targets.at(0).annotations;
  };
  const std::string written = "    annotations: {title: plan}\n";
  using oci::Annotations;
  CHECK(annotations("", written) == Annotations{{"title", "plan"}, {"vendor", "action"}});
  CHECK(annotations("bake: [bake.json]\n", "") ==
        Annotations{{"title", "action"}, {"url", "bake"}, {"vendor", "action"}});
  CHECK(annotations("bake: [bake.json]\n", written) ==
        Annotations{{"title", "plan"}, {"url", "bake"}, {"vendor", "action"}});
}

TEST_CASE("The name of the plan's folder is no pattern", "[publish]") {
  const PlanFolder folder;
  for (const char* name : {"x[1]", "x1"}) std::filesystem::create_directory(folder.folder / name);
  folder.write("x[1]/m.json", "{\"one\": " + pushed(a) + "}");
  folder.write("x1/m.json", "{\"one\": " + pushed(b) + "}");
  const std::string plan = folder.write(
      "x[1]/plan.yaml",
      "retry-publish: 1\nmetadata: ['*.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
  const auto read = load_plan(plan, [](const std::string&) { return nullptr; });
  REQUIRE(read.has_value());
  REQUIRE(read->targets.at(0).sources.size() == 1);
  CHECK(to_string(read->targets[0].sources[0].reference) == source(a));
}

TEST_CASE("A plan says which files it names, so that none of them is written over", "[publish]") {
  const PlanFolder folder;
  folder.write("m.json", "{\"one\": " + pushed(a) + "}");
  folder.write("bake.json", R"({"target": {"one": {"tags": ["ghcr.io/o/r:2"]}}})");
  folder.write("two.json", pushed(a));
  folder.write("meta.json", R"({"tags": ["ghcr.io/o/r:1"]})");
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\n"
      "registries: {ghcr.io: {ca-file: ca.pem, registry-config: login.json}}\n"
      "targets:\n  two: {sources: [{metadata: 'tw*.json'}], metadata-action: meta.json}\n");
  REQUIRE(plan.has_value());
  std::set<std::string> names;
  for (const std::string& file : plan->files) names.insert(std::filesystem::path(file).filename());
  CHECK(names == std::set<std::string>{"bake.json", "ca.pem", "login.json", "m.json", "meta.json",
                                       "two.json"});
}
