// Plans as they are written, and what they come to.
#include "publish_plan_folder.hpp"

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace test;

namespace {

std::string entry(const std::string& hex, const std::string& architecture,
                  const std::string& created) {
  return R"({"image.name": "ghcr.io/o/r/tmp:latest,ghcr.io/o/x", "containerimage.digest": "sha256:)" +
         hex + R"(", "containerimage.descriptor": {"platform": {"os": "linux", "architecture": ")" +
         architecture + R"("}, "annotations": {"org.opencontainers.image.created": ")" + created +
         R"("}}, "buildx.build.ref": "x"})";
}

}  // namespace

TEST_CASE("A plan says what is published where", "[publish]") {
  const PlanFolder folder;
  const auto plan = folder.load(plan_with("    sources: [" + source(a) + ", " + source(b) +
                                          "]\n    annotations: {b: 2, a: 1}\n"
                                          "    soci: {platforms: [linux/amd64], span-size: 4MiB}\n"
                                          "    tags: [ghcr.io/o/r:1.0, docker.io/o/r:latest]\n"));
  REQUIRE(plan.has_value());
  CHECK(plan->rules == std::vector<std::string>{"ghcr"});
  CHECK(plan->oras == "oras");
  REQUIRE(plan->targets.size() == 1);
  const Target& target = plan->targets.front();
  CHECK(target.name == "one");
  CHECK(target.sources.size() == 2);
  CHECK(to_string(target.staging) == "ghcr.io/o/r/tmp");
  CHECK(target.annotations.front().first == "a");
  CHECK(target.soci.enabled);
  CHECK(target.soci.span_size == 4u << 20);
  CHECK(target.tags.size() == 2);
}

TEST_CASE("A plan may be written as JSON", "[publish]") {
  const PlanFolder folder;
  const auto plan = folder.load(R"({"retry-publish": 1, "targets": {"one": {"sources": [")" +
                                source() + R"("], "tags": ["ghcr.io/o/r:1"]}}})");
  CHECK(plan.has_value());
}

TEST_CASE("Variables stand for what the environment says", "[publish]") {
  PlanFolder folder;
  folder.environment = {{"TAG", "1.0"}, {"ORAS", "/opt/oras"}, {"SOCI_PATH", "/opt/soci"}};
  const auto plan = folder.load(plan_with("    sources: [" + source() +
                                          "]\n    annotations: {a: '$${x}'}\n"
                                          "    tags: ['ghcr.io/o/r:${TAG}']\n"));
  REQUIRE(plan.has_value());
  CHECK(plan->targets[0].tags[0].tag == "1.0");
  CHECK(plan->targets[0].annotations[0].second == "${x}");
  CHECK(plan->oras == "/opt/oras");
  CHECK(plan->soci == "/opt/soci");
}

TEST_CASE("A tool's path is relative to the plan, and a word without a slash is searched in PATH",
          "[publish]") {
  PlanFolder folder;
  folder.environment = {{"SOCI", "bin/soci"}};
  const std::string target =
      plan_with("    sources: [" + source() + "]\n    tags: [ghcr.io/o/r:1]\n");
  const auto tools = [&](const std::string& oras) {
    const auto plan = folder.load(target + "tools: {oras: " + oras + "}\n");
    REQUIRE(plan.has_value());
    CHECK(plan->soci == "bin/soci");  // what is not the plan's is not relative to it
    return plan->oras;
  };
  CHECK(tools("bin/oras") == folder.folder / "bin/oras");
  CHECK(tools("/opt/oras") == "/opt/oras");
  CHECK(tools("oras-1.3") == "oras-1.3");
}

TEST_CASE("Sources are found in metadata, the newest of each platform, sorted by platform",
          "[publish]") {
  const PlanFolder folder;
  folder.write("1-metadata.json", "{\"one\": " + entry(a, "arm64", "2026-01-02T00:00:00Z") + "}");
  folder.write("2-metadata.json", "{\"one\": " + entry(b, "arm64", "2026-01-01T00:00:00Z") +
                                      ", \"other\": " + entry(b, "amd64", "") + "}");
  folder.write("3-metadata.json", "{\"one\": " + entry(b, "amd64", "2026-01-01T00:00:00Z") +
                                      ", \"buildx.build.warnings\": []}");
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: ['*-metadata.json']\ntargets:\n  one: {tags: "
      "[ghcr.io/o/r:1]}\n");
  REQUIRE(plan.has_value());
  REQUIRE(plan->targets.size() == 1);
  const Target& target = plan->targets.front();
  REQUIRE(target.sources.size() == 2);
  CHECK(to_string(target.sources[0].reference) == source(b));
  CHECK(to_string(*target.sources[0].platform) == "linux/amd64");
  CHECK(to_string(target.sources[1].reference) == source(a));
}

