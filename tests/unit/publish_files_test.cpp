// The files that a plan names.
#include "publish_plan_folder.hpp"

#include <filesystem>
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

TEST_CASE("A file yet to come is known as one that the next run would read", "[publish]") {
  const PlanFolder folder;
  folder.write("m-metadata.json", "{}");
  std::filesystem::create_directories(folder.folder / "digests");
  std::filesystem::create_directories(folder.folder / "deep/er");
  folder.write("deep/er/a.digest", "sha256:" + a);
  folder.write("digests/" + b, "");
  const auto plan = folder.load(
      plan_with("    tags: [ghcr.io/o/app:1]\n"
                "    sources:\n"
                "      - {digests: digests/, repository: ghcr.io/o/r}\n"
                "      - {digest-file: 'deep/**/*.digest', repository: ghcr.io/o/r}\n") +
      "metadata: ['*-metadata.json']\n");
  REQUIRE(plan.has_value());
  for (const char* name : {"digests/out.json", "deep/../digests/out", "x-metadata.json",
                           "deep/b.digest", "deep/er/most/b.digest"}) {
    INFO(name);
    CHECK(would_be_read(*plan, folder.folder / name));
  }
  for (const char* name : {"out.json", "digests/.out", "digests/deep/out", "deep/x-metadata.json",
                           "deep/.er/b.digest", "b.digest"}) {
    INFO(name);
    CHECK_FALSE(would_be_read(*plan, folder.folder / name));
  }
}

TEST_CASE("A file of a registry that cannot be read is told before a run, with its place",
          "[publish]") {
  const PlanFolder folder;
  const auto told = [&](const std::string& options, const std::string& host = "ghcr.io") {
    const auto plan =
        folder.load(plan_with("    sources: ['" + source() + "']\n    tags: [quay.io/o/r:1]\n") +
                    "registries:\n  " + host + ": {" + options + "}\n");
    REQUIRE(plan.has_value());
    std::string text;
    for (const Error& error : check_registry_files(*plan)) text += to_string(error) + "\n";
    return text;
  };
  const std::string at = folder.folder / "plan.yaml:7:";
  CHECK(told("registry-config: login.json") ==
        at + "30: 'registry-config' of registry 'ghcr.io': " + (folder.folder / "login.json") +
            " cannot be read: No such file or directory\n");
  CHECK(told("ca-file: ca.pem, registry-config: login.json", "quay.io") ==
        at + "22: 'ca-file' of registry 'quay.io': " + (folder.folder / "ca.pem") +
            " cannot be read: No such file or directory\n" + at +
            "47: 'registry-config' of registry 'quay.io': " + (folder.folder / "login.json") +
            " cannot be read: No such file or directory\n");
  std::filesystem::create_directory(folder.folder / "ca.pem");
  CHECK_THAT(told("ca-file: ca.pem"), test::ContainsSubstring("ca.pem is a folder, not a file"));
  // Another job of the plan, which knows that registry, has logged in there.
  CHECK(told("registry-config: login.json", "other.io").empty());
  folder.write("login.json", "{}");
  CHECK(told("registry-config: login.json").empty());
}
