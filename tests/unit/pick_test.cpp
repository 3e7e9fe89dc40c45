// Which rule sets --rules auto picks: by the command's name and by the hosts that are named.
#include "catch_shim.hpp"

#include <retry_exec/rules.hpp>

using namespace retry_exec;

TEST_CASE("a command's name is seen through what runs it", "[rules]") {
  const auto name = [](std::vector<std::string> command) { return command_name(command); };
  CHECK(name({"/usr/local/bin/oras", "cp"}) == "oras");
  CHECK(name({"sudo", "-u", "x", "/usr/bin/oras"}) == "oras");
  CHECK(name({"env", "-u", "A", "B=c", "nice", "-n", "5", "git", "fetch"}) == "git");
  CHECK(name({"timeout", "-k", "5", "30", "curl", "x"}) == "curl");
  CHECK(name({"retry-exec", "-r", "ghcr", "--", "oras"}) == "oras");
  CHECK(name({"retry-exec", "--retries", "3", "--summary", "f", "--drain-grace", "0", "oras"}) ==
        "oras");
  CHECK(name({"retry-exec", "-a", "3", "--max-delay", "1m", "-t", "5s", "oras"}) == "oras");
  CHECK(name({"python3", "-m", "pip", "install"}) == "pip");
  CHECK(name({"npx", "--yes", "wrangler@4", "deploy"}) == "wrangler");
  CHECK(name({"bundle", "exec", "jekyll", "build"}) == "jekyll");
  CHECK(name({"bundle", "install"}) == "bundle");
  CHECK(name({"uv", "run", "--with", "httpx", "pytest"}) == "pytest");
  CHECK(name({"npm", "exec"}) == "npm");
  CHECK(name({"env"}) == "env");
  CHECK(name({}).empty());
}

TEST_CASE("auto picks by registry hosts, then by the command, then what most tools share",
          "[rules]") {
  const auto picked = [](std::vector<std::string> command) { return pick_rule_sets(command); };
  using Names = std::vector<std::string>;
  CHECK(picked({"oras", "cp", "ghcr.io/o/r:1", "x"}) == Names{"ghcr", "oras", "generic"});
  CHECK(picked({"sudo", "docker", "push", "docker://1.dkr.ecr.eu-west-1.amazonaws.com/x"}) ==
        Names{"ecr", "docker", "generic"});
  CHECK(picked({"docker", "buildx", "--output=type=image,name=GHCR.io:443/o/r"}) ==
        Names{"ghcr", "docker", "generic"});
  CHECK(picked({"./build.sh", "ghcr.io/x"}) == Names{"ghcr", "generic"});
  CHECK(picked({"git", "push"}) == Names{"git", "generic"});
  CHECK(picked({}) == Names{"generic"});
}

TEST_CASE("auto brings the set of a host that stands in the output, behind all others", "[rules]") {
  const auto picked = [](std::string_view printed) {
    const std::vector<std::string> command = {"make", "push"};
    return pick_rule_sets(command, printed);
  };
  using Names = std::vector<std::string>;
  CHECK(picked("Error: PUT https://ghcr.io/v2/a/b: 502") == Names{"generic", "ghcr"});
  CHECK(picked("pushing (quay.io/a/b): EOF\n'GCR.IO/x'") == Names{"generic", "quay", "gar"});
  CHECK(picked("see https://github.com/a/b") == Names{"generic"});
  CHECK(picked("ghcr.io\n" + std::string(std::size_t{1} << 20, 'x')) == Names{"generic"});
}

TEST_CASE("a host that was merely mentioned does not make a 404 a lag", "[rules]") {
  const auto retried = [](std::vector<std::string> command) {
    CapturedOutput output;
    output.standard_error.tail =
        "Error: GET https://ghcr.io/v2/a/b/manifests/1: MANIFEST_UNKNOWN: x\n";
    const auto set = load_rule_sets(pick_rule_sets(command, output.standard_error.tail));
    REQUIRE(set.has_value());
    return Classifier({*set}).classify({command, Exited{1}, output}).retry;
  };
  CHECK_FALSE(retried({"make", "image"}));
  CHECK(retried({"make", "image", "ghcr.io/a/b:1"}));
}
