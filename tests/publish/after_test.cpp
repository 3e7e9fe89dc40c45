// What the plan runs after publishing, and what the steps after the run are told.
#include "publish_scene.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

using namespace test;

namespace {

// A signer that resets as often as it is told, is refused while there is a file `refused`, and
// notes what it has signed. Run one at a time it counts right.
std::string write_signer(const PublishScene& scene, int resets) {
  const std::string script = scene.folder.write(
      "cosign", "#!/bin/sh\ncd '" + scene.folder.path().string() +
                    "' || exit 1\n"
                    "if [ -e refused ]; then\n"
                    "  echo 'Error: signing: unauthorized: authentication required' >&2\n"
                    "  exit 1\n"
                    "fi\n"
                    "left=$(cat left 2>/dev/null || echo " +
                    std::to_string(resets) +
                    ")\n"
                    "if [ \"$left\" -gt 0 ]; then\n"
                    "  echo $((left - 1)) > left\n"
                    "  echo 'Error: signing: read tcp: read: connection reset by peer' >&2\n"
                    "  exit 1\n"
                    "fi\n"
                    "echo \"$*\" >> signed\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  return script;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("a signer that fails twice signs in the end, and a second run signs nothing", "[after]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 71)};
  scene.targets[0].extra =
      "after: [['" + write_signer(scene, 2) + "', sign, --yes, '{repository}@{digest}']]";
  scene.push_sources();
  const Ended first = scene.publish({"--jobs", "1"});
  INFO(first.err);
  REQUIRE(first.exit_code() == 0);
  const std::string digest = scene.digests_of(scene.targets[0]).front();
  const std::string signed_by_first = read_file(scene.folder / "signed");
  CHECK(lines_in(signed_by_first) == 2);
  for (const FlakyRegistry* registry : {&scene.first, &scene.second}) {
    CHECK_THAT(signed_by_first,
               ContainsSubstring("sign --yes " + registry->address() + "/final/alpha@" + digest));
  }
  const Ended second = scene.publish();
  INFO(second.err);
  CHECK(second.exit_code() == 0);
  CHECK(read_file(scene.folder / "signed") == signed_by_first);
  CHECK_THAT(second.err, ContainsSubstring("2 had been done by an earlier run"));
}

TEST_CASE("a signature that fails is made by the next run", "[after]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 72)};
  scene.targets[0].extra =
      "after: [['" + write_signer(scene, 0) + "', sign, '{repository}:{tag}', '{digest}']]";
  scene.push_sources();
  scene.folder.write("refused", "");
  const std::string output = scene.folder.write("output", "");
  Program program = scene.program({"--digests-file", scene.folder / "digests.json"});
  program.environment.emplace_back("GITHUB_OUTPUT", output);
  const Ended failed = run(program);
  INFO(failed.err);
  CHECK(failed.exit_code() == 1);
  CHECK_THAT(failed.err, !ContainsSubstring("not published:"));
  const std::string digest = scene.digests_of(scene.targets[0]).front();
  const std::string digests = "{\"alpha\":\"" + digest + "\"}\n";
  CHECK(read_file(scene.folder / "digests.json") == digests);
  CHECK(read_file(output) == "digests=" + digests + "digest=" + digest + "\n");
  CHECK_THAT(failed.err, ContainsSubstring("alpha: after: "));
  CHECK_THAT(failed.err, ContainsSubstring(" is published, but "));
  check_published(scene);
  std::filesystem::remove(scene.folder / "refused");
  CHECK(scene.publish().exit_code() == 0);
  CHECK(lines_in(read_file(scene.folder / "signed")) == 2);
}

TEST_CASE(
    "a command without place-holders is shown as often as it runs, and with -v what it prints",
    "[after]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 76)};
  const std::string script =
      scene.folder.write("note", "printf 'on %s' \"$0\"; echo '::error::it' >&2\n");
  scene.targets[0].extra = "after: [[sh, '" + script + "']]";
  scene.push_sources();
  const auto times = [](const std::string& text, const std::string& line) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(line, at)) != text.npos; at += line.size()) ++count;
    return count;
  };
  CHECK(times(scene.publish({"-n"}).out, "alpha: after: sh ") == 2);
  const Ended verbose = scene.publish({"-v", "--log", "github"});
  INFO(verbose.err);
  REQUIRE(verbose.exit_code() == 0);
  CHECK(times(verbose.err, "retry-publish: alpha: after: on " + script + "\n") == 2);
  CHECK_THAT(verbose.err, !ContainsSubstring("::error::"));
}

