// Failures that no retry mends: one attempt, and the command's own exit code.
#include "scene.hpp"

using namespace test;

namespace {

// `words` under ghcr's rules fails once, for the reason that oras gives, and stops.
void fails_once(
    const Scene& scene, const std::string& reason, const std::vector<std::string>& words,
    const std::vector<std::pair<std::string, std::optional<std::string>>>& environment = {}) {
  for (const std::string& version : oras_versions) {
    Program program = scene.retried({"--delay", "1ms"}, scene.oras(version, words));
    program.environment.insert(program.environment.end(), environment.begin(), environment.end());
    const Ended ended = run(program);
    CAPTURE(version, words, ended.out, ended.err);
    CHECK(ended.exit_code() == 1);
    CHECK_THAT(ended.err, ContainsSubstring(reason));
    CHECK(attempts_in(ended.err) == 1);
  }
}

std::vector<std::string> probe(const std::string& reference) {
  return {"manifest", "fetch", "--plain-http", "--descriptor", reference};
}

// User "test", password "test".
constexpr std::string_view credentials =
    "test:$2y$05$abcdefghijklmnopqrstuuMceFj4VbmHOj8C7PetMxzZkwre/z.Ri\n";

}  // namespace

TEST_CASE("wrong or no credentials are not tried again", "[permanent]") {
  Scene scene;
  const Registry locked({.htpasswd = scene.folder.write("htpasswd", credentials)});
  const std::string reference = locked.address() + "/o/r:v1";
  auto wrong = probe(reference);
  wrong.insert(wrong.end(), {"--username", "test", "--password", "wrong"});
  fails_once(scene, "401", wrong);
  fails_once(scene, "basic credential not found", probe(reference));
}

TEST_CASE("a credential helper that is missing is not tried again", "[permanent]") {
  Scene scene;
  const Registry locked({.htpasswd = scene.folder.write("htpasswd", credentials)});
  const TemporaryFolder config;
  config.write("config.json",
               "{\"credHelpers\": {\"" + locked.address() + "\": \"not-installed\"}}");
  fails_once(scene, "executable file not found in $PATH", probe(locked.address() + "/o/r:v1"),
             {{"DOCKER_CONFIG", config.path()}});
}

TEST_CASE("mistakes on the command line are not tried again", "[permanent]") {
  Scene scene;
  fails_once(scene, "invalid reference", probe(scene.reference("Not/Lower-Case:v1")));
  fails_once(scene, "unknown flag: --no-such-flag", {"resolve", "--no-such-flag", "x"});
}

TEST_CASE("a certificate nobody trusts is not tried again", "[permanent]") {
  Scene scene;
  const std::string key = scene.folder / "key.pem";
  const std::string certificate = scene.folder / "certificate.pem";
  const Ended made =
      run({.argv = {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    key, "-out", certificate}});
  CAPTURE(made.err);
  REQUIRE(made.exit_code() == 0);
  const Registry secured({.certificate = certificate, .key = key});
  fails_once(scene, "x509: ", {"manifest", "fetch", "--descriptor", secured.address() + "/o/r:v1"});
}

TEST_CASE("a local layout that lacks it is not tried again", "[permanent]") {
  Scene scene;
  const Image image = make_image();
  for (const std::string name : {"layout", "not found"}) {
    write_layout(scene.folder / name, image, "v1");
    const std::string lacking = name + "@sha256:" + std::string(64, 'a');
    fails_once(scene, "not found",
               {"cp", "--from-oci-layout", "--to-plain-http", lacking, scene.reference("o/r:v1")});
  }
}

TEST_CASE("refusals of the registry are not tried again", "[permanent]") {
  Scene scene;
  const Image image = make_image();
  // Names that look like passing faults.
  for (const std::string repository : {"o/r", "not-found/timeout-503"}) {
    push(scene.registry.address(), repository, image, "512");
    const std::string source = repository + ":512";
    scene.flaky.plan("faults: [{answer: {status: 401}}]");
    fails_once(scene, "401: Unauthorized", probe(scene.reference(source)));
    fails_once(scene, "unauthorized: authentication required", scene.copy(source, "o/copy:v1"));
    scene.flaky.plan("faults: [{answer: {status: 403}}]");
    fails_once(scene, "403: Forbidden", probe(scene.reference(source)));
    fails_once(scene, "denied: requested access", scene.copy(source, "o/copy:v1"));
    scene.flaky.plan("faults: [{immutable-tags: true}]");
    fails_once(scene, "the tag is immutable",
               {"tag", "--plain-http", scene.reference(repository + '@' + image.digest), "512"});
  }
}
