// The small parts that publishing is made of.
#include "catch_shim.hpp"
#include "publish/oci/index.hpp"
#include "publish/oci/layout.hpp"
#include "publish/oci/sha256.hpp"
#include "publish/run/argv.hpp"
#include "publish/run/budget.hpp"
#include "publish/run/scratch.hpp"
#include "temporary_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

namespace {

const std::string digest_a = "sha256:" + std::string(64, 'a');

Platform platform(const std::string& text) {
  return parse_platform(text).value();
}

}  // namespace

TEST_CASE("SHA-256 of the vectors of FIPS 180-4", "[publish]") {
  CHECK(digest_of("") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest_of("abc") ==
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest_of(std::string(1'000'000, 'a')) ==
        "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  for (const std::size_t size : {55u, 56u, 63u, 64u, 65u}) {
    CHECK(digest_of(std::string(size, 'x')).size() == 71);
  }
}

TEST_CASE("An index is the one that oras makes, byte for byte", "[publish]") {
  const std::string type = "application/vnd.oci.image.manifest.v1+json";
  const std::vector<Descriptor> manifests = {
      {type, "sha256:c2b05a53c41e35bffb855f872977cedf3d0f0272d92fb18253ebacf41fc4b7fc", 539,
       Platform{.os = "linux", .architecture = "amd64"}},
      {type, "sha256:cd5b9243b24c784f058bdc5769ed4de66fe87a84ed6ba4ab2f4564b98780971f", 540,
       Platform{.os = "linux", .architecture = "arm64", .variant = "v8", .os_version = "1<2&3"}}};
  const std::vector<std::pair<std::string, std::string>> annotations = {{"a", "1"},
                                                                        {"b", "x<y>&\"é"}};
  // As oras 1.3.6 printed and pushed it.
  CHECK(digest_of(index_json(manifests, annotations)) ==
        "sha256:c1c2ba1e6b67622ef5cee8eb152d3548e0c4af06fd3202eb968a4a4687725b5c");
}

TEST_CASE("References are taken apart", "[publish]") {
  const auto full = parse_reference("localhost:5000/o/r:1.0@" + digest_a);
  REQUIRE(full.has_value());
  CHECK(*full == Reference{"localhost:5000", "o/r", "1.0", digest_a});
  CHECK(to_string(*full) == "localhost:5000/o/r:1.0@" + digest_a);
  CHECK(parse_reference("ghcr.io/o/r:123")->tag == "123");
  CHECK(parse_reference("index.docker.io/o/r:1")->name() == "docker.io/o/r");
  CHECK(parse_reference("registry-1.docker.io/o/r:1")->name() == "docker.io/o/r");
  CHECK(parse_reference("[::1]:5000/r")->host == "[::1]:5000");
  CHECK(parse_reference("127.0.0.1:5000/a__b/c-----d.e_f").has_value());
  for (const char* wrong : {"",
                            "r",
                            "o/r",
                            "/r",
                            "ghcr.io",
                            "ghcr.io/",
                            "ghcr.io//r",
                            "ghcr.io/r/",
                            "ghcr.io/r:",
                            "ghcr.io/r@",
                            "ghcr.io/a..b",
                            "ghcr.io/a___b",
                            "ghcr.io/-a",
                            "ghcr.io:x/r",
                            "ghcr.io:123456/r",
                            "a b.c/r",
                            "ghcr.io/r:a b",
                            "ghcr.io/r@sha256:ABC",
                            "https://ghcr.io/r",
                            "-x.y/r",
                            "[::1/r"}) {
    INFO(wrong);
    CHECK_FALSE(parse_reference(wrong).has_value());
  }
}

TEST_CASE("A host has a name or address and a port that there can be", "[publish]") {
  for (const char* host :
       {"ghcr.io", "a-b.example.com:1", "localhost", "registry:65535", "127.0.0.1:5000", "10.0.0.1",
        "[::1]:5000", "[2001:db8::1]", "xn--bcher-kva.example"}) {
    CAPTURE(host);
    CHECK(parse_reference(std::string(host) + "/o/r:1").has_value());
  }
  for (const char* host :
       {"localhost:0", "localhost:99999", "localhost:65536", "localhost:", "localhost:+1", "x..io",
        ".io", "x.", "-x.io", "x-.io", "[:::::]", "[:::::]:5000", "[]:1", "[::1", "[1.2.3.4]",
        "256.1.1.1", "1.2.3", "x_y.io"}) {
    CAPTURE(host);
    CHECK(parse_reference(std::string(host) + "/o/r:1").has_error());
  }
  CHECK(parse_reference(std::string(64, 'a') + ".io/o/r:1").has_error());
}

TEST_CASE("A host in capitals is the same registry", "[publish]") {
  CHECK(*parse_reference("GHCR.IO/o/r:1") == *parse_reference("ghcr.io/o/r:1"));
  CHECK(parse_reference("Index.Docker.IO/o/r:1")->name() == "docker.io/o/r");
  CHECK(parse_reference("LocalHost/o/r:1")->name() == "localhost/o/r");
}

