// retry-rules list, show and check.

#include "main/explanation.hpp"
#include "main/rules/retry_rules.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/text.hpp>

#include <boost/json.hpp>
#include <boost/system/result.hpp>

#include <algorithm>

namespace retry_exec::retry_rules {

namespace json = boost::json;

namespace {

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

json::array strings(std::span<const std::string_view> words) {
  json::array array;
  for (const std::string_view word : words) array.emplace_back(word);
  return array;
}

}  // namespace

Printout list(const Question& asked) {
  if (!asked.operands.empty()) return usage_error("list takes no operands");
  Printout answer;
  json::array sets;
  for (const BuiltinSet& set : builtin_sets()) {
    sets.push_back(json::object{{"name", set.name},
                                {"about", set.about},
                                {"commands", strings(set.commands)},
                                {"hosts", strings(set.hosts)},
                                {"see", strings(set.see)}});
    answer.out += padded(std::string(set.name), 18) + std::string(set.about) + "\n";
    for (const auto* served : {&set.commands, &set.hosts}) {
      if (!served->empty())
        answer.out += padded("", 18) + "for " + text::joined(*served, " ") + "\n";
    }
    if (!set.see.empty()) answer.out += padded("", 18) + "see " + text::joined(set.see, " ") + "\n";
  }
  if (asked.json) answer.out = json_text(sets);
  return answer;
}

namespace {

std::string class_text(const FailureClass& value) {
  const std::string policy = describe(value.policy);
  return padded("  " + value.name, 14) + (value.retry ? "retried" : "stops") +
         (policy.empty() ? "" : ": " + policy) + "\n";
}

std::string stream_text(const EvidenceSource& source) {
  if (!source.stream) return "stderr, or stdout where that is empty";
  switch (*source.stream) {
    case Stream::standard_output:
      return "stdout";
    case Stream::standard_error:
      return "stderr";
    case Stream::both:
      break;
  }
  return "stdout and stderr";
}

std::string evidence_text(const EvidenceSource& source) {
  std::string text = "  for ";
  if (source.commands.empty()) text += "any command";
  text += text::joined(source.commands) + ": " + stream_text(source) + "\n";
  if (source.focus) text += "    from the last    " + source.focus->text + "\n";
  for (const PatternSource& mask : source.mask) text += "    without          " + mask.text + "\n";
  return text;
}

std::string rule_text(const Rule& rule) {
  std::string text = "  " + rule.full_id() + " (" + rule.class_name + ")\n";
  const auto field = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += padded(std::string("    ") + name, 14) + value + "\n";
  };
  field("match", rule.match ? rule.match->text : "");
  field("unless", rule.unless ? rule.unless->text : "");
  field("unless-near", rule.unless_near ? rule.unless_near->text : "");
  std::string codes;
  for (const CodeRange& range : rule.codes.codes) {
    text::append_to(codes, std::to_string(range.first));
    if (range.last != range.first) codes += "-" + std::to_string(range.last);
  }
  for (const int signal : rule.codes.signals) text::append_to(codes, signal_name(signal));
  field("codes", codes);
  field("outcome", rule.outcome == OutcomeKind::timed_out ? "timed-out" : "");
  field("commands", text::joined(rule.commands));
  field("last", rule.last ? "true" : "");
  field("policy", describe(rule.policy));
  field("because", rule.because);
  for (const std::string& see : rule.see) field("see", see);
  return text;
}

std::string resolved_text(const RuleSet& set) {
  std::string text =
      set.name + ": " + set.about + "\n\npolicy: " + describe(set.policy) + "\n\nclasses:\n";
  for (const auto& [name, value] : set.classes) text += class_text(value);
  text += "\nevidence:\n";
  for (const EvidenceSource& source : set.evidence) text += evidence_text(source);
  text += "\ndetails:\n";
  for (const DetailPattern& detail : set.details) {
    text += padded("  " + detail.name, 14) + detail.pattern.text + "\n";
  }
  text += "\nrules, in the order in which they are tried:\n";
  for (const Rule& rule : set.rules) text += rule_text(rule);
  return text;
}

}  // namespace

Printout show(const Question& asked) {
  if (asked.operands.size() != 1)
    return usage_error("show takes one rule set: a built-in name or a file");
  const std::string& name = asked.operands.front();
  const Result<RuleSet, Errors> set = load_rule_set(name);
  if (!set) return usage_error(set.error());
  if (asked.json) return {.out = json_text(to_json(*set)), .err = {}};
  if (asked.resolved) return {.out = resolved_text(*set), .err = {}};
  if (const auto builtin = builtin_name(name)) {
    const auto found = std::find_if(builtin_sets().begin(), builtin_sets().end(),
                                    [&](const BuiltinSet& s) { return s.name == *builtin; });
    return {.out = std::string(found->yaml), .err = {}, .form = Form::yaml};
  }
  const Result<std::string> text = read_input(name);
  return text ? Printout{.out = *text, .err = {}, .form = Form::yaml} : usage_error({text.error()});
}

namespace {

struct Checked {
  Errors errors;
  Errors warnings;
  std::size_t rules = 0;
  std::size_t examples = 0;
};

Checked check_file(const std::string& file) {
  Checked checked;
  const Result<RuleSet, Errors> set = load_rule_set(file);
  if (!set) {
    checked.errors = set.error();
    return checked;
  }
  checked.errors = check_examples(*set);
  checked.warnings = find_warnings(*set);
  for (const Rule& rule : set->rules) {
    ++checked.rules;
    checked.examples += rule.examples_match.size() + rule.examples_no_match.size();
  }
  return checked;
}

}  // namespace

Printout check(const Question& asked) {
  if (asked.operands.empty()) return usage_error("check takes rule files");
  Printout answer;
  json::array files;
  for (const std::string& file : asked.operands) {
    const Checked checked = check_file(file);
    for (const Error& error : checked.errors) answer.err += to_string(error) + "\n";
    for (const Error& warning : checked.warnings) {
      answer.err += to_string(Error{warning.where, "warning: " + warning.what}) + "\n";
    }
    const bool good = checked.errors.empty();
    if (!good) answer.code = 1;
    answer.out += file + ": " +
                  (good ? "good: " + text::counted(checked.rules, "rule") + ", " +
                              text::counted(checked.examples, "example")
                        : text::counted(checked.errors.size(), "error")) +
                  "\n";
    files.push_back(json::object{{"file", file},
                                 {"good", good},
                                 {"rules", checked.rules},
                                 {"examples", checked.examples},
                                 {"errors", to_json(checked.errors)},
                                 {"warnings", to_json(checked.warnings)}});
  }
  if (asked.json) {
    answer.out = json_text(files);
    answer.err.clear();
  }
  return answer;
}

}  // namespace retry_exec::retry_rules
