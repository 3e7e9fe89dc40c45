#include "publish/plan/plan_file.hpp"

#include "policy/policy_yaml.hpp"
#include "publish/plan/registries.hpp"

#include <algorithm>
#include <tuple>

namespace retry_exec::publish::plan {

namespace {

using Text = TargetDraft::Text;

constexpr const char* after_is =
    "'after' is a list of commands, each a list of words, such as [[cosign, sign, --yes, "
    "'{repository}@{digest}']]";

class PlanReader {
 public:
  PlanReader(Errors& errors) : errors_(errors) {}

  PlanFile read(const config::Node& root) {
    config::Mapping top(root, errors_, "the plan");
    read_version(top);
    PlanFile file;
    file.plan.file = root.where.file;
    file.rules = texts(top, "rules");
    read_tools(top, file.plan);
    file.metadata = texts(top, "metadata");
    file.bake = texts(top, "bake");
    file.bake_targets = texts(top, "bake-targets");
    file.allow_incomplete = allow_incomplete(top);
    file.only_newer = top.boolean("only-newer");
    file.after = read_after(top);
    file.staging = text(top, "staging");
    if (const config::Node* policy = top.node("policy")) {
      file.plan.policy = read_policy(*policy, errors_, "'policy'");
    }
    read_phases(top, file.plan);
    read_registries(top, file.plan);
    if (const auto scratch = top.text("scratch")) {
      file.plan.scratch = beside(file.plan.file, *scratch);
    }
    for_each(top, "targets", "a target's name",
             [&](const config::Node& name, const config::Node& value) {
               file.targets.push_back(read_target(name, value));
             });
    top.finish();
    return file;
  }

 private:
  void read_version(config::Mapping& top) {
    const config::Node* version = top.required("retry-publish");
    if (version == nullptr || (version->text == "1" && !version->quoted())) return;
    top.error(version->where,
              "'retry-publish' is the version of the format: 1, the only one there is");
  }

  static std::optional<Text> text(config::Mapping& fields, std::string_view key) {
    const config::Node* node = fields.text_node(key);
    if (node == nullptr) return std::nullopt;
    return Text{node->text, node->where};
  }

  static std::vector<Text> texts(config::Mapping& fields, std::string_view key) {
    std::vector<Text> list;
    for (const config::Node* node : fields.texts(key)) list.push_back({node->text, node->where});
    return list;
  }

  static std::optional<bool> allow_incomplete(config::Mapping& fields) {
    constexpr std::array<std::string_view, 2> words = {"fail", "allow"};
    const auto word = fields.one_of("incomplete", words);
    return word ? std::optional(*word == "allow") : std::nullopt;
  }

  // Commands, each a list of words: nothing goes through a shell.
  static std::optional<std::vector<PlanCommand>> read_after(config::Mapping& fields) {
    const config::Node* node = fields.node("after");
    if (node == nullptr) return std::nullopt;
    std::vector<PlanCommand> commands;
    const auto is_word = [](const config::Node& word) {
      return word.kind == config::Node::Kind::scalar;
    };
    const auto is_command = [&](const config::Node& item) {
      return item.kind == config::Node::Kind::sequence && !item.items.empty() &&
             std::all_of(item.items.begin(), item.items.end(), is_word) &&
             !item.items.front().text.empty();
    };
    if (node->kind != config::Node::Kind::sequence) {
      fields.error(node->where, after_is);
      return std::nullopt;
    }
    for (const config::Node& item : node->items) {
      if (!is_command(item)) {
        fields.error(item.where, after_is);
        continue;
      }
      PlanCommand& command = commands.emplace_back();
      for (const config::Node& word : item.items) command.push_back({word.text, word.where});
    }
    return commands;
  }

  template <class Visit>
  void for_each(config::Mapping& fields, std::string_view key, const std::string& names,
                Visit visit) {
    const config::Node* node = fields.node(key);
    if (node == nullptr || node->kind == config::Node::Kind::null) return;
    if (node->kind != config::Node::Kind::mapping) {
      fields.error(node->where, "'" + std::string(key) + "' is a mapping, by " + names);
      return;
    }
    for (const auto& [name, value] : node->entries) visit(name, value);
  }

