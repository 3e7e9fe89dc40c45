// What is wrong with a plan, told with its place.
#include "publish_plan_folder.hpp"

#include <filesystem>
#include <utility>
#include <vector>

using namespace test;

namespace {

// A plan, and a part of what is said of it.
using Wrong = std::pair<std::string, std::string>;

void check_errors(const PlanFolder& folder, const std::vector<Wrong>& wrongs) {
  for (const auto& [yaml, expected] : wrongs) {
    INFO(yaml);
    const std::string errors = folder.errors(yaml);
    INFO(errors);
    CHECK(errors.find(expected) != std::string::npos);
  }
}

const std::string ok = "    sources: ['" + source() + "']\n    tags: [ghcr.io/o/r:1]\n";

}  // namespace

TEST_CASE("A wrong plan is told with its place", "[publish]") {
  const PlanFolder folder;
  check_errors(
      folder,
      {
          {"", "plan.yaml"},
          {"targets: {}\n", "the plan needs 'retry-publish'"},
          {"retry-publish: 2\ntargets:\n  one:\n" + ok,
           "plan.yaml:1:16: 'retry-publish' is the version"},
          {"retry-publish: 1\n", "no targets"},
          {"retry-publish: 1\ntargest: {}\n",
           "unknown key 'targest' in the plan; did you mean 'targets'?"},
          {"retry-publish: 1\ntargets: []\n", "'targets' is a mapping, by a target's name"},
          {"retry-publish: 1\ntargets:\n  one:\n    tags: [ghcr.io/o/r:1]\n", "has no sources"},
          {plan_with(ok) + "phases: {prefligth: {}}\n", "did you mean 'preflight'?"},
          {plan_with(ok) + "phases: {copy: {timeout: soon}}\n", "'timeout'"},
          {plan_with(ok) + "policy: {attempts: 0}\n",
           "write 1 to 1000000 (the first attempt counts)\n"},
          {plan_with(ok) + "registries: {ghcr: {}}\n", "'ghcr' is not a valid registry host"},
          {plan_with(ok) + "registries: {ghcr.io: {plain: true}}\n", "unknown key 'plain'"},
          {plan_with(ok) + "tools: {oars: oras}\n", "did you mean 'oras'?"},
      });
}

TEST_CASE("A source or tag that is not one, or stands twice, is told with its place", "[publish]") {
  const PlanFolder folder;
  check_errors(
      folder,
      {
          {plan_with("    sources: ['" + source() + "']\n"),
           "plan.yaml:3:3: target 'one' has no tags"},
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
          {plan_with("    sources: ['" + source() +
                     "']\n    tags: [ghcr.io/o/r:1, GHCR.io/o/r:1]\n"),
           "two targets, or one twice, write the tag ghcr.io/o/r:1"},
          {plan_with("    sources: ['" + source() + "']\n    tags: [r:1]\n"),
           "it begins with the registry's host"},
          {plan_with("    sources: ['" + source() + "']\n    tags: ['" + source() + "']\n"),
           "is not a valid tag"},
          {plan_with("    sources: ['" + source() + "']\n    tags: [' , ']\n"),
           "this tag is empty"},
          {plan_with("    sources: ['" + source() + "']\n    tags: ['ghcr.io/o/r:-x']\n"),
           "a tag has at most 128"},
          {plan_with("    sources: ['" + source() +
                     "']\n    tags: ['ghcr.io/o/r:" + std::string(129, 'x') + "']\n"),
           "a tag has at most 128"},
          {plan_with("    sources: ['" + source() +
                     "']\n    tags: [ghcr.io/o/r:1, ghcr.io/o/r:1]\n"),
           "write the tag ghcr.io/o/r:1"},
          {plan_with(ok) + "  two:\n" + ok, "two targets, or one twice, write the tag"},
      });
}

