#include "rules/sources.hpp"

#include <retry_exec/text.hpp>

#include <boost/system/result.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace retry_exec {

namespace rules {

namespace {

// The classes that every set has; a file's words for them beat these.
std::map<std::string, FailureClass, std::less<>> builtin_classes() {
  using std::chrono::minutes;
  using std::chrono::seconds;
  std::map<std::string, FailureClass, std::less<>> classes;
  classes["permanent"] = {.name = "permanent", .retry = false, .policy = {}};
  classes["transient"] = {.name = "transient", .retry = true, .policy = {}};
  classes["absent"] = {.name = "absent", .retry = true, .policy = {}};
  classes["throttled"] = {.name = "throttled",
                          .retry = true,
                          .policy = {.attempts = 5, .delay = seconds(15), .max_delay = minutes(5)}};
  classes["suspect"] = {.name = "suspect", .retry = true, .policy = {.attempts = 2}};
  for (const std::string_view name : {expired_class, done_class}) {
    classes[std::string(name)] = {.name = std::string(name), .retry = false, .policy = {}};
  }
  return classes;
}

// Rules may override each other across files, so this needs all files at once, weakest first.
class Flattener {
 public:
  Flattener(std::span<LoadedFile* const> order, Errors& errors) : order_(order), errors_(errors) {}

  void flatten(RuleSet& set) {
    for (auto source = order_.rbegin(); source != order_.rend(); ++source) {
      merge_settings(set, (*source)->file);
    }
    check_classes(set);
    for (auto source = order_.rbegin(); source != order_.rend(); ++source) place_rules(**source);
    for (LoadedFile* source : order_) {
      const auto& evidence = source->file.evidence;
      set.evidence.insert(set.evidence.end(), evidence.begin(), evidence.end());
      add_details(set, source->file.details);
      std::move(source->rules.begin(), source->rules.end(), std::back_inserter(set.rules));
    }
    std::stable_partition(set.rules.begin(), set.rules.end(),
                          [](const Rule& rule) { return !rule.last; });
    spread_masks(set.evidence);
  }

 private:
  void merge_settings(RuleSet& set, const RuleFile& file);
  void place_rules(LoadedFile& source);
  void add_rule(LoadedFile& source, RuleDraft& draft);
  static void add_details(RuleSet& set, const std::vector<DetailPattern>& details);
  static void spread_masks(std::vector<EvidenceSource>& evidence);
  void check_classes(const RuleSet& set);
  void error(const Position& where, std::string what) {
    errors_.push_back({where, std::move(what)});
  }

