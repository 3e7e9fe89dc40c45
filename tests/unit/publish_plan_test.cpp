// Plans as they are written: what they come to, and what is wrong with the wrong ones.
#include "catch_shim.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/publish_run.hpp>

#include <map>
#include <string>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;

namespace {

const std::string a(64, 'a');
const std::string b(64, 'b');

// A folder with a plan and what it names.
struct Folder {
  test::TemporaryFolder folder;
  std::map<std::string, std::string> environment;

  std::string write(const std::string& name, const std::string& text) const {
    return folder.write(name, text);
  }

  Result<Plan, Errors> load(const std::string& yaml) const {
    return load_plan(write("plan.yaml", yaml), [this](const std::string& name) {
      const auto found = environment.find(name);
      return found == environment.end() ? nullptr : found->second.c_str();
    });
  }

  // The errors, one a line, without the folder's name.
  std::string errors(const std::string& yaml) const {
    const auto plan = load(yaml);
    std::string text;
    if (plan) return text;
    for (const Error& error : plan.error()) text += to_string(error) + "\n";
    const std::string prefix = folder / "";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }
};

std::string source(const std::string& hex = a) {
  return "ghcr.io/o/r/tmp@sha256:" + hex;
}

std::string plan_with(const std::string& target) {
  return "retry-publish: 1\ntargets:\n  one:\n" + target;
}

std::string entry(const std::string& hex, const std::string& architecture,
                  const std::string& created) {
  return R"({"image.name": "ghcr.io/o/r/tmp:latest,ghcr.io/o/x", "containerimage.digest": "sha256:)" +
         hex + R"(", "containerimage.descriptor": {"platform": {"os": "linux", "architecture": ")" +
         architecture + R"("}, "annotations": {"org.opencontainers.image.created": ")" + created +
         R"("}}, "buildx.build.ref": "x"})";
}

}  // namespace

TEST_CASE("A plan says what is published where", "[publish]") {
  const Folder folder;
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
  const Folder folder;
  const auto plan = folder.load(R"({"retry-publish": 1, "targets": {"one": {"sources": [")" +
                                source() + R"("], "tags": ["ghcr.io/o/r:1"]}}})");
  CHECK(plan.has_value());
}

TEST_CASE("Variables stand for what the environment says", "[publish]") {
  Folder folder;
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

TEST_CASE("Sources are found in metadata, the newest of each platform, sorted by platform",
          "[publish]") {
  const Folder folder;
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
      {"2026-01-01T00:00:00Z", ""},
      {"2026-01-01T00:00:00Z", "who knows"},
      {"2026-02-28T00:00:00Z", "2026-02-30T00:00:00Z"},
  };
  for (const auto& [older, newer] : older_and_newer) {
    CAPTURE(older, newer);
    const Folder folder;
    folder.write("1.json", "{\"one\": " + entry(a, "amd64", newer) + "}");
    folder.write("2.json", "{\"one\": " + entry(b, "amd64", older) + "}");
    const auto plan = folder.load(
        "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
    REQUIRE(plan.has_value());
    REQUIRE(plan->targets[0].sources.size() == 1);
    CHECK(to_string(plan->targets[0].sources[0].reference) == source(a));
  }
}

TEST_CASE("What the descriptor does not say of an image, its provenance says", "[publish]") {
  const auto built = [](const std::string& hex, const std::string& created) {
    return R"({"one": {"image.name": "o/r", "containerimage.digest": "sha256:)" + hex +
           R"(", "buildx.build.provenance": {"invocation": {"environment": {"platform":)"
           R"( "linux/arm64/v8"}, "parameters": {"args":)"
           R"( {"label:org.opencontainers.image.created": ")" +
           created + R"("}}}}}})";
  };
  const Folder folder;
  folder.write("1.json", built(a, "2026-01-02T00:00:00Z"));
  folder.write("2.json", built(b, "2026-01-01T00:00:00Z"));
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
  REQUIRE(plan.has_value());
  const std::vector<Source>& sources = plan->targets[0].sources;
  REQUIRE(sources.size() == 1);
  CHECK(to_string(*sources[0].platform) == "linux/arm64/v8");
  CHECK(to_string(sources[0].reference) == "docker.io/o/r@sha256:" + a);
}

