// Sources and tags as other tools leave them.
#include "catch_shim.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/publish_plan.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;

namespace {

const std::string a(64, 'a');
const std::string b(64, 'b');

struct Folder {
  test::TemporaryFolder folder;
  std::map<std::string, std::string> environment;

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(folder / name).parent_path());
    folder.write(name, text);
  }

  Result<Plan, Errors> load(const std::string& target) const {
    const std::string yaml = "retry-publish: 1\ntargets:\n  app:\n" + target;
    return load_plan(folder.write("plan.yaml", yaml), [this](const std::string& name) {
      const auto found = environment.find(name);
      return found == environment.end() ? nullptr : found->second.c_str();
    });
  }

  std::vector<std::string> sources(const std::string& source) const {
    const auto plan = load("    tags: [ghcr.io/o/app:1]\n    sources:\n      - " + source + "\n");
    std::vector<std::string> found;
    if (!plan) {
      for (const Error& error : plan.error()) found.push_back("error: " + to_string(error));
      return found;
    }
    for (const Source& read : plan->targets[0].sources) found.push_back(to_string(read.reference));
    return found;
  }

  std::string error(const std::string& source) const {
    std::string text;
    for (const std::string& line : sources(source)) text += line + "\n";
    return text;
  }

  std::vector<std::string> tags(const std::string& target) const {
    const auto plan = load("    sources: ['ghcr.io/o/app@sha256:" + a + "']\n" + target);
    std::vector<std::string> found;
    if (!plan) return {"error: " + to_string(plan.error().front())};
    for (const Reference& tag : plan->targets[0].tags) found.push_back(to_string(tag));
    return found;
  }
};

using Found = std::vector<std::string>;

}  // namespace

TEST_CASE("A folder of files named by digest is a list of sources", "[publish]") {
  const Folder folder;
  folder.write("digests/" + b, "");
  folder.write("digests/sha256:" + a, "");
  folder.write("digests/.keep", "");
  const std::string source = "{digests: digests/, repository: ghcr.io/acme/app}";
  CHECK(folder.sources(source) ==
        Found{"ghcr.io/acme/app@sha256:" + a, "ghcr.io/acme/app@sha256:" + b});
  folder.write("digests/README", "");
  CHECK_THAT(folder.error(source), test::ContainsSubstring("digests/README: a folder of digests"));
  CHECK_THAT(folder.error("{digests: none/, repository: ghcr.io/acme/app}"),
             test::ContainsSubstring("is not a folder of files named by digest"));
  CHECK_THAT(folder.error("{digests: digests/}"),
             test::ContainsSubstring("needs the 'repository'"));
}

TEST_CASE("An empty folder of digests fails its target alone, by where it was looked for",
          "[publish]") {
  const Folder folder;
  std::filesystem::create_directories(folder.folder / "digests");
  const auto plan = folder.load(
      "    tags: [ghcr.io/o/app:1]\n"
      "    sources: [{digests: digests, repository: ghcr.io/acme/app}]\n");
  REQUIRE(plan.has_value());
  CHECK(plan->targets[0].sources.empty());
  CHECK_THAT(plan->targets[0].looked_in, test::ContainsSubstring("the folder "));
}

TEST_CASE("Metadata of one build is a source", "[publish]") {
  const Folder folder;
  const auto built = [](const std::string& hex, const std::string& architecture) {
    return R"({"containerimage.digest": "sha256:)" + hex +
           R"(", "image.name": "ghcr.io/acme/app", "containerimage.descriptor": {"platform":)"
           R"( {"os": "linux", "architecture": ")" +
           architecture + R"("}}})";
  };
  folder.write("build-arm64.json", built(a, "arm64"));
  folder.write("build-amd64.json", built(b, "amd64"));
  CHECK(folder.sources("{metadata: 'build-*.json'}") ==
        Found{"ghcr.io/acme/app@sha256:" + b, "ghcr.io/acme/app@sha256:" + a});
  CHECK_THAT(folder.error("{metadata: none.json}"), test::ContainsSubstring("no file matches"));
  folder.write("nameless.json", R"({"containerimage.digest": "sha256:)" + a + "\"}");
  const auto plan =
      folder.load("    tags: [ghcr.io/o/app:1]\n    sources: [{metadata: nameless.json}]\n");
  REQUIRE(plan.has_value());
  CHECK_THAT(plan->targets[0].looked_in, test::ContainsSubstring("without 'image.name'"));
}