  // A word without a slash is searched in PATH; a path is the plan's.
  static std::string program(config::Mapping& fields, std::string_view key,
                             const std::string& plan_file) {
    const std::string word = fields.text(key).value_or("");
    return word.find('/') == std::string::npos ? word : beside(plan_file, word);
  }

  void read_tools(config::Mapping& top, Plan& plan) {
    const config::Node* node = top.node("tools");
    plan.oras.clear();
    plan.soci.clear();
    if (node == nullptr) return;
    config::Mapping fields(*node, errors_, "'tools'");
    plan.oras = program(fields, "oras", plan.file);
    plan.soci = program(fields, "soci", plan.file);
    fields.finish();
  }

  void read_phases(config::Mapping& top, Plan& plan) {
    const config::Node* node = top.node("phases");
    if (node == nullptr) return;
    config::Mapping fields(*node, errors_, "'phases'");
    for (const PhaseDefaults& known : phases) {
      if (const config::Node* policy = fields.node(known.name)) {
        plan.phases[known.phase] =
            read_policy(*policy, errors_, "phase '" + std::string(known.name) + "'");
      }
    }
    fields.finish();
  }

  void read_registries(config::Mapping& top, Plan& plan) {
    std::vector<const config::Node*> hosts;
    const auto read = [&](const config::Node& host, const config::Node& value) {
      if (!oci::parse_reference(host.text + "/any")) {
        errors_.push_back({host.where, "'" + host.text +
                                           "' is not a valid registry host; one is 'ghcr.io' or "
                                           "'localhost:5000'"});
      }
      config::Mapping fields(value, errors_, "registry '" + host.text + "'");
      RegistryOptions options;
      options.plain_http = fields.boolean("plain-http");
      options.insecure = fields.boolean("insecure").value_or(false);
      if (const auto path = text(fields, "ca-file")) {
        options.ca_file = beside(plan.file, path->text);
        options.ca_file_is_at = path->where;
      }
      if (const auto path = text(fields, "registry-config")) {
        options.registry_config = beside(plan.file, path->text);
        options.registry_config_is_at = path->where;
      }
      fields.finish();
      plan.registries[oci::registry_of(host.text)] = options;
      hosts.push_back(&host);
    };
    for_each(top, "registries", "a registry's host", read);
    check_spellings(plan, hosts);
  }

  // Which of two would be meant?
  void check_spellings(Plan& plan, const std::vector<const config::Node*>& hosts) {
    Registries registries(plan.registries);
    for (const config::Node* host : hosts) {
      const std::string spelling = registries.spelling_of(oci::registry_of(host->text));
      const RegistryOptions& one = plan.registries[oci::registry_of(host->text)];
      const RegistryOptions& other = plan.registries[spelling];
      if (std::tie(one.insecure, one.ca_file, one.registry_config) ==
          std::tie(other.insecure, other.ca_file, other.registry_config)) {
        continue;
      }
      errors_.push_back({host->where, "'" + host->text + "' is the registry '" + spelling +
                                          "', which has other options here"});
    }
  }

  TargetDraft read_target(const config::Node& name, const config::Node& value) {
    TargetDraft draft;
    draft.name = name.text;
    draft.where = name.where;
    if (value.kind == config::Node::Kind::null) return draft;  // all is found elsewhere
    config::Mapping fields(value, errors_, "target '" + name.text + "'");
    if (const config::Node* sources = fields.node("sources")) read_sources(*sources, draft);
    draft.metadata_action = text(fields, "metadata-action");
    draft.staging = text(fields, "staging");
    draft.tags = texts(fields, "tags");
    draft.flatten = fields.boolean("flatten");
    draft.platforms = texts(fields, "platforms");
    draft.allow_incomplete = allow_incomplete(fields);
    draft.only_newer = fields.boolean("only-newer");
    draft.after = read_after(fields);
    const auto annotate = [&](const config::Node& key, const config::Node& annotation) {
      read_annotation(key, annotation, draft);
    };
    for_each(fields, "annotations", "an annotation's name", annotate);
    if (const config::Node* soci = fields.node("soci")) draft.soci = read_soci(*soci, name.text);
    fields.finish();
    return draft;
  }

