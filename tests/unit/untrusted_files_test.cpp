// Files that others wrote or put there: never waited for, and read in time that grows as they do.
#include "catch_shim.hpp"
#include "publish_plan_folder.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/config.hpp>
#include <retry_exec/publish_plan.hpp>
#include <retry_exec/read_file.hpp>
#include <retry_exec/rules.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string>

using namespace retry_exec;
using test::ContainsSubstring;
using test::plan_with;
using test::PlanFolder;

namespace {

std::string pipe_in(const test::TemporaryFolder& folder) {
  std::string path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  return path;
}

// Processor time: what else the machine does does not count.
template <class F>
double seconds_of(F f) {
  double least = 1e9;
  for (int tries = 0; tries < 3; ++tries) {
    const std::clock_t start = std::clock();
    f();
    least = std::min(least, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return least;
}

// What is eight times as long takes eight times as long, more or less; 64 times were quadratic.
template <class F>
bool grows_as_its_input(std::size_t size, F run) {
  const double small = seconds_of([&] { run(size); });
  const double large = seconds_of([&] { run(8 * size); });
  CAPTURE(small, large);
  return large < 24 * small + 0.01;
}

std::string digest(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "sha256:" + std::string(64 - digits.size(), '0') + digits;
}

std::string metadata_of(std::size_t targets) {
  std::string json;
  for (std::size_t i = 0; i < targets; ++i) {
    json += (i == 0 ? "{\"t" : ",\"t") + std::to_string(i) + R"(":{"containerimage.digest":")" +
            digest(i) + R"(","image.name":"ghcr.io/o/r"})";
  }
  return json + "}";
}

std::string bake_of(std::size_t targets) {
  std::string json = R"({"target":{)";
  std::string names;
  for (std::size_t i = 0; i < targets; ++i) {
    const std::string name = "\"t" + std::to_string(i) + "\"";
    json += (i == 0 ? "" : ",") + name + R"(:{"tags":["ghcr.io/o/r:)" + std::to_string(i) + "\"]}";
    names += (i == 0 ? "" : ",") + name;
  }
  return json + R"(},"group":{"default":{"targets":[)" + names + "]}}}";
}

}  // namespace

TEST_CASE("A pipe or a device in the place of a file is refused at once", "[files]") {
  const test::TemporaryFolder folder;
  const std::string pipe = pipe_in(folder);
  CHECK(read_file(pipe, 100).error().what == "is a named pipe, not a regular file");
  CHECK(read_file("/dev/zero", 100).error().what == "is a device, not a regular file");
  CHECK(read_file("/dev/null", 100).error().what == "is a device, not a regular file");
  CHECK(read_file(folder / ".", 100).error().what == "is a folder, not a file");
  CHECK(*read_file(folder.write("file", "text"), 100) == "text");
}

TEST_CASE("What is open already is read where a user names it, not where a file does", "[files]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], "text", 4) == 4);
  const std::string path = "/dev/fd/" + std::to_string(ends[0]);
  CHECK(read_regular_file(path, 100).error().what == "is a named pipe, not a regular file");
  const auto set = parse_rule_set("retry-rules: 1\ninclude: " + path + "\n", "/x.yaml");
  REQUIRE(set.has_error());
  CHECK_THAT(to_string(set.error().front()), ContainsSubstring("is a named pipe"));
  ::close(ends[1]);
  CHECK(*read_file(path, 100) == "text");
  ::close(ends[0]);
}

TEST_CASE("No file that a plan names is waited for", "[files]") {
  const PlanFolder folder;
  const std::string pipe = pipe_in(folder.folder);
  const std::string ends = "    tags: [ghcr.io/o/r:1]\n";
  for (const std::string& file : {pipe, std::string("/dev/zero")}) {
    for (const std::string& plan :
         {"metadata: " + file + "\n" + plan_with(ends).substr(17), "bake: " + file + "\n",
          "rules: " + file + "\n" + plan_with(ends).substr(17),
          plan_with(ends + "    sources: [{metadata: " + file + "}]\n").substr(17),
          plan_with(ends + "    sources: [{digest-file: " + file + ", repository: ghcr.io/o/r}]\n")
              .substr(17),
          plan_with(ends + "    metadata-action: " + file + "\n").substr(17)}) {
      CAPTURE(plan);
      CHECK_THAT(folder.errors("retry-publish: 1\n" + plan),
                 ContainsSubstring(", not a regular file"));
    }
  }
}

TEST_CASE("A mapping of many keys is read in time that grows with it", "[files]") {
  const auto rules = [](std::size_t keys) {
    std::string yaml = "retry-rules: 1\nrules: []\n";
    for (std::size_t i = 0; i < keys; ++i) yaml += "k" + std::to_string(i) + ": 1\n";
    return yaml;
  };
  CHECK(parse_rule_set(rules(3), "x.yaml").error().size() >= 3);
  CHECK(grows_as_its_input(2000, [&](std::size_t n) { parse_rule_set(rules(n), "x.yaml"); }));
}

TEST_CASE("Metadata and bake files of many targets are read in time that grows with them",
          "[files]") {
  const PlanFolder folder;
  for (const std::size_t size : {500U, 4000U}) {
    folder.write("meta" + std::to_string(size), metadata_of(size));
    folder.write("bake" + std::to_string(size), bake_of(size));
  }
  const auto load = [&](std::size_t size, const std::string& rest) {
    const auto plan =
        folder.load("retry-publish: 1\nmetadata: meta" + std::to_string(size) + "\n" + rest);
    REQUIRE(plan.has_value());
    return plan->targets.size();
  };
  const auto baked = [&](std::size_t size) {
    CHECK(load(size, "bake: bake" + std::to_string(size) + "\n") == size);
  };
  const auto one = [&](std::size_t size) {
    CHECK(load(size, "targets: {t1: {tags: ghcr.io/o/r:1}}\n") == 1);
  };
  CHECK(grows_as_its_input(500, baked));
  CHECK(grows_as_its_input(500, one));
}

TEST_CASE("Groups in groups are followed however deep they go", "[files]") {
  const PlanFolder folder;
  std::string groups = R"("default":{"targets":["g0"]})";
  constexpr std::size_t deep = 100'000;
  for (std::size_t i = 0; i < deep; ++i) {
    groups += ",\"g" + std::to_string(i) + R"(":{"targets":[")" +
              (i + 1 == deep ? "a" : "g" + std::to_string(i + 1)) + "\"]}";
  }
  folder.write("bake.json",
               R"({"target":{"a":{"tags":["ghcr.io/o/r:1"]}},"group":{)" + groups + "}}");
  folder.write("m.json", R"({"a":{"containerimage.digest":")" + digest(1) +
                             R"(","image.name":"ghcr.io/o/r"}})");
  const auto plan = folder.load("retry-publish: 1\nbake: bake.json\nmetadata: m.json\n");
  REQUIRE(plan.has_value());
  CHECK(plan->targets.size() == 1);
}