TEST_CASE("Files that begin with a byte order mark are read like others", "[publish]") {
  const std::string mark = "\xef\xbb\xbf";
  const Folder folder;
  folder.write("amd64.digest", mark + "sha256:" + a + "\r\n");
  folder.write("build.json", mark + R"({"containerimage.digest": "sha256:)" + b +
                                 R"(", "image.name": "ghcr.io/acme/app"})");
  CHECK(folder.sources("{digest-file: amd64.digest, repository: ghcr.io/acme/app}") ==
        Found{"ghcr.io/acme/app@sha256:" + a});
  CHECK(folder.sources("{metadata: build.json}") == Found{"ghcr.io/acme/app@sha256:" + b});
}

TEST_CASE("Every input must give a source", "[publish]") {
  const Folder folder;
  const auto built = [](const std::string& hex, const std::string& rest) {
    return R"({"containerimage.digest": "sha256:)" + hex + "\"" + rest + "}";
  };
  const std::string name = R"(, "image.name": "ghcr.io/acme/app")";
  const auto remarks = [&](const std::string& sources) {
    const auto plan = folder.load("    tags: [ghcr.io/o/app:1]\n    sources: [" + sources + "]\n");
    REQUIRE(plan.has_value());
    CHECK(plan->targets[0].sources.size() == 1);
    std::string text;
    for (const std::string& remark : plan->targets[0].remarks) text += remark + "\n";
    for (const std::string& what : plan->targets[0].broken) text += "broken: " + what + "\n";
    return text;
  };
  folder.write("g/a.json", built(a, name));
  CHECK(remarks("{metadata: g/*.json}").empty());
  for (const std::string& useless :
       {std::string("{}"), built(b, ""), R"({"containerimage.digest": 5)" + name + "}",
        R"({"other": )" + built(b, name) + "}", R"({"app": )" + built(b, "") + "}"}) {
    CAPTURE(useless);
    folder.write("g/b.json", useless);
    CHECK_THAT(remarks("{metadata: g/*.json}"), test::ContainsSubstring("g/b.json has "));
    CHECK_THAT(remarks("{metadata: g/a.json}, {metadata: g/b.json}"),
               test::ContainsSubstring("g/b.json has "));
  }
  folder.write("empty.txt", "\n");
  CHECK_THAT(remarks("{metadata: g/a.json}, {digest-file: empty.txt}"),
             test::ContainsSubstring("empty.txt is empty; a digest"));
  std::filesystem::create_directories(folder.folder / "none");
  CHECK_THAT(remarks("{metadata: g/a.json}, {digests: none, repository: ghcr.io/o/r}"),
             test::ContainsSubstring("none is empty; files named by digest"));
  folder.write("artifacts.json",
               R"([{"name":"o/r:1-amd64","type":"Docker Image"},{"name":"o/r:1-arm64","type":)"
               R"("Docker Image"},{"name":"o/r:1-amd64","type":"Docker Image","extra":{"Digest":)"
               R"("sha256:)" +
                   a + "\"}}]");
  CHECK_THAT(remarks("{digest-file: artifacts.json}"),
             test::ContainsSubstring("artifacts.json has 'o/r:1-arm64' without a 'Digest'"));
  CHECK_THAT(remarks("'ghcr.io/o/r@sha256:" + b + "', {digest-file: empty.txt}"),
             test::ContainsSubstring("empty.txt is empty"));
  folder.write("half.json", "{");
  const std::string good = "'ghcr.io/o/r@sha256:" + b + "', ";
  for (const char* half :
       {"{metadata: empty.txt}", "{metadata: half.json}", "{digest-file: half.json}"})
    CHECK_THAT(remarks(good + half), test::StartsWith("broken: "));
}