TEST_CASE("The newest image is told by its date, whatever its zone and precision", "[publish]") {
  const std::vector<std::pair<std::string, std::string>> older_and_newer = {
      {"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"},
      {"2026-01-01T01:00:00+02:00", "2026-01-01T00:00:00Z"},
      {"2026-01-01T00:00:00", "2025-12-31T23:00:00-02:00"},
  };
  for (const auto& [older, newer] : older_and_newer) {
    CAPTURE(older, newer);
    const PlanFolder folder;
    folder.write("1.json", "{\"one\": " + entry(a, "amd64", newer) + "}");
    folder.write("2.json", "{\"one\": " + entry(b, "amd64", older) + "}");
    const auto plan = folder.load(
        "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
    REQUIRE(plan.has_value());
    REQUIRE(plan->targets[0].sources.size() == 1);
    CHECK(to_string(plan->targets[0].sources[0].reference) == source(a));
  }
}

TEST_CASE("Of two images for one platform the run decides where metadata does not date both",
          "[publish]") {
  for (const std::string undated : {"", "who knows", "2026-02-30T00:00:00Z"}) {
    const PlanFolder folder;
    folder.write("1.json", "{\"one\": " + entry(a, "amd64", undated) + "}");
    folder.write("2.json", "{\"one\": " + entry(b, "amd64", "2026-01-01T00:00:00Z") + "}");
    folder.write("3.json", "{\"one\": " + entry(a, "amd64", undated) + "}");  // the same image
    const auto plan = folder.load(
        "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
    REQUIRE(plan.has_value());
    CHECK(plan->targets[0].sources.size() == 2);
  }
}

TEST_CASE("The platform in the provenance of a build is its builder's, not the image's",
          "[publish]") {
  const auto built = [](const std::string& hex, const std::string& created) {
    return R"({"one": {"image.name": "o/r", "containerimage.digest": "sha256:)" + hex +
           R"(", "buildx.build.provenance": {"invocation": {"environment": {"platform":)"
           R"( "linux/arm64/v8"}, "parameters": {"args":)"
           R"( {"label:org.opencontainers.image.created": ")" +
           created + R"("}}}}}})";
  };
  const PlanFolder folder;
  folder.write("1.json", built(a, "2026-01-02T00:00:00Z"));
  folder.write("2.json", built(b, "2026-01-01T00:00:00Z"));
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
  REQUIRE(plan.has_value());
  const std::vector<Source>& sources = plan->targets[0].sources;
  REQUIRE(sources.size() == 2);
  CHECK(!sources[0].platform);
  CHECK(to_string(sources[0].reference) == "docker.io/o/r@sha256:" + a);
  CHECK(sources[0].created > sources[1].created);
  CHECK(sources[0].place == 0U);
  CHECK(sources[1].place == 1U);
}

TEST_CASE("Bake's short names are Docker Hub's, its index annotations the index's", "[publish]") {
  const PlanFolder folder;
  folder.write("bake.json", R"({"target": {"one": {
      "tags": ["posit/app:1", "debian:2", "localhost/app:3", "ghcr.io/o/app:4"],
      "annotations": ["index:a=1", "index,manifest:b=x=y:z", "manifest:c=3", "d=4", "index:e"]}}})");
  folder.write("m.json", "{\"one\": " + entry(a, "amd64", "") + "}");
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\ntargets:\n"
      "  one: {annotations: {a: 2}}\n");
  REQUIRE(plan.has_value());
  const Target& target = plan->targets[0];
  std::vector<std::string> tags;
  for (const Reference& tag : target.tags) tags.push_back(to_string(tag));
  CHECK(tags == std::vector<std::string>{"docker.io/posit/app:1", "docker.io/library/debian:2",
                                         "localhost/app:3", "ghcr.io/o/app:4"});
  CHECK(target.annotations ==
        std::vector<std::pair<std::string, std::string>>{{"a", "2"}, {"b", "x=y:z"}});
}

TEST_CASE("With bake a plan has five lines", "[publish]") {
  const PlanFolder folder;
  folder.write("bake.json", R"({"target": {
      "two": {"tags": ["ghcr.io/o/r:2", "docker.io/o/r:2"]},
      "one": {"tags": ["ghcr.io/o/r:1"]},
      "base": {"context": "."},
      "unbuilt": {"tags": ["ghcr.io/o/r:3"]}}})");
  folder.write("m.json",
               "{\"one\": " + entry(a, "amd64", "") + ", \"two\": " + entry(b, "amd64", "") + "}");
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\ntargets:\n"
      "  one: {soci: {enabled: true}}\n");
  REQUIRE(plan.has_value());
  REQUIRE(plan->targets.size() == 2);
  CHECK(plan->targets[0].name == "two");
  CHECK(plan->targets[0].tags.size() == 2);
  CHECK(plan->targets[1].soci.enabled);
  CHECK(plan->targets[1].tags.size() == 1);
}