  // References, and inputs in which they are found.
  void read_sources(const config::Node& node, TargetDraft& draft) {
    const bool list = node.kind == config::Node::Kind::sequence;
    for (const config::Node& item : list ? node.items : std::vector{node}) {
      if (item.kind == config::Node::Kind::scalar) {
        const std::vector<std::string> words = words_of(item.text);
        if (words.empty()) draft.sources.push_back({item.text, item.where});  // told as wrong later
        for (const std::string& word : words) draft.sources.push_back({word, item.where});
        continue;
      }
      config::Mapping fields(item, errors_, "a source");
      const auto input = read_input(item, fields);
      fields.finish();
      if (input) draft.inputs.push_back(*input);
    }
  }

  std::optional<SourceInput> read_input(const config::Node& item, config::Mapping& fields) {
    using Kind = SourceInput::Kind;
    std::optional<SourceInput> input;
    unsigned said = 0;
    for (const auto& [key, kind] :
         {std::pair("digests", Kind::digests), std::pair("metadata", Kind::metadata),
          std::pair("digest-file", Kind::digest_file)}) {
      const auto value = text(fields, key);
      if (value) input = SourceInput{.kind = kind, .value = *value, .repository = {}};
      said += value ? 1 : 0;
    }
    const auto repository = text(fields, "repository");
    if (said != 1) {
      if (item.kind == config::Node::Kind::mapping) {
        fields.error(item.where,
                     "a source is REPOSITORY@sha256:…, or has one of 'digests', 'metadata' and "
                     "'digest-file'");
      }
      return std::nullopt;
    }
    input->repository = repository;
    if (repository && !oci::parse_reference(repository->text)) {
      fields.error(repository->where, oci::parse_reference(repository->text).error().what);
    }
    if (!repository && input->kind == Kind::digests) {
      fields.error(item.where, "a folder of digests needs the 'repository' that they are in");
    }
    return input;
  }

  void read_annotation(const config::Node& key, const config::Node& value, TargetDraft& draft) {
    if (value.kind != config::Node::Kind::scalar) {
      errors_.push_back({value.where, "annotation '" + key.text + "' takes a text"});
    } else if (key.text.find('=') != std::string::npos) {
      errors_.push_back({key.where, "an annotation's name cannot contain '=': '" + key.text + "'"});
    } else {
      draft.annotations[key.text] = value.text;
    }
  }

  SociOptions read_soci(const config::Node& node, const std::string& target) {
    constexpr std::array<std::string_view, 2> on_empty = {"skip", "fail"};
    constexpr long long most = 1LL << 40;
    SociOptions soci;
    config::Mapping fields(node, errors_, "'soci' of target '" + target + "'");
    soci.enabled = fields.boolean("enabled").value_or(true);
    for (const config::Node* platform : fields.texts("platforms")) {
      if (platform->text.find('/') == std::string::npos) {
        fields.error(platform->where,
                     "'" + platform->text + "' is not a valid platform; one is 'linux/amd64'");
      }
      soci.platforms.push_back(platform->text);
    }
    soci.span_size = bounded(fields, "span-size", most);
    soci.min_layer_size = bounded(fields, "min-layer-size", most);
    soci.prefetch_files = fields.strings("prefetch-files");
    soci.optimizations = fields.strings("optimizations");
    soci.fail_on_empty = fields.one_of("on-empty", on_empty) == "fail";
    fields.finish();
    return soci;
  }

  static std::optional<std::uint64_t> bounded(config::Mapping& fields, std::string_view key,
                                              long long most) {
    const auto size = fields.size(key);
    if (size && *size > static_cast<std::uint64_t>(most)) {
      fields.error(fields.node(key)->where, "'" + std::string(key) + "' is more than 1 TiB");
    }
    return size;
  }

  Errors& errors_;
};

}  // namespace

PlanFile read_plan_file(const config::Node& root, Errors& errors) {
  return PlanReader(errors).read(root);
}

}  // namespace retry_exec::publish::plan
