#include "publish_scene.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

namespace test {

namespace json = boost::json;

namespace {

constexpr std::string_view final_tag = "1.0";

std::string text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

json::object manifest_at(const std::string& address, const std::string& repository,
                         const std::string& reference) {
  const HttpAnswer answer =
      http(address, "GET", "/v2/" + repository + "/manifests/" + reference, {},
           {{"Accept", std::string(manifest_type)}, {"Accept", std::string(index_type)}});
  if (answer.status != 200) return {};
  return json::parse(answer.body).as_object();
}

std::vector<std::string> layers_of(const json::object& manifest) {
  std::vector<std::string> layers;
  for (const json::value& layer : manifest.at("layers").as_array()) {
    layers.push_back(text(layer.as_object(), "digest"));
  }
  return layers;
}

// The image of an index for this architecture; SOCI's own entries are for one too.
const json::object* image_for(const json::array& manifests, const std::string& architecture) {
  for (const json::value& entry : manifests) {
    const json::object& manifest = entry.as_object();
    if (manifest.contains("artifactType")) continue;
    if (text(manifest.at("platform").as_object(), "architecture") == architecture) {
      return &manifest;
    }
  }
  return nullptr;
}

// SOCI rewrites an image's manifest: its layers tell that it is the same image.
void check_converted(const std::string& address, const std::string& repository,
                     const json::object& entry, const Image& image) {
  const json::object manifest = manifest_at(address, repository, text(entry, "digest"));
  REQUIRE(manifest.contains("layers"));
  std::vector<std::string> expected;
  for (const Blob& layer : image.layers) expected.push_back(layer.digest);
  CHECK(layers_of(manifest) == expected);
  REQUIRE(manifest.contains("annotations"));
  CHECK(manifest.at("annotations").as_object().contains("com.amazon.soci.index-digest"));
}

void check_index(const std::string& address, const std::string& repository,
                 const PublishTarget& target) {
  const json::object index = manifest_at(address, repository, std::string(final_tag));
  REQUIRE(index.contains("manifests"));
  const json::array& manifests = index.at("manifests").as_array();
  CHECK(manifests.size() == target.images.size() * (target.soci ? 2 : 1));
  for (const Image& image : target.images) {
    CAPTURE(image.architecture);
    const json::object* entry = image_for(manifests, image.architecture);
    REQUIRE(entry != nullptr);
    if (target.soci) {
      check_converted(address, repository, *entry, image);
    } else {
      CHECK(text(*entry, "digest") == image.digest);
    }
  }
}

}  // namespace

PublishTarget make_target(const std::string& name, std::uint64_t seed, bool soci) {
  constexpr std::size_t below = 2'000;
  constexpr std::size_t above = 1'300'000;
  PublishTarget target{name, {}, soci};
  for (const char* architecture : {"amd64", "arm64"}) {
    std::vector<std::size_t> layers = {below};
    if (soci) layers.push_back(above);
    target.images.push_back(make_image({architecture, layers, seed * 100 + target.images.size()}));
  }
  return target;
}

std::vector<std::string> soci_commands() {
  std::vector<std::string> commands = {required("SOCI_OF_TESTS")};
  const char* real = std::getenv("SOCI");
  if (real != nullptr && *real != '\0') commands.emplace_back(real);
  return commands;
}

void three_targets(PublishScene& scene, std::uint64_t seed) {
  scene.targets = {make_target("alpha", seed * 10), make_target("beta", seed * 10 + 1, true),
                   make_target("gamma", seed * 10 + 2)};
}

std::string PublishScene::staging_of(const PublishTarget& target) const {
  return "build/" + target.name + "/tmp";
}

std::vector<std::string> PublishScene::tags_of(const PublishTarget& target) const {
  const std::string name = '/' + repository_of(target) + ':' + std::string(final_tag);
  return {first.address() + name, second.address() + name};
}

void PublishScene::push_sources() const {
  for (const PublishTarget& target : targets) {
    for (const Image& image : target.images) {
      push_blobs(first.address(), staging_of(target), image);
      push_manifest(first.address(), staging_of(target), image.manifest, manifest_type,
                    image.digest);
    }
  }
}

void PublishScene::policies(std::ostream& plan) const {
  plan << "policy: {attempts: 20, delay: 200ms, factor: 1.5, max-delay: 2s}\n"
       << "phases:\n"
       << "  preflight: {timeout: " << timeout << ", deadline: " << preflight_deadline
       << preflight_pace << "}\n"
       << "  verify: {timeout: " << timeout << ", delay: 100ms, factor: 1.1}\n";
  for (const char* phase : {"index", "soci", "copy"}) {
    plan << "  " << phase << ": {timeout: " << timeout << ", stall-timeout: " << stall_timeout
         << "}\n";
  }
}

std::string PublishScene::plan_head() const {
  std::ostringstream plan;
  plan << "retry-publish: 1\n"
       << "rules: [ghcr]\n"
       << "tools: {oras: '" << oras << "', soci: '" << soci << "'}\n"
       << "scratch: " << scratch() << '\n';
  if (!default_policies) policies(plan);
  plan << "registries:\n";
  for (const FlakyRegistry* registry : {&first, &second}) {
    plan << "  '" << registry->address() << "': {plain-http: true}\n";
  }
  return plan.str();
}

std::string PublishScene::plan_text() const {
  std::ostringstream plan;
  plan << plan_head() << "targets:\n";
  for (const PublishTarget& target : targets) {
    const std::string staging = first.address() + '/' + staging_of(target);
    plan << "  " << target.name << ":\n    sources:\n";
    for (const Image& image : target.images)
      plan << "      - " << staging << '@' << image.digest << '\n';
    plan << "    staging: " << staging << '\n';
    if (target.soci) {
      plan << "    soci: {enabled: true, span-size: 256KiB, min-layer-size: " << minimum_layer_size
           << "}\n";
    }
    if (!target.extra.empty()) plan << "    " << target.extra << '\n';
    plan << "    tags:\n";
    for (const std::string& tag : tags_of(target)) plan << "      - " << tag << '\n';
  }
  return plan.str();
}

Program PublishScene::program(std::vector<std::string> options) const {
  return program_of(plan_text(), std::move(options));
}

Program PublishScene::program_of(const std::string& plan, std::vector<std::string> options) const {
  std::filesystem::create_directories(scratch());
  Program program;
  program.argv = {required("RETRY_PUBLISH"), folder.write("publish.yaml", plan)};
  program.argv.insert(program.argv.end(), options.begin(), options.end());
  program.environment = {{"HOME", folder.path()},
                         {"DOCKER_CONFIG", folder / "docker"},
                         {"ORAS_CACHE", std::nullopt},
                         {"SOURCE_DATE_EPOCH", "1700000000"},
                         {"TMPDIR", folder / "tmpdir-of-the-user"}};
  program.folder = folder.path();
  program.time_limit = 120s;
  return program;
}

Ended PublishScene::publish(std::vector<std::string> options) const {
  return run(program(std::move(options)));
}

void PublishScene::both(std::string_view faults) {
  first.change_plan(faults);
  second.change_plan(faults);
}

std::vector<std::string> PublishScene::left_in_scratch() const {
  std::vector<std::string> left;
  if (!std::filesystem::exists(scratch())) return left;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch())) {
    left.push_back(entry.path());
  }
  return left;
}