TEST_CASE("megabytes that a command prints after publishing hold nothing up, and are told by whom",
          "[after]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 77)};
  const std::string script = scene.folder.write(
      "loud", "head -c 8000000 /dev/zero | tr '\\0' a | fold -w 100; echo; echo end\n");
  scene.targets[0].extra = "after: [[sh, '" + script + "', '{digest}']]";
  scene.push_sources();
  const Ended verbose = scene.publish({"-v", "--log", "json"});
  REQUIRE(verbose.exit_code() == 0);
  CHECK(verbose.wall < (std::getenv("TEST_INSTRUMENTED") == nullptr ? 10s : 60s));
  const std::size_t told = verbose.err.find("\"event\":\"after-printed\",\"target\":\"alpha\"");
  REQUIRE(told != verbose.err.npos);
  const std::string line = verbose.err.substr(told, verbose.err.find('\n', told) - told);
  CHECK_THAT(line, ContainsSubstring("bytes are left out)"));
  CHECK_THAT(line, ContainsSubstring("end"));
  CHECK(line.size() < 80'000);
}

TEST_CASE("a target that is left alone gives the next steps no digest", "[after]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 73)};
  scene.targets[0].extra = "only-newer: true";
  scene.push_sources();
  const std::string output = scene.folder.write("output", "");
  const auto run_of_day = [&](const std::string& seconds) {
    Program program = scene.program({"--digests-file", scene.folder / "digests.json"});
    std::erase_if(program.environment,
                  [](const auto& variable) { return variable.first == "SOURCE_DATE_EPOCH"; });
    program.environment.insert(program.environment.end(),
                               {{"SOURCE_DATE_EPOCH", seconds}, {"GITHUB_OUTPUT", output}});
    return run(program);
  };
  REQUIRE(run_of_day("1800000000").exit_code() == 0);
  const std::vector<std::string> newer = scene.digests_of(scene.targets[0]);
  CHECK(read_file(scene.folder / "digests.json") == "{\"alpha\":\"" + newer[0] + "\"}\n");
  scene.folder.write("output", "");
  const Ended older = run_of_day("1700000000");
  INFO(older.err);
  CHECK(older.exit_code() == 0);
  CHECK(scene.digests_of(scene.targets[0]) == newer);
  CHECK(read_file(scene.folder / "digests.json") == "{}\n");
  CHECK(read_file(output) == "digests={}\n");
}

TEST_CASE("a run whose digests cannot be written ends with 125, and has published", "[after]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 74)};
  scene.push_sources();
  const Ended ended =
      scene.publish({"--digests-file", "/dev/full", "-R", "json:" + (scene.folder / "report")});
  INFO(ended.err);
  CHECK(ended.exit_code() == 125);
  CHECK_THAT(read_file(scene.folder / "report"), ContainsSubstring("\"exit_code\":125"));
  check_published(scene);
  Program program = scene.program();
  program.environment.emplace_back("GITHUB_OUTPUT", "/dev/full");
  CHECK(run(program).exit_code() == 125);
}

TEST_CASE("digests that could be written nowhere are told before anything is published",
          "[after]") {
  PublishScene scene;
  scene.targets = {make_target("alpha", 75)};
  const auto refused = [&](const Program& program) {
    const Ended ended = run(program);
    INFO(ended.err);
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("cannot "));
    CHECK(scene.entries_since(from_the_start).empty());
  };
  for (const std::string& path : {scene.folder / "missing/digests.json", scene.folder / ""}) {
    refused(scene.program({"--digests-file", path}));
    Program program = scene.program();
    program.environment.emplace_back("GITHUB_OUTPUT", path);
    refused(program);
  }
}
