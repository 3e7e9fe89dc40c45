#include "rules/rule_file.hpp"

#include "policy/policy_yaml.hpp"
#include "rules/matching/pattern.hpp"

#include <algorithm>
#include <array>

namespace retry_exec::rules {

namespace {

constexpr std::array<std::string_view, 3> stream_words = {"stdout", "stderr", "both"};
constexpr std::array<std::string_view, 3> outcome_words = {"exited", "signalled", "timed-out"};

// Lower-case letters, digits, '-', '_' and '.': what reads well in a log and in a file name.
bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), fits);
}

constexpr std::string_view name_form = "lower-case letters, digits, '-', '_' and '.', at most 64";

class FileReader {
 public:
  FileReader(const std::string& file, Patterns patterns, Errors& errors)
      : file_(file), patterns_(patterns), errors_(errors) {}

  RuleFile read(const config::Node& root);

 private:
  void read_version(config::Mapping& top);
  std::string read_name(config::Mapping& top);
  Serves read_serves(config::Mapping& top);
  std::vector<ClassDraft> read_classes(config::Mapping& top);
  std::vector<EvidenceSource> read_evidence(config::Mapping& top);
  std::vector<DetailPattern> read_details(config::Mapping& top);
  std::vector<RuleDraft> read_rules(config::Mapping& top);
  RuleDraft read_rule(const config::Node& node);
  void read_conditions(config::Mapping& fields, Rule& rule);
  void read_examples(config::Mapping& fields, Rule& rule);
  std::vector<Example> read_example_list(config::Mapping& fields, std::string_view key);
  std::optional<Stream> read_stream(config::Mapping& fields);

  PatternSource pattern(const config::Node& node);
  std::optional<PatternSource> pattern(config::Mapping& fields, std::string_view key);
  void error(const Position& where, std::string what) {
    errors_.push_back({where, std::move(what)});
  }
  std::vector<config::Node> const* list(config::Mapping& top, std::string_view key);
  const config::Node* mapping(config::Mapping& top, std::string_view key);

  const std::string& file_;
  Patterns patterns_;
  Errors& errors_;
};

PatternSource FileReader::pattern(const config::Node& node) {
  if (patterns_ == Patterns::trust) return {node.text, node.where};
  const Result<Pattern, text::Pcre2Error> compiled = Pattern::compile(node.text);
  if (!compiled) {
    error(node.position_of(compiled.error().offset),
          "the pattern does not compile: " + compiled.error().what + " (at its offset " +
              std::to_string(compiled.error().offset) + ")");
  } else if (compiled->may_match_empty()) {
    error(node.where, "the pattern can match the empty text, and so matches everything");
  }
  return {node.text, node.where};
}

std::optional<PatternSource> FileReader::pattern(config::Mapping& fields, std::string_view key) {
  const config::Node* node = fields.text_node(key);
  if (node == nullptr) return std::nullopt;
  return pattern(*node);
}

std::vector<config::Node> const* FileReader::list(config::Mapping& top, std::string_view key) {
  const config::Node* node = top.node(key);
  if (node == nullptr) return nullptr;
  if (node->kind == config::Node::Kind::sequence) return &node->items;
  error(node->where, "'" + std::string(key) + "' takes a list ('- …' lines)");
  return nullptr;
}

const config::Node* FileReader::mapping(config::Mapping& top, std::string_view key) {
  const config::Node* node = top.node(key);
  if (node == nullptr || node->kind == config::Node::Kind::mapping) return node;
  error(node->where, "'" + std::string(key) + "' takes a mapping (key: value)");
  return nullptr;
}

void FileReader::read_version(config::Mapping& top) {
  const config::Node* version = top.required("retry-rules");
  if (version == nullptr || (version->text == "1" && !version->quoted())) return;
  error(version->where, "'retry-rules' is the version of the format: 1, the only one there is");
}

std::string FileReader::read_name(config::Mapping& top) {
  if (const config::Node* name = top.text_node("name")) {
    if (!is_name(name->text)) {
      error(name->where,
            "'" + name->text + "' is not a valid name; a name has " + std::string(name_form));
    }
    return name->text;
  }
  std::string_view stem = file_;
  stem.remove_prefix(stem.rfind('/') == std::string_view::npos ? 0 : stem.rfind('/') + 1);
  return std::string(stem.substr(0, stem.find('.')));
}

