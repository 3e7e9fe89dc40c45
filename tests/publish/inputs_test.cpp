// What builders leave behind, published end to end.
#include "publish_scene.hpp"

#include <filesystem>
#include <fstream>

using namespace test;

namespace {

// As Docker's example for several runners does it: an empty file for each digest.
std::string digests_folder(const PublishScene& scene, const PublishTarget& target) {
  const std::string folder = scene.folder / "digests";
  std::filesystem::create_directories(folder);
  for (const Image& image : target.images) {
    std::ofstream(folder + "/" + image.digest.substr(std::string("sha256:").size()));
  }
  return folder;
}

void plain_registries(Program& program) {
  program.environment.insert(program.environment.end(), {{"ORAS", required("ORAS_1_3_6")}});
}

}  // namespace

TEST_CASE("a folder of digests is published in one line, and says what it became", "[inputs]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 61)};
  scene.push_sources();
  const PublishTarget& target = scene.targets[0];
  const std::string digests = digests_folder(scene, target);
  // oras takes plain HTTP for granted of this name alone.
  const std::string registry =
      "localhost" + scene.first.address().substr(scene.first.address().find(':'));
  const std::string repository = registry + "/" + scene.staging_of(target);
  const std::string output = scene.folder.write("output", "");
  Program program = scene.program();
  plain_registries(program);
  program.environment.emplace_back("GITHUB_OUTPUT", output);
  program.environment.emplace_back("SOURCE_DATE_EPOCH", std::nullopt);
  program.argv = {required("RETRY_PUBLISH"),
                  "--digests",
                  digests,
                  "--repository",
                  repository,
                  "--tag",
                  "1.0",
                  "--tag",
                  registry + "/final/alpha",
                  "--platform",
                  "linux/amd64",
                  "--platform",
                  "linux/arm64",
                  "--digests-file",
                  scene.folder / "digests.json"};
  const Ended ended = run(program);
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
  const std::string digest =
      digest_at(scene.first_registry.address(), scene.staging_of(target), "1.0");
  CHECK_FALSE(digest.empty());
  CHECK(digest_at(scene.first_registry.address(), "final/alpha", "latest") == digest);
  CHECK(read_file(output) == "digests={\"tmp\":\"" + digest + "\"}\ndigest=" + digest + "\n");
  CHECK(read_file(scene.folder / "digests.json") == "{\"tmp\":\"" + digest + "\"}\n");

  program.argv.emplace_back("--print-plan");
  const Ended printed = run(program);
  CHECK(printed.exit_code() == 0);
  program.argv = {required("RETRY_PUBLISH"), scene.folder.write("printed.yaml", printed.out)};
  CHECK(run(program).exit_code() == 0);
}

TEST_CASE("folders that are given one by one are one target", "[inputs]") {
  const TemporaryFolder folder;
  Program program;
  program.argv = {required("RETRY_PUBLISH"), "-n", "--repository", "ghcr.io/o/r", "--tag", "1.0"};
  for (const char digit : {'1', '2'}) {
    const std::string digests = folder / std::string(1, digit);
    std::filesystem::create_directory(digests);
    folder.write(std::string(1, digit) + "/" + std::string(64, digit), "");
    program.argv.insert(program.argv.end(), {"--digests", digests});
  }
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("r sha256:1111") && ContainsSubstring("r sha256:2222"));
}

TEST_CASE("a builder whose digest did not arrive is missed by its platform", "[inputs]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 62)};
  scene.push_sources();
  PublishTarget half = scene.targets[0];
  half.images.pop_back();
  const std::string digests = digests_folder(scene, half);
  const std::string registry =
      "localhost" + scene.first.address().substr(scene.first.address().find(':'));
  Program program = scene.program();
  plain_registries(program);
  program.argv = {required("RETRY_PUBLISH"),
                  "--digests",
                  digests,
                  "--repository",
                  registry + "/" + scene.staging_of(half),
                  "--tag",
                  registry + "/final/alpha:1.0",
                  "--platform",
                  "linux/amd64",
                  "--platform",
                  "linux/arm64"};
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("linux/arm64 is not among the sources in the folder"));
  CHECK(digest_at(scene.first_registry.address(), "final/alpha", "1.0").empty());
}

TEST_CASE("what stands for a plan is told when it is not enough", "[inputs]") {
  const auto said = [](std::vector<std::string> options) {
    Program program;
    program.argv = {required("RETRY_PUBLISH")};
    program.argv.insert(program.argv.end(), options.begin(), options.end());
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 125);
    return ended.err;
  };
  CHECK_THAT(said({}), ContainsSubstring("no plan given, nor --digests or --metadata"));
  CHECK(said({""}) == "retry-publish: the plan's name is empty; is a variable set to nothing?\n");
  CHECK_THAT(said({"--digests", "d"}), ContainsSubstring("--digests needs --repository"));
  CHECK_THAT(said({"--digests", "d", "--repository", "ghcr.io/o/r"}),
             ContainsSubstring("no --tag and no --metadata-action"));
  CHECK_THAT(said({"--print-plan", "plan.yaml"}), ContainsSubstring("without a plan"));
  CHECK(said({"--metadata", "m.json", "--tag", "1.0"}) ==
        "retry-publish: --tag: '1.0' needs --repository, or a whole name such as "
        "'ghcr.io/acme/app:1.0'\n");
}