TEST_CASE("A file of digests is read by what is in it", "[publish]") {
  const Folder folder;
  const std::string named = "ghcr.io/acme/app@sha256:";
  const auto read = [&](const std::string& text, const std::string& repository = "") {
    folder.write("digests.txt", text);
    return folder.sources("{digest-file: digests.txt" +
                          (repository.empty() ? "" : ", repository: " + repository) + "}");
  };
  CHECK(read("sha256:" + a + "\n", "ghcr.io/acme/app") == Found{named + a});
  CHECK(read("sha256:" + a, "ghcr.io/acme/app") == Found{named + a});
  CHECK(read("ghcr.io/acme/app:v1@sha256:" + a + "\r\nghcr.io/acme/app@sha256:" + b + "\n") ==
        Found{named + a, named + b});
  CHECK(read(R"({"image":"ghcr.io/acme/app:v1","imageId":"x","imageDigest":"sha256:)" + a +
             "\"}") == Found{named + a});
  CHECK(read(R"([{"name":"app.tar.gz","type":"Archive"},
      {"name":"ghcr.io/acme/app:v1","type":"Docker Image V2","extra":{"Digest":"sha256:)" +
             a + R"("}},{"name":"ghcr.io/acme/app:latest","type":"Docker Image V2","extra":)" +
             R"({"Digest":"sha256:)" + a + "\"}}]") == Found{named + a});
  CHECK(read(R"({"containerimage.digest":"sha256:)" + a +
             R"(","image.name":"ghcr.io/acme/app"})") == Found{named + a});
  CHECK_THAT(read("sha256:" + a).at(0), test::ContainsSubstring("'repository' says where"));
  CHECK_THAT(read("latest\n", "ghcr.io/acme/app").at(0),
             test::ContainsSubstring("was expected on each line, not 'latest'"));
  CHECK_THAT(read("{\"a\": 1}").at(0), test::ContainsSubstring("'imageDigest' of jib"));
}

TEST_CASE("A source that is no input is told with its place", "[publish]") {
  const Folder folder;
  CHECK_THAT(folder.error("{repository: ghcr.io/acme/app}"),
             test::ContainsSubstring("plan.yaml:6:9: a source is REPOSITORY@sha256:…, or has one"));
  CHECK_THAT(folder.error("{digests: a, metadata: b, repository: ghcr.io/acme/app}"),
             test::ContainsSubstring("or has one of"));
  CHECK_THAT(folder.error("{digest: a}"), test::ContainsSubstring("did you mean 'digests'?"));
}

TEST_CASE("Several tags may stand in one text, and latest goes without saying", "[publish]") {
  Folder folder;
  folder.environment = {{"TAGS", "ghcr.io/o/app:1\nghcr.io/o/app:2,ghcr.io/o/app\n"}};
  CHECK(folder.tags("    tags: ['${TAGS}']\n") ==
        Found{"ghcr.io/o/app:1", "ghcr.io/o/app:2", "ghcr.io/o/app:latest"});
}

TEST_CASE("A tag or source that a variable leaves empty is not left out without a word",
          "[publish]") {
  Folder folder;
  folder.environment = {{"NOTHING", ""}, {"BLANKS", " \n,"}};
  const auto tag_error = [&](const std::string& text) {
    return folder.tags("    tags: ['ghcr.io/o/app:1', " + text + "]\n").at(0);
  };
  CHECK_THAT(tag_error("'${NOTHING}'"), test::ContainsSubstring("not an empty text"));
  CHECK_THAT(tag_error("'${BLANKS}'"), test::ContainsSubstring("this tag is empty; is a variable"));
  for (const std::string text : {"'${NOTHING}'", "'${BLANKS}'", "''"}) {
    CAPTURE(text);
    CHECK_THAT(
        folder.error("'ghcr.io/o/r@sha256:" + b + "'\n      - " + text),
        test::ContainsSubstring("this source is empty; is a variable in it set to nothing?"));
  }
}

