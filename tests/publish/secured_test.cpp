// A registry of today behind TLS, with a certificate of its own authority and basic authentication.
#include "publish_scene.hpp"

#include <algorithm>

using namespace test;

namespace {

// htpasswd -nbB builder 'open sesame'
constexpr const char* password_file =
    "builder:$2y$05$Vnz9jAv6UHLfXrPFBWQyEelhf8cXVcNiH1/DLvbyK2cfsk6YhlV3O\n";
// base64 of "builder:open sesame"
constexpr const char* right = "YnVpbGRlcjpvcGVuIHNlc2FtZQ==";
constexpr const char* wrong = "YnVpbGRlcjp3cm9uZw==";

void openssl(const TemporaryFolder& folder, std::vector<std::string> words) {
  words.insert(words.begin(), "openssl");
  const Ended ended = run({.argv = std::move(words), .folder = folder.path()});
  INFO(ended.err);
  REQUIRE(ended.exit_code() == 0);
}

struct Secured {
  PublishScene scene;
  Registry registry = make_registry();

  Registry make_registry() const {
    const TemporaryFolder& folder = scene.folder;
    openssl(folder, {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                     "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"});
    openssl(folder, {"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=registry", "-keyout",
                     "key.pem", "-out", "request.pem"});
    folder.write("names", "subjectAltName=IP:127.0.0.1\n");
    openssl(folder, {"x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-set_serial", "1", "-days", "2", "-extfile", "names", "-out", "cert.pem"});
    return Registry({.program = "DISTRIBUTION_3",
                     .certificate = folder / "cert.pem",
                     .key = folder / "key.pem",
                     .htpasswd = folder.write("htpasswd", password_file)});
  }

  // What `oras login --registry-config` writes.
  std::string login(const char* credentials) const {
    return scene.folder.write("login.json", R"({"auths":{")" + registry.address() +
                                                R"(":{"auth":")" + credentials + R"("}}})");
  }

  std::string name(const std::string& repository) const {
    return registry.address() + "/" + repository;
  }

  // As a builder pushes: out of a registry of its own.
  void push_sources(const PublishTarget& target) const {
    for (const Image& image : target.images) {
      const std::string digest = "@" + image.digest;
      const Ended pushed =
          run({.argv = {scene.oras, "cp", "--no-tty", "--from-plain-http", "--to-ca-file",
                        scene.folder / "ca.pem", "--to-registry-config", login(right),
                        scene.first.address() + "/" + scene.staging_of(target) + digest,
                        name(scene.staging_of(target)) + digest}});
      INFO(pushed.err);
      REQUIRE(pushed.exit_code() == 0);
    }
  }

  std::string manifest_at(const std::string& reference) const {
    return run({.argv = {scene.oras, "manifest", "fetch", "--ca-file", scene.folder / "ca.pem",
                         "--registry-config", login(right), name(reference)}})
        .out;
  }

  // Two targets, one with SOCI: into the secured registry and into a plain one.
  std::string plan(const std::string& options) const {
    std::string text =
        scene.plan_head() + "  '" + registry.address() + "': {" + options + "}\ntargets:\n";
    for (const PublishTarget& target : scene.targets) {
      text += "  " + target.name + ":\n    sources:\n";
      for (const Image& image : target.images) {
        text += "      - " + name(scene.staging_of(target)) + "@" + image.digest + "\n";
      }
      if (target.soci) text += "    soci: {span-size: 256KiB, min-layer-size: 1MiB}\n";
      text += "    after: [[oras, version, '{repository}@{digest}']]\n";
      text += "    tags: [" + name(scene.repository_of(target)) + ":1.0, " +
              name(scene.repository_of(target)) + ":latest, " + scene.tags_of(target)[0] + "]\n";
    }
    return text;
  }

  Ended publish(const std::string& options) const { return run(scene.program_of(plan(options))); }
};

std::string all_of(const Secured& secured) {
  return "ca-file: ca.pem, registry-config: " + secured.login(right);
}

}  // namespace

TEST_CASE("a registry with its own authority and a login is published to like any other",
          "[secured]") {
  Secured secured;
  PublishScene& scene = secured.scene;
  scene.targets = {make_target("alpha", 81), make_target("beta", 82, true)};
  scene.push_sources();
  for (const PublishTarget& target : scene.targets) secured.push_sources(target);
  const Ended first = secured.publish(all_of(secured));
  INFO(first.err);
  REQUIRE(first.exit_code() == 0);
  for (const PublishTarget& target : scene.targets) {
    const std::string published = secured.manifest_at(scene.repository_of(target) + ":1.0");
    CHECK_THAT(published, ContainsSubstring("\"manifests\":["));
    CHECK(secured.manifest_at(scene.repository_of(target) + ":latest") == published);
    const std::string digest =
        digest_at(scene.first_registry.address(), scene.repository_of(target), "1.0");
    CHECK(secured.manifest_at(scene.repository_of(target) + "@" + digest) == published);
  }
  const auto before = scene.moment();
  const Ended second = secured.publish(all_of(secured));
  INFO(second.err);
  CHECK(second.exit_code() == 0);
  CHECK_THAT(second.err, ContainsSubstring("2 had been done by an earlier run"));
  const auto entries = scene.entries_since(before);
  CHECK(std::none_of(entries.begin(), entries.end(), is_write));
}

TEST_CASE("a certificate that nothing vouches for, and a wrong login, are told at once",
          "[secured]") {
  Secured secured;
  PublishScene& scene = secured.scene;
  scene.targets = {make_target("alpha", 83)};
  scene.push_sources();
  secured.push_sources(scene.targets[0]);
  const auto refused = [&](const std::string& options) {
    const Ended ended = secured.publish(options);
    CHECK(ended.exit_code() == 1);
    CHECK(ended.wall < 20s);
    CHECK(digest_at(scene.first_registry.address(), "final/alpha", "1.0").empty());
    return ended.err;
  };
  CHECK_THAT(refused("registry-config: " + secured.login(right)),
             ContainsSubstring("certificate signed by unknown authority"));
  CHECK_THAT(refused("ca-file: ca.pem"), ContainsSubstring("basic credential not found"));
  CHECK_THAT(refused("ca-file: ca.pem, registry-config: " + secured.login(wrong)),
             ContainsSubstring("unauthorized: authentication required"));
}