TEST_CASE("a wrong value is told by the option that it was given with", "[inputs]") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "digests");
  folder.write("digests/" + std::string(64, '0'), "");
  const auto said = [&](std::vector<std::string> options) {
    Program program;
    program.argv = {required("RETRY_PUBLISH"), "-n"};
    program.argv.insert(program.argv.end(), options.begin(), options.end());
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, !ContainsSubstring("(options)"));
    return ended.err;
  };
  const std::string digests = folder / "digests";
  CHECK(said({"--digests", "nope", "--repository", "ghcr.io/o/r", "--tag", "1"}) ==
        "retry-publish: --digests: 'nope' is not a folder of files named by digest: No such file "
        "or directory\n");
  CHECK_THAT(said({"--metadata", "nope.json", "--tag", "ghcr.io/o/r:1"}),
             StartsWith("retry-publish: --metadata: no file matches 'nope.json'\n"));
  CHECK_THAT(said({"--digests", digests, "--repository", "BAD!", "--tag", "ghcr.io/o/r:1"}),
             ContainsSubstring("'BAD!' is not a valid reference"));
  CHECK_THAT(said({"--digests", digests, "--repository", "ghcr.io/o/r", "--tag", ":"}),
             StartsWith("retry-publish: --tag: 'ghcr.io/o/r::' is not a valid reference"));
  CHECK_THAT(said({"--digests", digests, "--repository", "ghcr.io/o/r", "--tag", "1", "--platform",
                   "linux"}),
             StartsWith("retry-publish: --platform: 'linux'"));
  // Of several lines.
  CHECK_THAT(said({"--digests", digests, "--repository", "ghcr.io/o/r", "--metadata-action",
                   "{\n  \"labels\": {}\n}", "--tag", ":"}),
             StartsWith("retry-publish: --metadata-action: ") && ContainsSubstring("--tag: "));
  CHECK(said({"--digests", digests, "--repository", "ghcr.io/o/r", "--metadata-action",
              "no.json"}) == "retry-publish: no.json: cannot be read: No such file or directory\n");
  CHECK_THAT(
      said({"--digests", digests, "--repository", "ghcr.io/o/r", "--tag", "1", "--only", "other"}),
      StartsWith("retry-publish: no target 'other' in the plan"));
}

TEST_CASE("JSON of several lines is taken for an option as that of one line is", "[inputs]") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "digests");
  folder.write("digests/" + std::string(64, '0'), "");
  Program program;
  program.argv = {
      required("RETRY_PUBLISH"),
      "-n",
      "--digests",
      folder / "digests",
      "--repository",
      "ghcr.io/o/r",
      "--metadata-action",
      "{\r\n\t\"tags\": [\n    \"ghcr.io/o/it's:${V} \\\\\",\n\t\"ghcr.io/o/r:1\"\n]\n}"};
  CHECK_THAT(run(program).err, ContainsSubstring("--metadata-action: 'ghcr.io/o/it's:${V}"));
  program.argv.back() = "{\r\n\t\"tags\": [\n\t\"ghcr.io/o/r:1\"\n]\n}";
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("ghcr.io/o/r:1"));
}

TEST_CASE("what stands for a plan is refused beside one, wherever it is said", "[inputs]") {
  const TemporaryFolder folder;
  const std::string plan = folder.write(
      "plan.yaml", "retry-publish: 1\ntargets:\n  one:\n    sources: [ghcr.io/o/r@sha256:" +
                       std::string(64, 'a') + "]\n    tags: [ghcr.io/o/r:1]\n");
  const auto said = [&](std::vector<std::string> options) {
    Program program;
    program.environment = {{"RETRY_PUBLISH_PLATFORM", std::nullopt}};
    if (options.empty()) program.environment = {{"RETRY_PUBLISH_PLATFORM", "linux/amd64"}};
    program.argv = {required("RETRY_PUBLISH"), "--dry-run", plan};
    program.argv.insert(program.argv.end(), options.begin(), options.end());
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 125);
    CHECK(ended.out.empty());
    return ended.err;
  };
  for (const char* option :
       {"--digests", "--metadata", "--repository", "--tag", "--platform", "--metadata-action"}) {
    CHECK_THAT(said({option, "x"}), ContainsSubstring(std::string(option) + " is for runs without "
                                                                            "a plan, not with"));
  }
  CHECK_THAT(said({"--tag", "1", "--platform", "no such thing!"}),
             ContainsSubstring("--tag, --platform are for runs without a plan"));
  CHECK_THAT(said({}), ContainsSubstring("RETRY_PUBLISH_PLATFORM is for runs without a plan"));
}

TEST_CASE("a folder that is not one of digests is told in one line", "[inputs]") {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) folder.write(name, "");
  Program program;
  program.argv = {required("RETRY_PUBLISH"),
                  "--digests",
                  folder.path(),
                  "--repository",
                  "ghcr.io/o/r",
                  "--tag",
                  "1"};
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(ended.err, ContainsSubstring("/a: a folder of digests holds files named by 64 "
                                          "hexadecimal digits, with or without 'sha256:', not "
                                          "this, nor 2 others"));
  CHECK(std::count(ended.err.begin(), ended.err.end(), '\n') == 1);
}
