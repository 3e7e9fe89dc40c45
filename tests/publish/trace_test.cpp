// What a run executes, as the kernel saw it.
#include "publish_scene.hpp"

#include <cstdio>
#include <regex>
#include <sstream>

using namespace test;

TEST_CASE("a run executes oras and soci, and never a shell", "[trace]") {
  PublishScene scene;
  three_targets(scene, 12);
  scene.push_sources();
  // Failures and retries may not take another way.
  scene.both(
      "faults:\n"
      "  - {name: late, kind: manifest, methods: [GET, HEAD], invisible: {reads: 2}}\n"
      "  - {name: lost, kind: manifest, methods: [PUT], times: 2, reset: true}\n");
  const std::string trace = scene.folder / "trace";
  Program program = scene.program();
  std::vector<std::string> argv = {"strace", "-f",          "-qq", "-e",  "trace=execve,execveat",
                                   "-e",     "signal=none", "-s",  "300", "-o",
                                   trace,    "--"};
  argv.insert(argv.end(), program.argv.begin(), program.argv.end());
  program.argv = argv;
  // LeakSanitizer and strace both want to be the one that traces.
  program.environment.emplace_back("ASAN_OPTIONS", "detect_leaks=0");
  const Ended ended = run(program);
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
  check_published(scene);

  static const std::regex call(R"re(execve(at)?\((?:[^"]*, )?"([^"]*)")re");
  std::map<std::string, unsigned> executed;
  std::istringstream lines(read_file(trace));
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_search(line, found, call)) ++executed[found[2]];
  }
  for (const auto& [path, count] : executed)
    std::printf("executed %4u x %s\n", count, path.c_str());
  CHECK(executed[required("RETRY_PUBLISH")] == 1);
  CHECK(executed[scene.oras] > 20);
  CHECK(executed[scene.soci] > 0);
  CHECK(executed.size() == 3);
}
