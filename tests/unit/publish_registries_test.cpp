// One registry under two spellings is one.
#include "publish_plan_folder.hpp"

#include <string>
#include <vector>

using namespace test;

namespace {

// A plan in which two targets write one tag, under two names.
std::string two_owners(const std::string& one, const std::string& other,
                       const std::string& registries) {
  const auto target = [](const std::string& hex, const std::string& tag) {
    return "    sources: ['" + source(hex) + "']\n    tags: ['" + tag + "']\n";
  };
  return plan_with(target(a, one)) + "  two:\n" + target(b, other) + "registries: {" + registries +
         "}\n";
}

struct Spellings {
  std::string one;
  std::string other;
  std::string registries;
};

}  // namespace

TEST_CASE("A default port names the same registry as none, so that a tag has one owner",
          "[publish]") {
  const PlanFolder folder;
  const std::string plain = "{plain-http: true}";
  for (const Spellings& same : std::vector<Spellings>{
           {"ghcr.io:443/a/b:1", "ghcr.io/a/b:1", ""},
           {"ghcr.io/a/b:1", "GHCR.io:0443/a/b:1", "ghcr.io: {insecure: true}"},
           {"ghcr.io:5000/a/b:1", "ghcr.io:05000/a/b:1", ""},
           {"docker.io/a/b:1", "index.docker.io:443/a/b:1", ""},
           {"localhost:80/a/b:1", "localhost/a/b:1", ""},
           {"localhost:80/a/b:1", "localhost/a/b:1", "'localhost:80': " + plain},
           {"localhost:80/a/b:1", "localhost/a/b:1", "localhost: " + plain},
           {"localhost:443/a/b:1", "localhost/a/b:1", "localhost: {plain-http: false}"},
           {"x.org:80/a/b:1", "x.org/a/b:1", "x.org: " + plain},
           {"x.org:80/a/b:1", "x.org/a/b:1", "x.org: " + plain + ", 'x.org:80': " + plain},
           {"[::1]:80/a/b:1", "[::1]/a/b:1", "'[::1]': " + plain}}) {
    INFO(same.one << " and " << same.other << " with " << same.registries);
    const std::string errors = folder.errors(two_owners(same.one, same.other, same.registries));
    INFO(errors);
    CHECK(errors.find("two targets, or one twice, write the tag") != std::string::npos);
  }
}

TEST_CASE("A port that is not the default names another registry", "[publish]") {
  const PlanFolder folder;
  const std::string plain = "{plain-http: true}";
  for (const Spellings& different :
       std::vector<Spellings>{{"ghcr.io:80/a/b:1", "ghcr.io/a/b:1", ""},
                              {"localhost:443/a/b:1", "localhost/a/b:1", ""},
                              {"x.org:80/a/b:1", "x.org/a/b:1", "'x.org:80': " + plain},
                              {"x.org:443/a/b:1", "x.org/a/b:1", "'x.org:443': " + plain},
                              {"x.org:443/a/b:1", "x.org/a/b:1", "x.org: " + plain},
                              {"ghcr.io:5000/a/b:1", "ghcr.io/a/b:1", ""}}) {
    INFO(different.one << " and " << different.other << " with " << different.registries);
    CHECK(folder.errors(two_owners(different.one, different.other, different.registries)).empty());
  }
}

TEST_CASE("A registry is spelled as under 'registries', else as at first", "[publish]") {
  const PlanFolder folder;
  const auto tags = [&](const std::string& registries) {
    const auto plan = folder.load(
        plan_with("    sources: ['x.org:443/r@sha256:" + a +
                  "']\n    tags: [x.org/r:1, 'x.org:443/r:2']\n    staging: x.org/tmp\n") +
        "registries: {" + registries + "}\n");
    REQUIRE(plan.has_value());
    const auto& target = plan->targets[0];
    CHECK(target.sources[0].reference.host == target.tags[0].host);
    CHECK(target.staging.host == target.tags[0].host);
    return target.tags[0].name() + " " + target.tags[1].name();
  };
  CHECK(tags("") == "x.org:443/r x.org:443/r");
  CHECK(tags("x.org: {insecure: true}") == "x.org/r x.org/r");
  CHECK(tags("'x.org:443': {insecure: true}") == "x.org:443/r x.org:443/r");
}

TEST_CASE("A registry that 'registries' has under two spellings has one kind of options",
          "[publish]") {
  const PlanFolder folder;
  const std::string ok = "    sources: ['" + source() + "']\n    tags: [ghcr.io/o/r:1]\n";
  const auto errors = [&](const std::string& registries) {
    return folder.errors(plan_with(ok) + "registries: {" + registries + "}\n");
  };
  CHECK(errors("localhost: {}, 'localhost:80': {plain-http: true}").empty());
  CHECK(errors("x.org: {insecure: true}, 'x.org:443': {ca-file: a}")
            .find("plan.yaml:6:39: 'x.org:443' is the registry 'x.org', which has other options "
                  "here") != std::string::npos);
}