TEST_CASE("docker/metadata-action says tags, and annotations of the index", "[publish]") {
  Folder folder;
  const std::string json =
      R"({"tags": ["acme/app:1", "ghcr.io/acme/app:1"], "annotations": ["index:a=b", "manifest:c=d"]})";
  folder.write("meta.json", json);
  folder.environment = {{"META", "\n " + json}};
  const Found expected = {"docker.io/acme/app:1", "ghcr.io/acme/app:1"};
  CHECK(folder.tags("    metadata-action: meta.json\n") == expected);
  CHECK(folder.tags("    metadata-action: '${META}'\n") == expected);
  const auto plan = folder.load("    sources: ['ghcr.io/o/app@sha256:" + a +
                                "']\n    metadata-action: meta.json\n");
  CHECK(plan->targets[0].annotations == Annotations{{"a", "b"}});
  CHECK_THAT(folder.tags("    metadata-action: '{}'\n").at(0),
             test::ContainsSubstring("no list of 'tags' in it"));
  CHECK_THAT(folder.tags("    metadata-action: '{\"tags\": [\"acme/app:1\", 2]}'\n").at(0),
             test::ContainsSubstring("no list of 'tags' in it"));
  folder.write("meta.json", R"({"tags": ["acme/app:1"], "annotations": "index:a=b"})");
  CHECK_THAT(folder.tags("    metadata-action: meta.json\n").at(0),
             test::ContainsSubstring("'annotations' in it is not a list of texts"));
}

TEST_CASE("A name with a user and password in it is told whole, so that the password is hidden",
          "[publish]") {
  const Folder folder;
  const std::string name = "user:secret@ghcr.io/o/r";
  const std::string digest = "sha256:" + a;
  folder.write("dg/" + a, "");
  folder.write("lines.txt", name + "@" + digest + "\n");
  folder.write("jib.json", R"({"image": ")" + name + R"(", "imageDigest": ")" + digest + "\"}");
  folder.write("build.json",
               R"({"image.name": ")" + name + R"(", "containerimage.digest": ")" + digest + "\"}");
  for (const std::string& source :
       {"{digests: dg, repository: '" + name + "'}", std::string("{digest-file: lines.txt}"),
        std::string("{digest-file: jib.json}"), std::string("{metadata: build.json}")}) {
    CAPTURE(source);
    const std::string error = folder.error(source);
    CHECK_THAT(error, test::ContainsSubstring("'" + name + "@" + digest + "' is not a valid"));
    CHECK_THAT(error, test::ContainsSubstring("no user or password"));
    CHECK(error.find("secret@sha256") == std::string::npos);
  }
  CHECK_THAT(folder.tags("    tags: ['" + name + ":1']\n").at(0),
             test::ContainsSubstring("no user or password"));
}

TEST_CASE("The digest that metadata has in a name gives way to the one beside it", "[publish]") {
  const Folder folder;
  folder.write("build.json", R"({"image.name": "ghcr.io/o/r:1@sha256:)" + b +
                                 R"(", "containerimage.digest": "sha256:)" + a + "\"}");
  CHECK(folder.sources("{metadata: build.json}") == Found{"ghcr.io/o/r@sha256:" + a});
}

TEST_CASE("What is called like a digest and is no file is told by name", "[publish]") {
  const Folder folder;
  folder.write("digests/" + b, "");
  folder.write("elsewhere", "");
  const std::string source = "{digests: digests, repository: ghcr.io/acme/app}";
  const std::string place = folder.folder / ("digests/" + a);
  SECTION("a folder") {
    std::filesystem::create_directory(place);
  }
  SECTION("a FIFO") {
    REQUIRE(::mkfifo(place.c_str(), 0600) == 0);
  }
  SECTION("a symbolic link to nothing") {
    std::filesystem::create_symlink("nowhere", place);
  }
  CHECK_THAT(folder.error(source),
             test::ContainsSubstring("digests/" + a + ": a folder of digests holds files"));
  std::filesystem::remove(place);
  std::filesystem::create_symlink("../elsewhere", place);
  CHECK(folder.sources(source).size() == 2);
}