TEST_CASE("SOURCE_DATE_EPOCH is the date of the index, unless the plan has one", "[publish]") {
  PlanFolder folder;
  folder.environment = {{"SOURCE_DATE_EPOCH", "0"}};
  const std::string tail = "    sources: [" + source() + "]\n    tags: [ghcr.io/o/r:1]\n";
  CHECK(folder.load(plan_with(tail))->targets[0].annotations[0].second == "1970-01-01T00:00:00Z");
  const auto own =
      folder.load(plan_with(tail + "    annotations: {org.opencontainers.image.created: then}\n"));
  REQUIRE(own->targets[0].annotations.size() == 1);
  CHECK(own->targets[0].annotations[0].second == "then");
}

TEST_CASE("Targets can be chosen by name and by shard", "[publish]") {
  const PlanFolder folder;
  std::string yaml = "retry-publish: 1\ntargets:\n";
  for (const char* name : {"one", "two", "three"}) {
    yaml += std::string("  ") + name + ": {sources: ['" + source() +
            "'], tags: [ghcr.io/o/r:" + name + "]}\n";
  }
  const Plan plan = folder.load(yaml).value();
  CHECK(matrix(plan) == R"({"include":[{"target":"one"},{"target":"two"},{"target":"three"}]})");
  CHECK(select_targets(plan, {.only = {"two"}})->targets.size() == 1);
  CHECK(select_targets(plan, {.shard = 1, .shards = 2})->targets.size() == 2);
  CHECK(select_targets(plan, {.shard = 2, .shards = 2})->targets[0].name == "two");
  const auto unknown = select_targets(plan, {.only = {"thre"}});
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error()[0].what == "no target 'thre' in the plan; did you mean 'three'?");
}

TEST_CASE("A bake target with metadata of no use is not dropped where nothing says what was built",
          "[publish]") {
  const PlanFolder folder;
  folder.write("bake.json", R"({"target": {"one": {"tags": ["ghcr.io/o/one:1"]},
      "two": {"tags": ["ghcr.io/o/two:1"]}, "three": {"tags": ["ghcr.io/o/three:1"]}}})");
  folder.write("m.json", "{\"one\": " + entry(a, "amd64", "") +
                             R"(, "two": {"containerimage.digest": "sha256:)" + a + "\"}}");
  const Plan plan =
      folder.load("retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\n").value();
  REQUIRE(plan.targets.size() == 2);
  CHECK(plan.targets[1].name == "two");
  CHECK(plan.targets[1].remarks.size() == 1);
}

TEST_CASE("Platforms and tags of bake that are not lists of texts are errors", "[publish]") {
  const PlanFolder folder;
  for (const char* wrong : {R"("platforms": "linux/amd64")", R"("platforms": [5])",
                            R"("platforms": {"a": "b"})", R"("tags": "ghcr.io/o/one:1")"}) {
    CAPTURE(wrong);
    folder.write("bake.json", R"({"target": {"one": {)" + std::string(wrong) + "}}}");
    CHECK(folder.errors("retry-publish: 1\nbake: [bake.json]\n")
              .find("of target 'one' is not a list of texts") != std::string::npos);
  }
}

TEST_CASE("What bake prints says what must be there", "[publish]") {
  const PlanFolder folder;
  folder.write("bake.json", R"({
      "group": {"default": {"targets": ["apps", "tool"]}, "apps": {"targets": ["one", "two"]}},
      "target": {
        "one": {"tags": ["ghcr.io/o/one:1"], "platforms": ["linux/amd64", "linux/arm64"]},
        "two": {"tags": ["ghcr.io/o/two:1"]},
        "tool": {"context": "."},
        "extra": {"tags": ["ghcr.io/o/extra:1"]}}})");
  folder.write("m.json", "{\"one\": " + entry(a, "amd64", "") +
                             R"(, "two": {"containerimage.digest": "sha256:)" + a + "\"}}");
  const std::string head = "retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\n";
  const Plan plan = folder.load(head).value();
  REQUIRE(plan.targets.size() == 2);
  CHECK(plan.targets[0].name == "one");
  REQUIRE(plan.targets[0].platforms.size() == 2);
  CHECK(to_string(plan.targets[0].platforms[1]) == "linux/arm64");
  CHECK(plan.targets[0].looked_in.find("m.json") != std::string::npos);
  CHECK(plan.targets[1].name == "two");
  CHECK(plan.targets[1].sources.empty());
  CHECK(plan.targets[1].looked_in.find("without 'image.name'") != std::string::npos);
  // The plan names others, and says what is meant of a target.
  const Plan other = folder
                         .load(head +
                               "bake-targets: [one, extra]\nincomplete: allow\ntargets:\n"
                               "  one: {platforms: [linux/amd64], incomplete: fail}\n")
                         .value();
  REQUIRE(other.targets.size() == 2);
  CHECK(other.targets[0].platforms.size() == 1);
  CHECK_FALSE(other.targets[0].allow_incomplete);
  CHECK(other.targets[1].name == "extra");
  CHECK(other.targets[1].allow_incomplete);
  CHECK(folder.errors(head + "bake-targets: [one, none]\n")
            .find("plan.yaml:4:21: no bake file has a target or group 'none'") !=
        std::string::npos);
}