Serves FileReader::read_serves(config::Mapping& top) {
  Serves serves;
  if (const config::Node* node = mapping(top, "for")) {
    config::Mapping fields(*node, errors_, "'for'");
    serves.commands = fields.strings("commands");
    serves.hosts = fields.strings("hosts");
    fields.finish();
  }
  return serves;
}

std::vector<ClassDraft> FileReader::read_classes(config::Mapping& top) {
  std::vector<ClassDraft> classes;
  const config::Node* node = mapping(top, "classes");
  if (node == nullptr) return classes;
  for (const auto& [name, value] : node->entries) {
    if (!is_name(name.text) || name.text == "unmatched") {
      error(name.where, "'" + name.text + "' cannot be a class; a class has a name of " +
                            std::string(name_form) + ", and 'unmatched' is taken");
    }
    config::Mapping fields(value, errors_, "class '" + name.text + "'");
    ClassDraft draft{.name = name.text, .retry = fields.boolean("retry"), .policy = {}};
    draft.policy = read_policy_fields(fields);
    fields.finish();
    classes.push_back(std::move(draft));
  }
  return classes;
}

std::optional<Stream> FileReader::read_stream(config::Mapping& fields) {
  const std::optional<std::string> word = fields.one_of("stream", stream_words);
  if (!word) return std::nullopt;
  if (*word == "both") return Stream::both;
  return *word == "stdout" ? Stream::standard_output : Stream::standard_error;
}