TEST_CASE("A plan's text is checked without what it names", "[publish]") {
  const auto errors = [](const std::string& repository, const std::string& more) {
    std::string text;
    for (const Error& error :
         check_text("retry-publish: 1\ntargets:\n  app:\n    sources:\n      - digests: none\n"
                    "        repository: '" +
                    repository + "'\n" + more)) {
      text += to_string(error) + "\n";
    }
    return text;
  };
  const std::string tags = "    tags: ['ghcr.io/o/r:1']\n";
  CHECK(errors("ghcr.io/o/r", tags).empty());
  CHECK(errors("ghcr.io/o/r", "    metadata-action: none.json\n").empty());
  CHECK(errors("ghcr.io/o/r", R"(    metadata-action: '{"tags": ["o/r:1"]}')").empty());
  CHECK_THAT(errors("ghcr.io/o/r", R"(    metadata-action: '{"tags": []}')"),
             test::ContainsSubstring("no list of 'tags' in it"));
  CHECK_THAT(errors("user:secret@ghcr.io/o/r", tags),
             test::ContainsSubstring("(options):6:21: 'user:secret@ghcr.io/o/r' is not a valid"));
  CHECK_THAT(errors("ghcr.io/o/r", tags + "    platforms: ['linux/amd64,linux/arm64']\n"),
             test::ContainsSubstring("is not a valid platform"));
  CHECK_THAT(errors("ghcr.io/o/r", "    tags: ['ghcr.io/o/r:1', 'ghcr.io/o/r:1']\n"),
             test::ContainsSubstring("write the tag ghcr.io/o/r:1"));
  CHECK_THAT(errors("ghcr.io/o/r", "    tags: ['ghcr.io/o/r:tag:1']\n"),
             test::ContainsSubstring("a tag has at most"));
}

TEST_CASE("Of several inputs of metadata the later one's image stands later", "[publish]") {
  const Folder folder;
  const auto built = [&](const std::string& name, char digit) {
    folder.write(name, R"({"containerimage.digest": "sha256:)" + std::string(64, digit) +
                           R"(", "image.name": "ghcr.io/acme/app"})");
  };
  built("a1.json", 'c');
  built("a2.json", 'a');
  built("b.json", 'b');
  for (const char* input : {"metadata", "digest-file"}) {
    CAPTURE(input);
    const auto plan = folder.load("    tags: [ghcr.io/o/app:1]\n    sources: [{" +
                                  std::string(input) + ": 'a*.json'}, {" + input + ": b.json}]\n");
    REQUIRE(plan.has_value());
    std::map<char, std::optional<std::size_t>> places;
    for (const Source& source : plan->targets[0].sources) {
      places[source.reference.digest.back()] = source.place;
    }
    REQUIRE(places.size() == 3);
    CHECK(places['c'] < places['a']);
    CHECK(places['a'] < places['b']);
  }
}

TEST_CASE("Images of goreleaser that differ are all sources, also under one name", "[publish]") {
  const Folder folder;
  const auto image = [](const std::string& hex) {
    return R"({"name": "ghcr.io/acme/app:1", "type": "Docker Image", "extra": {"Digest": "sha256:)" +
           hex + "\"}}";
  };
  const std::string built = R"({"name": "ghcr.io/acme/app:1", "type": "Docker Image"})";
  folder.write("artifacts.json",
               "[" + built + "," + image(b) + "," + image(a) + "," + image(b) + "]");
  CHECK(folder.sources("{digest-file: artifacts.json}") ==
        Found{"ghcr.io/acme/app@sha256:" + a, "ghcr.io/acme/app@sha256:" + b});
}

TEST_CASE("Two asterisks in a pattern stand for folders at any depth", "[publish]") {
  const Folder folder;
  const auto built = [&](const std::string& name, char digit) {
    folder.write(name, R"({"containerimage.digest": "sha256:)" + std::string(64, digit) +
                           R"(", "image.name": "ghcr.io/acme/app"})");
  };
  built("d/m.json", 'a');
  built("d/x/m.json", 'b');
  built("d/x[1]/y/m.json", 'c');
  built("d/.hidden/m.json", 'd');
  built("d/x/y/other.json", 'e');
  const auto digits = [&](const std::string& pattern) {
    std::string found;
    for (const std::string& source : folder.sources("{metadata: '" + pattern + "'}")) {
      found += source.back();
    }
    return found;
  };
  CHECK(digits("**/m.json") == "abc");
  CHECK(digits("d/**/m.json") == "abc");
  CHECK(digits("d/**/**/m.json") == "abc");
  CHECK(digits(folder.folder / "d/**/y/*.json") == "ce");
  CHECK(digits("d/x/**") == "be");
  CHECK(digits("d/*/m.json") == "b");
  CHECK_THAT(folder.error("{metadata: 'none/**/m.json'}"),
             test::ContainsSubstring("no file matches"));
}