  std::span<LoadedFile* const> order_;
  Errors& errors_;
};

void Flattener::merge_settings(RuleSet& set, const RuleFile& file) {
  set.policy = layered(file.policy, set.policy);
  for (const ClassDraft& draft : file.classes) {
    FailureClass& known = set.classes[draft.name];
    known.name = draft.name;
    known.retry = draft.retry.value_or(known.retry);
    known.policy = layered(draft.policy, known.policy);
  }
}

// The rules of `included` that a rule of this id overrides.
std::vector<Rule*> overridden(std::span<LoadedFile* const> included, const std::string& id) {
  std::vector<Rule*> found;
  for (LoadedFile* source : included) {
    for (Rule& rule : source->rules) {
      const bool qualified = id.size() > rule.id.size();
      if (qualified ? rule.full_id() == id : rule.id == id) found.push_back(&rule);
    }
  }
  return found;
}

void Flattener::place_rules(LoadedFile& source) {
  const std::vector<LoadedFile*> included = Sources::in_order(source.includes);
  for (RuleDraft& draft : source.file.rules) {
    const Rule& rule = draft.rule;
    const std::vector<Rule*> found = overridden(included, rule.id);
    if (found.size() == 1) {
      override_rule(*found.front(), draft);
    } else if (found.size() > 1) {
      error(rule.where, "'" + rule.id + "' could override " + found[0]->full_id() + " or " +
                            found[1]->full_id() + "; write the one you mean");
    } else if (rule.id.find('/') != std::string::npos) {
      error(rule.where,
            "no rule '" + rule.id + "' in what this file includes, so it overrides nothing");
    } else {
      add_rule(source, draft);
    }
  }
}

void Flattener::add_rule(LoadedFile& source, RuleDraft& draft) {
  const Rule& rule = draft.rule;
  if (rule.class_name.empty() && !draft.names("class")) {
    error(rule.where, "a rule needs 'class'");
  }
  const bool conditional = rule.match || rule.unless || !rule.codes.empty() ||
                           !rule.commands.empty() || rule.outcome != OutcomeKind::any;
  const bool meant = draft.names("match") || draft.names("exit-codes") || draft.names("signals");
  if (!conditional && !meant) {
    error(rule.where,
          "a rule needs a condition: 'match', or one of 'exit-codes', 'signals', 'outcome'");
  }
  if (rule.unless_near && !rule.match && !draft.names("match")) {
    error(rule.where, "a rule with 'unless-near' needs 'match': what is it to be near to?");
  }
  source.rules.push_back(std::move(draft.rule));
  source.rules.back().set_name = source.file.name;
}

void Flattener::add_details(RuleSet& set, const std::vector<DetailPattern>& details) {
  for (const DetailPattern& detail : details) {
    const auto same = [&](const DetailPattern& other) { return other.name == detail.name; };
    if (std::none_of(set.details.begin(), set.details.end(), same)) set.details.push_back(detail);
  }
}

// A source for any command hides something whatever the command is, so also beside the masks of a
// source that stands before it.
void Flattener::spread_masks(std::vector<EvidenceSource>& evidence) {
  std::vector<PatternSource> general;
  for (auto source = evidence.rbegin(); source != evidence.rend(); ++source) {
    source->mask.insert(source->mask.end(), general.begin(), general.end());
    if (source->commands.empty()) general = source->mask;
  }
}

void Flattener::check_classes(const RuleSet& set) {
  std::vector<std::string_view> known;
  for (const auto& [name, value] : set.classes) known.push_back(name);
  for (const LoadedFile* source : order_) {
    for (const RuleDraft& draft : source->file.rules) {
      const std::string& name = draft.rule.class_name;
      if (name.empty() || set.classes.contains(name)) continue;
      std::string what = "unknown class '" + name + "'";
      if (const auto near = nearest_word(name, known); !near.empty()) {
        what += "; did you mean '" + std::string(near) + "'?";
      } else {
        what += "; known classes are";
        for (const auto word : known) what += " " + std::string(word);
        what += ", and those under 'classes'";
      }
      error(draft.class_where, std::move(what));
    }
  }
}

bool by_place(const Error& a, const Error& b) {
  return std::tie(a.where.file, a.where.line, a.where.column) <
         std::tie(b.where.file, b.where.line, b.where.column);
}

Result<RuleSet, Errors> flattened(std::span<LoadedFile* const> roots, RuleSet set, bool complete,
                                  Errors errors) {
  if (complete) {
    set.classes = builtin_classes();
    const std::vector<LoadedFile*> order = Sources::in_order(roots);
    for (const LoadedFile* source : order) {
      if (!source->builtin) set.files.push_back(source->file.file);
    }
    Flattener(order, errors).flatten(set);
  }
  if (errors.empty()) return set;
  std::stable_sort(errors.begin(), errors.end(), by_place);
  errors.erase(std::unique(errors.begin(), errors.end()), errors.end());
  return errors;
}

Result<RuleSet, Errors> flattened(LoadedFile* root, bool complete, Errors errors) {
  RuleSet set;
  if (root != nullptr) {
    set.name = root->file.name;
    set.about = root->file.about;
    set.file = root->builtin ? set.name + " (built in)" : root->file.file;
    set.see = root->file.see;
    set.serves = root->file.serves;
  }
  LoadedFile* const roots[] = {root};
  return flattened(roots, std::move(set), complete, std::move(errors));
}

}  // namespace

}  // namespace rules

Result<RuleSet, Errors> load_rule_set(const std::string& name_or_path) {
  Errors errors;
  rules::Sources sources(errors);
  rules::LoadedFile* root = sources.load(name_or_path);
  return rules::flattened(root, sources.complete(), std::move(errors));
}

Result<RuleSet, Errors> parse_rule_set(std::string_view yaml, const std::string& file) {
  Errors errors;
  rules::Sources sources(errors);
  rules::LoadedFile* root = sources.add(yaml, file);
  return rules::flattened(root, sources.complete(), std::move(errors));
}

Result<RuleSet, Errors> load_rule_sets(std::span<const std::string> names_or_paths) {
  if (names_or_paths.size() == 1) return load_rule_set(names_or_paths.front());
  Errors errors;
  rules::Sources sources(errors);
  std::vector<rules::LoadedFile*> roots;
  RuleSet set;
  for (const std::string& name : names_or_paths) {
    rules::LoadedFile* root = sources.load(name);
    if (std::find(roots.begin(), roots.end(), root) != roots.end() && root != nullptr) continue;
    roots.push_back(root);
    if (root == nullptr) continue;
    text::append_to(set.name, root->file.name, "+");
    text::append_to(set.file, root->file.file);
  }
  return rules::flattened(roots, std::move(set), sources.complete(), std::move(errors));
}

}  // namespace retry_exec