TEST_CASE("A staging tag is legal whatever the target is called", "[publish]") {
  CHECK(staging_tag("workbench-1.0", digest_a) == "workbench-1.0-aaaaaaaaaaaaaaaa");
  CHECK(staging_tag("ä/b c", digest_a, "-soci") == "___b_c-aaaaaaaaaaaaaaaa-soci");
  CHECK(staging_tag(".x", digest_a) == "_.x-aaaaaaaaaaaaaaaa");
  for (const std::size_t size : {1u, 100u, 128u, 500u}) {
    const std::string tag = staging_tag(std::string(size, '+'), digest_a, "-soci-12345678");
    CHECK(is_tag(tag));
    CHECK(tag.ends_with("-aaaaaaaaaaaaaaaa-soci-12345678"));
  }
}

TEST_CASE("What a registry printed is read without trust", "[publish]") {
  CHECK(parse_descriptor("{\"digest\":\"" + digest_a + "\"}").has_value());
  for (const char* wrong : {"", "[]", "{", "{}", "{\"digest\": 5}", "{\"digest\":\"x\"}", "null"}) {
    CHECK_FALSE(parse_descriptor(wrong).has_value());
    CHECK_FALSE(parse_config_platform(wrong).has_value());
  }
  CHECK_FALSE(parse_index("{\"manifests\": [{}]}").has_value());
  const auto index = parse_index(
      "{\"manifests\": [{\"digest\":\"" + digest_a +
      "\",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}}, {\"digest\":\"" +
      digest_a + "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}}]}");
  REQUIRE(index.has_value());
  REQUIRE(index->manifests.size() == 2);
  CHECK(is_attestation(index->manifests.front()));
  CHECK(index->manifests.back().platform->architecture == "s390x");
}

TEST_CASE("cp takes a registry's options with the side they are for", "[publish]") {
  Plan plan;
  plan.registries["a.io"] = {.plain_http = false, .insecure = true};
  plan.registries["b.io"] = {.registry_config = "auth.json"};
  const Arguments argv = copy_command(plan, {"a.io", "r", "", digest_a}, {"b.io", "r", "1", ""});
  CHECK(argv == Arguments{"oras", "cp", "--no-tty", "--from-plain-http=false", "--from-insecure",
                          "--to-registry-config", "auth.json", "a.io/r@" + digest_a, "b.io/r:1"});
  CHECK(probe_command(plan, {"b.io", "r", "1", ""}) ==
        Arguments{"oras", "manifest", "fetch", "--descriptor", "--registry-config", "auth.json",
                  "b.io/r:1"});
}

TEST_CASE("A registry's budget lets a burst through and then paces", "[publish]") {
  Budget budget;
  const TimePoint now = TimePoint{} + 1h;
  for (int i = 0; i < static_cast<int>(Budget::capacity); ++i) CHECK(budget.take(now) == now);
  const TimePoint next = budget.take(now);
  CHECK(next - now == 500ms);
  CHECK(budget.take(now) - now == 1s);
  budget.refund(now);
  CHECK(budget.take(now) - now == 1s);
  CHECK(budget.take(now + 1h) == now + 1h);
}

TEST_CASE("A layout is reduced to its root entry", "[publish]") {
  const test::TemporaryFolder folder;
  const std::string file = folder.write(
      "index.json",
      R"({"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:1","size":1},)"
      R"({"mediaType":"application/vnd.oci.image.index.v1+json","digest":")" +
          digest_a +
          R"(","size":7,"annotations":{"org.opencontainers.image.ref.name":"image"}}]})");
  REQUIRE(reduce_to_root(folder.path().string(), digest_a).has_value());
  CHECK(test::read_file(file) ==
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":)"
        R"([{"mediaType":"application/vnd.oci.image.index.v1+json","digest":")" +
            digest_a + R"(","size":7}]})");
  CHECK_FALSE(reduce_to_root(folder.path().string(), "sha256:2").has_value());
  CHECK_FALSE(reduce_to_root(folder / "none", digest_a).has_value());
}

TEST_CASE("The entries of an index are named in its layout, so that oras knows them for manifests",
          "[publish]") {
  const test::TemporaryFolder folder;
  const std::string image = R"({"mediaType":"application/vnd.oci.image.manifest.v1+json"})";
  const Descriptor entry{"application/vnd.oci.image.manifest.v1+json", digest_of(image),
                         image.size(), std::nullopt};
  const std::string index = index_json(std::vector{entry}, {});
  const Descriptor root{std::string(oci_index), digest_of(index), index.size(), std::nullopt};
  std::filesystem::create_directories(folder / "blobs/sha256");
  folder.write("blobs/sha256/" + digest_of(index).substr(7), index);
  folder.write("index.json", index_json(std::vector{root}, {}));
  REQUIRE(name_entries(folder.path().string()).has_value());
  const auto named = parse_index(test::read_file(folder / "index.json"));
  REQUIRE(named.has_value());
  REQUIRE(named->manifests.size() == 2);
  CHECK(named->manifests[0].digest == root.digest);
  CHECK(named->manifests[1].media_type == entry.media_type);
  CHECK_FALSE(name_entries(folder / "none").has_value());
}