TEST_CASE("What a target's options do not take is told", "[publish]") {
  const PlanFolder folder;
  check_errors(
      folder,
      {
          {plan_with(ok + "    platforms: [amd64]\n"), "'amd64' is not a valid platform"},
          {plan_with(ok + "    incomplete: maybe\n"), "'incomplete' takes fail or allow"},
          {plan_with(ok) + "only-newer: 1\n", "'only-newer' takes true or false"},
          {plan_with(ok + "    staging: ghcr.io/o/r/tmp:x\n"), "staging is a repository"},
          {plan_with(ok + "    staging: tmp\n"), "the staging of target 'one'"},
          {plan_with(ok + "    annotations: [a]\n"), "'annotations' is a mapping"},
          {plan_with(ok + "    annotations: {a: [b]}\n"), "annotation 'a' takes a text"},
          {plan_with(ok + "    annotations: {'a=b': c}\n"),
           "an annotation's name cannot contain '='"},
          {plan_with(ok + "    soci: {on-empty: retry}\n"), "'on-empty' takes skip or fail"},
          {plan_with(ok + "    soci: {span-size: big}\n"), "'span-size'"},
          {plan_with(ok + "    soci: {platforms: [amd64]}\n"), "'amd64' is not a valid platform"},
          {plan_with(ok + "    soci: yes\n"), "'soci' of target 'one' is a mapping"},
          {plan_with(ok + "    flatten: maybe\n"), "'flatten' takes true or false"},
      });
}

TEST_CASE("What a plan names and is not there, or is of no use, is told", "[publish]") {
  const PlanFolder folder;
  folder.write("broken.json", "{");
  folder.write("list.json", "[]");
  folder.write("nameless.json",
               R"({"one": {"image.name": "r", "containerimage.digest": "sha256:1"}})");
  check_errors(
      folder,
      {
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
          {plan_with(ok + "    soci: {enabled: true}\n") + "scratch: /tmp/a:b\n",
           "the scratch folder"},
          {"retry-publish: 1\ntargets:\n  'o ne':\n" + ok, "a target's name has at most 128"},
          {plan_with(ok) + "targets: {}\n", "targets"},
          {plan_with(ok) + "rules: [ghrc]\n", "plan.yaml:6:9: 'ghrc' is neither a file nor"},
          {plan_with(ok) + "rules: [list.json]\n", "list.json:1:1: "},
      });
}

TEST_CASE("All errors of a plan are told at once", "[publish]") {
  const PlanFolder folder;
  const std::string both = folder.errors(plan_with("    source: 1\n    tag: 2\n"));
  CHECK(both.find("'source'") != std::string::npos);
  CHECK(both.find("'tag'") != std::string::npos);
}

TEST_CASE("A source whose digest is not of sha256 is refused with its place", "[publish]") {
  const PlanFolder folder;
  const std::string digest = "sha512:" + std::string(128, 'a');
  const std::string name = R"("image.name": "ghcr.io/o/r", "containerimage.digest": ")" + digest;
  const auto by = [](const std::string& source) {
    return plan_with("    tags: [ghcr.io/o/r:1]\n    sources: [" + source + "]\n");
  };
  folder.write("digest.txt", digest + "\n");
  folder.write("names.txt", "ghcr.io/o/r@" + digest + "\n");
  folder.write("jib.json", R"({"image": "ghcr.io/o/r", "imageDigest": ")" + digest + "\"}");
  folder.write("artifacts.json",
               R"([{"name": "ghcr.io/o/r:1", "type": "Docker Image", "extra": {"Digest": ")" +
                   digest + "\"}}]");
  folder.write("flat.json", "{" + name + "\"}");
  folder.write("bake.json", R"({"one": {)" + name + "\"}}");
  std::filesystem::create_directory(folder.folder / "digests");
  folder.write("digests/" + digest, "");
  const std::string only = "only sha256 digests are read";
  check_errors(folder,
               {
                   {by("'ghcr.io/o/r@" + digest + "'"), "plan.yaml:5:15: "},
                   {by("'ghcr.io/o/r@" + digest + "'"), only},
                   {by("{digest-file: digest.txt, repository: ghcr.io/o/r}"), "digest.txt: "},
                   {by("{digest-file: digest.txt, repository: ghcr.io/o/r}"), only},
                   {by("{digest-file: names.txt}"), only},
                   {by("{digest-file: jib.json}"), only},
                   {by("{digest-file: artifacts.json}"), only},
                   {by("{digest-file: flat.json}"), only},
                   {by("{metadata: flat.json}"), "flat.json: target 'one'"},
                   {by("{metadata: flat.json}"), only},
                   {plan_with("    tags: [ghcr.io/o/r:1]\n") + "metadata: [bake.json]\n", only},
                   {by("{digests: digests, repository: ghcr.io/o/r}"), "holds files named by 64"},
               });
}