TEST_CASE("A bake group that lists what no bake file has is an error, by both names", "[publish]") {
  const PlanFolder folder;
  folder.write("bake.json", R"({"group": {"default": {"targets": ["one", "twoo"]}},
      "target": {"one": {"tags": ["ghcr.io/o/one:1"]}}})");
  folder.write("m.json", "{\"one\": " + entry(a, "amd64", "") + "}");
  CHECK(folder.errors("retry-publish: 1\nmetadata: [m.json]\nbake: [bake.json]\n")
            .find("no bake file has a target or group 'twoo', which group 'default' lists") !=
        std::string::npos);
}

TEST_CASE("Two Windows images of one processor are two platforms", "[publish]") {
  const auto windows = [](const std::string& hex, const std::string& version) {
    return R"({"one": {"image.name": "ghcr.io/o/r", "containerimage.digest": "sha256:)" + hex +
           R"(", "containerimage.descriptor": {"platform": {"os": "windows", "architecture":)"
           R"( "amd64", "os.version": ")" +
           version + R"("}}}})";
  };
  const PlanFolder folder;
  folder.write("1.json", windows(a, "10.0.17763.1"));
  folder.write("2.json", windows(b, "10.0.20348.1"));
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
  REQUIRE(plan.has_value());
  CHECK(plan->targets[0].sources.size() == 2);
}

TEST_CASE("What several bake files say of a target is joined", "[publish]") {
  const PlanFolder folder;
  const auto bake = [](const std::string& tag, const std::string& platform,
                       const std::string& annotation) {
    return R"({"group": {"default": {"targets": ["one"]}}, "target": {"one": {"tags": ["o/r:1", ")" +
           tag + R"("], "platforms": ["linux/s390x", ")" + platform +
           R"("], "annotations": ["index:a=1", "index:)" + annotation + "\"]}}}";
  };
  folder.write("m.json", "{\"one\": " + entry(a, "amd64", "") + "}");
  folder.write("1.json", bake("o/r:2", "linux/amd64", "b=2"));
  folder.write("2.json", bake("docker.io/o/r:3", "linux/arm64", "c=3"));
  const std::string head = "retry-publish: 1\nmetadata: [m.json]\nbake: [1.json, 2.json]\n";
  INFO(folder.errors(head));
  const auto plan = folder.load(head);
  REQUIRE(plan.has_value());
  const Target& target = plan->targets.at(0);
  std::string tags;
  for (const Reference& tag : target.tags) tags += tag.tag + " ";
  CHECK(tags == "1 2 3 ");
  std::string platforms;
  for (const Platform& platform : target.platforms) platforms += to_string(platform) + " ";
  CHECK(platforms == "linux/s390x linux/amd64 linux/arm64 ");
  CHECK(target.annotations == Annotations{{"a", "1"}, {"b", "2"}, {"c", "3"}});
}

TEST_CASE("Bake files that give a target's annotation two values contradict each other",
          "[publish]") {
  const PlanFolder folder;
  const std::string head = R"({"target": {"one": {"tags": ["o/r:1"], "annotations": ["index:a=)";
  folder.write("m.json", "{\"one\": " + entry(a, "amd64", "") + "}");
  folder.write("1.json", head + "1\"]}}}");
  folder.write("2.json", head + "2\"]}}}");
  const std::string bakes = "retry-publish: 1\nmetadata: [m.json]\nbake: [1.json, 2.json]\n";
  CHECK(folder.errors(bakes) ==
        "2.json: annotation 'a' of target 'one' is '2', and '1' in another bake file; which one is "
        "meant, the target says under 'annotations'\n");
  const auto plan = folder.load(bakes + "targets:\n  one: {annotations: {a: 3}}\n");
  REQUIRE(plan.has_value());
  CHECK(plan->targets[0].annotations == Annotations{{"a", "3"}});
}