TEST_CASE("Platforms are written and compared as containerd does", "[publish]") {
  for (const char* text : {"linux/amd64", "linux/arm/v7", "windows(10.0.20348.1)/amd64",
                           "windows(10.0.20348.1+win32k)/amd64", "linux/arm64/v8"}) {
    CHECK(to_string(platform(text)) == text);
  }
  for (const char* wrong : {"", "amd64", "linux/", "/amd64", "linux/amd64/", "linux /amd64"}) {
    INFO(wrong);
    CHECK_FALSE(parse_platform(wrong).has_value());
  }
  CHECK(fits(platform("linux/arm64"), platform("linux/arm64/v8")));
  CHECK(fits(platform("linux/arm"), platform("linux/arm/v7")));
  CHECK(fits(platform("windows/amd64"), platform("windows(10.0.1)/amd64")));
  CHECK_FALSE(fits(platform("windows(10.0.2)/amd64"), platform("windows(10.0.1)/amd64")));
  CHECK(fits(platform("windows(10.0.2)/amd64"), platform("windows(10.0.2.7)/amd64")));
  CHECK(fits(platform("windows(10.0.2.7)/amd64"), platform("windows(10.0.2.7)/amd64")));
  CHECK_FALSE(fits(platform("windows(10.0.2)/amd64"), platform("windows(10.0.20.7)/amd64")));
  CHECK_FALSE(fits(platform("windows(10.0.2.6)/amd64"), platform("windows(10.0.2.7)/amd64")));
  CHECK_FALSE(fits(platform("windows(10.0.2.7)/amd64"), platform("windows(10.0.2)/amd64")));
  CHECK_FALSE(fits(platform("windows(10.0)/amd64"), platform("windows(10.0.2.7)/amd64")));
  CHECK_FALSE(fits(platform("linux/arm/v6"), platform("linux/arm/v7")));
  CHECK_FALSE(is_same(platform("windows(10.0.2)/amd64"), platform("windows(10.0.1)/amd64")));
}

TEST_CASE("Entries of an index are the same by digest, platform and what they attest",
          "[publish]") {
  const auto entry = [](char c, const std::string& of, const std::string& attested = "") {
    Descriptor descriptor{.media_type = "application/vnd.oci.image.manifest.v1+json",
                          .digest = "sha256:" + std::string(64, c)};
    if (!of.empty()) descriptor.platform = platform(of);
    if (!attested.empty()) {
      descriptor.annotations = {{"vnd.docker.reference.digest", attested},
                                {"vnd.docker.reference.type", "attestation-manifest"}};
    }
    return Child{descriptor, {}};
  };
  const std::string digest_b = "sha256:" + std::string(64, 'b');
  const std::string none = "unknown/unknown";
  struct Case {
    std::vector<Child> children;
    std::size_t left;
  };
  const std::vector<Case> cases = {
      {{entry('a', "linux/arm64"), entry('a', "linux/amd64")}, 2},
      {{entry('a', "linux/arm64"), entry('a', "linux/arm64/v8")}, 1},
      {{entry('a', "linux/amd64"), entry('a', "linux/amd64")}, 1},
      {{entry('a', ""), entry('a', "linux/amd64")}, 1},
      {{entry('a', ""), entry('a', "")}, 1},
      {{entry('a', "linux/amd64"), entry('b', "linux/arm64"), entry('c', none, digest_a),
        entry('c', none, digest_b)},
       4},
      {{entry('a', "linux/amd64"), entry('c', none, digest_a), entry('c', "", digest_a)}, 2},
      // What they attest is elsewhere.
      {{entry('d', "linux/amd64"), entry('c', none, digest_b), entry('c', none, digest_a)}, 3},
      {{entry('a', "linux/amd64"), entry('a', "linux/arm64"), entry('c', none, digest_a)}, 3},
  };
  const auto written = [](std::vector<Child> children) {
    std::vector<Descriptor> manifests;
    for (const Child& child : in_order(std::move(children))) manifests.push_back(child.descriptor);
    return index_json(manifests, {});
  };
  for (const Case& one : cases) {
    const std::string expected = written(one.children);
    CAPTURE(expected);
    CHECK(in_order(one.children).size() == one.left);
    std::vector<Child> other = one.children;
    std::reverse(other.begin(), other.end());
    CHECK(written(other) == expected);
    CHECK(written(in_order(one.children)) == expected);
  }
}