std::vector<EvidenceSource> FileReader::read_evidence(config::Mapping& top) {
  std::vector<EvidenceSource> sources;
  const auto* items = list(top, "evidence");
  if (items == nullptr) return sources;
  for (const config::Node& item : *items) {
    config::Mapping fields(item, errors_, "an evidence source");
    EvidenceSource source;
    source.commands = fields.strings("commands");
    source.stream = read_stream(fields);
    source.focus = pattern(fields, "focus");
    for (const config::Node* mask : fields.texts("mask")) source.mask.push_back(pattern(*mask));
    fields.finish();
    sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<DetailPattern> FileReader::read_details(config::Mapping& top) {
  std::vector<DetailPattern> details;
  const config::Node* node = mapping(top, "details");
  if (node == nullptr) return details;
  for (const auto& [name, value] : node->entries) {
    if (!is_name(name.text)) {
      error(name.where,
            "'" + name.text + "' is not a valid name; a name has " + std::string(name_form));
    }
    if (value.kind != config::Node::Kind::scalar || value.text.empty()) {
      error(value.where, "detail '" + name.text + "' takes a pattern");
    } else {
      details.push_back({name.text, pattern(value)});
    }
  }
  return details;
}

std::vector<Example> FileReader::read_example_list(config::Mapping& fields, std::string_view key) {
  std::vector<Example> examples;
  for (const config::Node* text : fields.texts(key)) examples.push_back({text->text, text->where});
  return examples;
}

void FileReader::read_examples(config::Mapping& fields, Rule& rule) {
  const config::Node* node = mapping(fields, "examples");
  if (node == nullptr) return;
  config::Mapping examples(*node, errors_, "'examples'");
  rule.examples_match = read_example_list(examples, "match");
  rule.examples_no_match = read_example_list(examples, "no-match");
  examples.finish();
}

void FileReader::read_conditions(config::Mapping& fields, Rule& rule) {
  rule.match = pattern(fields, "match");
  rule.unless = pattern(fields, "unless");
  rule.unless_near = pattern(fields, "unless-near");
  rule.stream = read_stream(fields);
  for (const config::Node* codes : fields.texts("exit-codes")) {
    const Result<CodeSet> set = parse_code_set(codes->text);
    if (!set || !set->signals.empty() || set->timeouts) {
      error(codes->where,
            "'exit-codes' takes numbers and ranges from 0 to 255 such as 75 or 64-78, not '" +
                codes->text + "'");
    } else {
      rule.codes.codes.insert(rule.codes.codes.end(), set->codes.begin(), set->codes.end());
    }
  }
  for (const config::Node* name : fields.texts("signals")) {
    if (const std::optional<int> signal = parse_signal(name->text)) {
      rule.codes.signals.push_back(*signal);
    } else {
      error(name->where, "'" + name->text + "' is not a signal; write a name such as KILL");
    }
  }
  if (const auto outcome = fields.one_of("outcome", outcome_words)) {
    rule.outcome = *outcome == "exited"      ? OutcomeKind::exited
                   : *outcome == "signalled" ? OutcomeKind::signalled
                                             : OutcomeKind::timed_out;
  }
  rule.commands = fields.strings("commands");
  rule.last = fields.boolean("last").value_or(false);
}

RuleDraft FileReader::read_rule(const config::Node& node) {
  RuleDraft draft;
  config::Mapping fields(node, errors_, "a rule");
  for (const auto& [key, value] : node.entries) draft.named.push_back(key.text);
  Rule& rule = draft.rule;
  rule.where = node.where;
  fields.required("id");
  if (const config::Node* id = fields.text_node("id")) {
    rule.id = id->text;
    rule.where = id->where;
    const std::size_t slash = rule.id.find('/');
    const std::string_view last =
        std::string_view(rule.id).substr(slash == std::string::npos ? 0 : slash + 1);
    if (!is_name(last) || slash == 0) {
      error(id->where, "'" + rule.id + "' is not a valid id; an id has " + std::string(name_form));
    }
  }
  if (const config::Node* class_name = fields.text_node("class")) {
    rule.class_name = class_name->text;
    draft.class_where = class_name->where;
  }
  read_conditions(fields, rule);
  if (const config::Node* policy = fields.node("policy")) {
    rule.policy = read_policy(*policy, errors_, "a rule's policy");
  }
  rule.because = fields.text("because").value_or("");
  rule.see = fields.strings("see");
  read_examples(fields, rule);
  fields.finish();
  return draft;
}

std::vector<RuleDraft> FileReader::read_rules(config::Mapping& top) {
  std::vector<RuleDraft> rules;
  const auto* items = list(top, "rules");
  if (items == nullptr) return rules;
  for (const config::Node& item : *items) {
    RuleDraft draft = read_rule(item);
    if (item.kind != config::Node::Kind::mapping) continue;
    const auto same = [&](const RuleDraft& other) { return other.rule.id == draft.rule.id; };
    const auto first = std::find_if(rules.begin(), rules.end(), same);
    if (first != rules.end() && !draft.rule.id.empty()) {
      error(draft.rule.where, "a second rule '" + draft.rule.id + "'; the first is on line " +
                                  std::to_string(first->rule.where.line));
    } else {
      rules.push_back(std::move(draft));
    }
  }
  return rules;
}

RuleFile FileReader::read(const config::Node& root) {
  RuleFile result;
  result.file = file_;
  if (root.kind == config::Node::Kind::null) {
    error({file_, 1, 1}, "the file is empty; a rule file begins with 'retry-rules: 1'");
    return result;
  }
  config::Mapping top(root, errors_, "a rule file");
  read_version(top);
  result.name = read_name(top);
  result.about = top.text("about").value_or("");
  result.see = top.strings("see");
  result.serves = read_serves(top);
  for (const config::Node* name : top.texts("include")) {
    result.includes.push_back({name->text, name->where});
  }
  if (const config::Node* policy = top.node("policy")) {
    result.policy = read_policy(*policy, errors_, "'policy'");
  }
  result.classes = read_classes(top);
  result.evidence = read_evidence(top);
  result.details = read_details(top);
  result.rules = read_rules(top);
  top.finish();
  return result;
}

}  // namespace

bool RuleDraft::names(std::string_view key) const {
  return std::find(named.begin(), named.end(), key) != named.end();
}

RuleFile read_rule_file(const config::Node& root, const std::string& file, Patterns patterns,
                        Errors& errors) {
  return FileReader(file, patterns, errors).read(root);
}

void override_rule(Rule& rule, const RuleDraft& draft) {
  const Rule& by = draft.rule;
  if (draft.names("class")) rule.class_name = by.class_name;
  if (draft.names("match")) rule.match = by.match;
  // Both say what the rule is not for: who says it anew says it all.
  if (draft.names("unless") || draft.names("unless-near")) {
    rule.unless = by.unless;
    rule.unless_near = by.unless_near;
  }
  if (draft.names("stream")) rule.stream = by.stream;
  if (draft.names("exit-codes")) rule.codes.codes = by.codes.codes;
  if (draft.names("signals")) rule.codes.signals = by.codes.signals;
  if (draft.names("outcome")) rule.outcome = by.outcome;
  if (draft.names("commands")) rule.commands = by.commands;
  if (draft.names("last")) rule.last = by.last;
  if (draft.names("because")) rule.because = by.because;
  if (draft.names("see")) rule.see = by.see;
  if (draft.names("examples")) {
    rule.examples_match = by.examples_match;
    rule.examples_no_match = by.examples_no_match;
  }
  rule.policy = layered(by.policy, rule.policy);
}

}  // namespace retry_exec::rules