std::vector<std::string> PublishScene::digests_of(const PublishTarget& target) const {
  std::vector<std::string> digests;
  for (const Registry* registry : {&first_registry, &second_registry}) {
    digests.push_back(
        digest_at(registry->address(), repository_of(target), std::string(final_tag)));
  }
  return digests;
}

PublishScene::Moment PublishScene::moment() const {
  return {first.journal().size(), second.journal().size()};
}

std::vector<JournalEntry> PublishScene::entries_since(const Moment& moment) const {
  std::vector<JournalEntry> entries = first.journal();
  entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(moment.first));
  const std::vector<JournalEntry> others = second.journal();
  entries.insert(entries.end(), others.begin() + static_cast<std::ptrdiff_t>(moment.second),
                 others.end());
  return entries;
}

bool is_write(const JournalEntry& entry) {
  return entry.method == "PUT" || entry.method == "POST" || entry.method == "PATCH" ||
         entry.method == "DELETE";
}

bool is_stored_manifest(const JournalEntry& entry) {
  return entry.method == "PUT" && entry.path.find("/manifests/") != std::string::npos &&
         entry.status == 201;
}

void check_published(const PublishScene& scene, const PublishScene::Moment& moment) {
  std::map<std::string, std::string> digest_of_repository;
  for (const PublishTarget& target : scene.targets) {
    CAPTURE(target.name);
    const std::vector<std::string> digests = scene.digests_of(target);
    REQUIRE_FALSE(digests.front().empty());
    CHECK(std::set<std::string>(digests.begin(), digests.end()).size() == 1);
    digest_of_repository[scene.repository_of(target)] = digests.front();
    for (const Registry* registry : {&scene.first_registry, &scene.second_registry}) {
      check_index(registry->address(), scene.repository_of(target), target);
    }
  }
  for (const JournalEntry& entry : scene.entries_since(moment)) {
    if (!is_stored_manifest(entry) || entry.tag.empty()) continue;
    const auto found = digest_of_repository.find(entry.repository);
    if (found == digest_of_repository.end()) continue;
    CAPTURE(entry.path);
    CHECK(entry.digest == found->second);
  }
  CHECK(scene.left_in_scratch() == std::vector<std::string>{});
}

}  // namespace test
