#include "publish/run/argv.hpp"

namespace retry_exec::publish {

namespace {

// `side` is "", "from-" or "to-": cp knows no options without one of them.
void add_registry_options(Arguments& argv, const plan::Plan& plan, const std::string& host,
                          const std::string& side) {
  const auto found = plan.registries.find(host);
  if (found == plan.registries.end()) return;
  const plan::RegistryOptions& registry = found->second;
  if (registry.plain_http) {
    argv.push_back("--" + side + "plain-http" + (*registry.plain_http ? "" : "=false"));
  }
  if (registry.insecure) argv.push_back("--" + side + "insecure");
  if (!registry.ca_file.empty()) {
    argv.insert(argv.end(), {"--" + side + "ca-file", registry.ca_file});
  }
  if (!registry.registry_config.empty()) {
    argv.insert(argv.end(), {"--" + side + "registry-config", registry.registry_config});
  }
}

Arguments manifest_read(const plan::Plan& plan, Arguments words, const oci::Reference& reference) {
  Arguments argv = {plan.oras, "manifest"};
  argv.insert(argv.end(), words.begin(), words.end());
  add_registry_options(argv, plan, reference.host, "");
  argv.push_back(to_string(reference));
  return argv;
}

void add_each(Arguments& argv, const std::string& option, const std::vector<std::string>& values) {
  for (const std::string& value : values) argv.insert(argv.end(), {option, value});
}

}  // namespace

Arguments probe_command(const plan::Plan& plan, const oci::Reference& reference) {
  return manifest_read(plan, {"fetch", "--descriptor"}, reference);
}

Arguments blob_command(const plan::Plan& plan, const oci::Reference& blob) {
  Arguments argv = {plan.oras, "blob", "fetch", "--descriptor"};
  add_registry_options(argv, plan, blob.host, "");
  argv.push_back(to_string(blob));
  return argv;
}

Arguments config_command(const plan::Plan& plan, const oci::Reference& image) {
  return manifest_read(plan, {"fetch-config"}, image);
}

Arguments manifest_command(const plan::Plan& plan, const oci::Reference& reference) {
  return manifest_read(plan, {"fetch"}, reference);
}

Arguments describe_command(const plan::Plan& plan, const oci::Reference& repository,
                           const std::vector<std::string>& names) {
  Arguments argv = {plan.oras, "manifest", "index", "create", "--output", "-"};
  add_registry_options(argv, plan, repository.host, "");
  argv.push_back(repository.name());
  argv.insert(argv.end(), names.begin(), names.end());
  return argv;
}

Arguments put_command(const plan::Plan& plan, const oci::Reference& place,
                      const std::vector<std::string>& more_tags, std::string_view media_type,
                      const std::string& file) {
  Arguments argv = {plan.oras, "manifest", "push", "--media-type", std::string(media_type)};
  argv.insert(argv.end(), {"--descriptor", "--concurrency", "1"});
  add_registry_options(argv, plan, place.host, "");
  std::string places = to_string(place);
  for (const std::string& tag : more_tags) places += "," + tag;
  argv.insert(argv.end(), {places, file});
  return argv;
}

Arguments copy_command(const plan::Plan& plan, const oci::Reference& source,
                       const oci::Reference& place) {
  Arguments argv = {plan.oras, "cp", "--no-tty"};
  add_registry_options(argv, plan, source.host, "from-");
  add_registry_options(argv, plan, place.host, "to-");
  argv.insert(argv.end(), {to_string(source), to_string(place)});
  return argv;
}

std::string putting(const std::string& digest) {
  constexpr std::size_t algorithm = 7;  // "sha256:"
  constexpr std::size_t digits = 12;
  return "Copying " + digest.substr(algorithm, digits);
}

bool begins_to_put(std::string_view printed, const std::string& digest) {
  return printed.find(putting(digest)) != std::string_view::npos;
}

Arguments pull_command(const plan::Plan& plan, const oci::Reference& source,
                       const std::string& layout) {
  Arguments argv = {plan.oras, "cp", "--no-tty"};
  add_registry_options(argv, plan, source.host, "from-");
  argv.insert(argv.end(), {"--to-oci-layout", to_string(source), layout + ":image"});
  return argv;
}

Arguments convert_command(const plan::Plan& plan, const plan::SociOptions& soci,
                          const std::string& layout, const std::string& output) {
  Arguments argv = {plan.soci, "convert", "--standalone", "--format", "oci-dir"};
  if (soci.platforms.empty()) argv.emplace_back("--all-platforms");
  add_each(argv, "--platform", soci.platforms);
  if (soci.span_size) argv.insert(argv.end(), {"--span-size", std::to_string(*soci.span_size)});
  if (soci.min_layer_size) {
    argv.insert(argv.end(), {"--min-layer-size", std::to_string(*soci.min_layer_size)});
  }
  add_each(argv, "--prefetch-file", soci.prefetch_files);
  add_each(argv, "--optimizations", soci.optimizations);
  argv.insert(argv.end(), {layout, output});
  return argv;
}

Arguments push_command(const plan::Plan& plan, const std::string& layout, const std::string& digest,
                       const oci::Reference& staging) {
  Arguments argv = {plan.oras, "cp", "--no-tty"};
  add_registry_options(argv, plan, staging.host, "to-");
  argv.insert(argv.end(), {"--from-oci-layout", layout + "@" + digest, to_string(staging)});
  return argv;
}

namespace {

constexpr const char* after_record_type = "application/vnd.retry-publish.done.v1";

}  // namespace

Arguments discover_command(const plan::Plan& plan, const oci::Reference& manifest) {
  Arguments argv = {plan.oras,         "discover",        "--format", "json",
                    "--artifact-type", after_record_type, "--depth",  "1"};
  add_registry_options(argv, plan, manifest.host, "");
  argv.push_back(to_string(manifest));
  return argv;
}

Arguments record_command(const plan::Plan& plan, const oci::Reference& manifest,
                         const std::string& done) {
  Arguments argv = {plan.oras,
                    "attach",
                    "--no-tty",
                    "--artifact-type",
                    after_record_type,
                    "--annotation",
                    std::string(after_record_key) + "=" + done};
  add_registry_options(argv, plan, manifest.host, "");
  argv.push_back(to_string(manifest));
  return argv;
}

oci::Reference by_digest(const oci::Reference& repository, const std::string& digest) {
  return {repository.host, repository.repository, {}, digest};
}

oci::Reference by_tag(const oci::Reference& repository, const std::string& tag) {
  return {repository.host, repository.repository, tag, {}};
}

}  // namespace retry_exec::publish