TEST_CASE("Bake's short names are Docker Hub's, its index annotations the index's", "[publish]") {
  const Folder folder;
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
  const Folder folder;
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
  Folder folder;
  folder.environment = {{"SOURCE_DATE_EPOCH", "0"}};
  const std::string tail = "    sources: [" + source() + "]\n    tags: [ghcr.io/o/r:1]\n";
  CHECK(folder.load(plan_with(tail))->targets[0].annotations[0].second == "1970-01-01T00:00:00Z");
  const auto own =
      folder.load(plan_with(tail + "    annotations: {org.opencontainers.image.created: then}\n"));
  REQUIRE(own->targets[0].annotations.size() == 1);
  CHECK(own->targets[0].annotations[0].second == "then");
}

TEST_CASE("Targets can be chosen by name and by shard", "[publish]") {
  const Folder folder;
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

TEST_CASE("A wrong plan is told with its place, and all errors at once", "[publish]") {
  const Folder folder;
  folder.write("broken.json", "{");
  folder.write("list.json", "[]");
  folder.write("nameless.json",
               R"({"one": {"image.name": "r", "containerimage.digest": "sha256:1"}})");
  const std::string ok = "    sources: ['" + source() + "']\n    tags: [ghcr.io/o/r:1]\n";
  const std::vector<std::pair<std::string, std::string>> wrongs = {
      {"", "plan.yaml"},
      {"targets: {}\n", "the plan needs 'retry-publish'"},
      {"retry-publish: 2\ntargets:\n  one:\n" + ok,
       "plan.yaml:1:16: 'retry-publish' is the version"},
      {"retry-publish: 1\n", "no targets"},
      {"retry-publish: 1\ntargest: {}\n",
       "unknown key 'targest' in the plan; did you mean 'targets'?"},
      {"retry-publish: 1\ntargets: []\n", "'targets' is a mapping, by a target's name"},
      {"retry-publish: 1\ntargets:\n  one:\n    tags: [ghcr.io/o/r:1]\n", "has no sources"},
      {plan_with("    sources: ['" + source() + "']\n"), "plan.yaml:3:3: target 'one' has no tags"},
      {plan_with(ok + "    source: x\n"),
       "unknown key 'source' in target 'one'; did you mean 'sources'?"},
      {plan_with("    sources: [ghcr.io/o/r:1]\n    tags: [ghcr.io/o/r:1]\n"), "has no digest"},
      {plan_with("    sources: ['ghcr.io/o/r@sha256:12']\n    tags: [ghcr.io/o/r:1]\n"),
       "plan.yaml:4:15: 'ghcr.io/o/r@sha256:12' is not a valid reference: a digest is"},
      {plan_with("    sources: ['o/r@sha256:" + a + "']\n    tags: [ghcr.io/o/r:1]\n"),
       "it begins with the registry's host"},
      {plan_with("    sources: ['ghcr.io/O/r@sha256:" + a + "']\n    tags: [ghcr.io/o/r:1]\n"),
       "a repository has lower-case letters"},
      {plan_with("    sources: ['" + source() + "', '" + source() +
                 "']\n    tags: [ghcr.io/o/r:1]\n"),
       "is listed twice in target 'one'"},
      {plan_with("    sources: ['" + source() + "']\n    tags: [r:1]\n"),
       "it begins with the registry's host"},
      {plan_with("    sources: ['" + source() + "']\n    tags: ['" + source() + "']\n"),
       "is not a valid tag"},
      {plan_with("    sources: ['" + source() + "']\n    tags: [' , ']\n"), "has no tags"},
      {plan_with("    sources: ['" + source() + "']\n    tags: ['ghcr.io/o/r:-x']\n"),
       "a tag has at most 128"},
      {plan_with("    sources: ['" + source() +
                 "']\n    tags: ['ghcr.io/o/r:" + std::string(129, 'x') + "']\n"),
       "a tag has at most 128"},
      {plan_with("    sources: ['" + source() + "']\n    tags: [ghcr.io/o/r:1, ghcr.io/o/r:1]\n"),
       "write the tag ghcr.io/o/r:1"},
      {plan_with(ok) + "  two:\n" + ok, "two targets, or one twice, write the tag"},
      {plan_with(ok + "    platforms: [amd64]\n"), "'amd64' is not a valid platform"},
      {plan_with(ok + "    incomplete: maybe\n"), "'incomplete' takes fail or allow"},
      {plan_with(ok) + "only-newer: 1\n", "'only-newer' takes true or false"},
      {plan_with(ok + "    staging: ghcr.io/o/r/tmp:x\n"), "staging is a repository"},
      {plan_with(ok + "    staging: tmp\n"), "the staging of target 'one'"},
      {plan_with(ok + "    annotations: [a]\n"), "'annotations' is a mapping"},
      {plan_with(ok + "    annotations: {a: [b]}\n"), "annotation 'a' takes a text"},
      {plan_with(ok + "    annotations: {'a=b': c}\n"), "an annotation's name cannot contain '='"},
      {plan_with(ok + "    soci: {on-empty: retry}\n"), "'on-empty' takes skip or fail"},
      {plan_with(ok + "    soci: {span-size: big}\n"), "'span-size'"},
      {plan_with(ok + "    soci: {platforms: [amd64]}\n"), "'amd64' is not a valid platform"},
      {plan_with(ok + "    soci: yes\n"), "'soci' of target 'one' is a mapping"},
      {plan_with(ok + "    flatten: maybe\n"), "'flatten' takes true or false"},
      {plan_with(ok) + "phases: {prefligth: {}}\n", "did you mean 'preflight'?"},
      {plan_with(ok) + "phases: {copy: {timeout: soon}}\n", "'timeout'"},
      {plan_with(ok) + "policy: {attempts: 0}\n", "'attempts'"},
      {plan_with(ok) + "registries: {ghcr: {}}\n", "'ghcr' is not a valid registry host"},
      {plan_with(ok) + "registries: {ghcr.io: {plain: true}}\n", "unknown key 'plain'"},
      {plan_with(ok) + "tools: {oars: oras}\n", "did you mean 'oras'?"},
      {plan_with("    sources: ['${NOT_SET}']\n    tags: [ghcr.io/o/r:1]\n"),
       "plan.yaml:4:16: the environment variable 'NOT_SET' is not set"},
      {plan_with("    sources: ['${}']\n    tags: [ghcr.io/o/r:1]\n"),
       "begins a variable such as ${NAME}"},
      {plan_with(ok) + "metadata: ['none-*.json']\n", "no file matches"},
      {plan_with(ok) + "metadata: [broken.json]\n", "broken.json: not valid JSON"},
      {plan_with(ok) + "metadata: [list.json]\n", "list.json: JSON, but not an object"},
      {plan_with(ok) + "metadata: [nameless.json]\n", "nameless.json: target 'one'"},
      {plan_with(ok) + "bake: [nameless.json]\n", "no 'target' in it"},
      {plan_with(ok) + "scratch: /tmp/a:b\nmetadata: [broken.json]\n", "broken.json"},
      {plan_with(ok + "    soci: {enabled: true}\n") + "scratch: /tmp/a:b\n", "the scratch folder"},
      {"retry-publish: 1\ntargets:\n  'o ne':\n" + ok, "a target's name has at most 128"},
      {plan_with(ok) + "targets: {}\n", "targets"},
      {plan_with(ok) + "rules: [ghrc]\n", "plan.yaml:6:9: 'ghrc' is neither a file nor"},
      {plan_with(ok) + "rules: [list.json]\n", "list.json:1:1: "},
  };
  CHECK(wrongs.size() >= 30);
  for (const auto& [yaml, expected] : wrongs) {
    INFO(yaml);
    const std::string errors = folder.errors(yaml);
    INFO(errors);
    CHECK(errors.find(expected) != std::string::npos);
  }
  const std::string both = folder.errors(plan_with("    source: 1\n    tag: 2\n"));
  CHECK(both.find("'source'") != std::string::npos);
  CHECK(both.find("'tag'") != std::string::npos);
}

TEST_CASE("A rehearsal shows every command of every phase", "[publish]") {
  const Folder folder;
  const Plan plan =
      folder
          .load(
              "retry-publish: 1\nregistries:\n  localhost:5000: {plain-http: true, ca-file: "
              "ca.pem}\n"
              "scratch: /scratch\ntargets:\n  one:\n    sources: ['localhost:5000/r@sha256:" +
              a + "']\n    soci: {enabled: true}\n    tags: [ghcr.io/o/r:1]\n")
          .value();
  std::vector<std::string> lines;
  for (const PlannedCommand& command : planned_commands(plan, plan.targets[0])) {
    std::string line(to_string(command.phase));
    for (const std::string& word : command.argv) line += " " + word;
    lines.push_back(line);
  }
  const std::string options = "--plain-http --ca-file " + (folder.folder / "ca.pem") + " ";
  REQUIRE(lines.size() == 10);
  CHECK(lines[0] == "preflight oras manifest index create --output - " + options +
                        "localhost:5000/r sha256:" + a);
  CHECK(lines[1] == "preflight oras manifest fetch ghcr.io/o/r:1");
  CHECK(lines[3] ==
        "index oras manifest push --media-type application/vnd.oci.image.index.v1+json "
        "--descriptor --concurrency 1 " +
            options + "localhost:5000/r:one-<index> <index>");
  CHECK(lines[4] == "soci oras cp --no-tty --from-plain-http --from-ca-file " +
                        (folder.folder / "ca.pem") +
                        " --to-oci-layout localhost:5000/r@sha256:<index> "
                        "/scratch/<scratch>/one/image:image");
  CHECK(lines[5] ==
        "soci soci convert --standalone --format oci-dir --all-platforms "
        "/scratch/<scratch>/one/image /scratch/<scratch>/one/soci");
  CHECK(lines[7].ends_with("localhost:5000/r@sha256:<each image> ghcr.io/o/r@sha256:<each image>"));
  CHECK(lines[9] == "verify oras manifest fetch --descriptor ghcr.io/o/r:1");
}

TEST_CASE("A bake target with metadata of no use is not dropped where nothing says what was built",
          "[publish]") {
  const Folder folder;
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
  const Folder folder;
  for (const char* wrong : {R"("platforms": "linux/amd64")", R"("platforms": [5])",
                            R"("platforms": {"a": "b"})", R"("tags": "ghcr.io/o/one:1")"}) {
    CAPTURE(wrong);
    folder.write("bake.json", R"({"target": {"one": {)" + std::string(wrong) + "}}}");
    CHECK(folder.errors("retry-publish: 1\nbake: [bake.json]\n")
              .find("of target 'one' is not a list of texts") != std::string::npos);
  }
}

TEST_CASE("What bake prints says what must be there", "[publish]") {
  const Folder folder;
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
  const Folder folder;
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
  const Folder folder;
  folder.write("1.json", windows(a, "10.0.17763.1"));
  folder.write("2.json", windows(b, "10.0.20348.1"));
  const auto plan = folder.load(
      "retry-publish: 1\nmetadata: ['?.json']\ntargets:\n  one: {tags: [ghcr.io/o/r:1]}\n");
  REQUIRE(plan.has_value());
  CHECK(plan->targets[0].sources.size() == 2);
}
