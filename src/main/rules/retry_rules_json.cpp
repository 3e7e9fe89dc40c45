#include "main/rules/retry_rules.hpp"
#include "report/events_json.hpp"

#include <boost/json.hpp>

namespace retry_exec::retry_rules {

namespace json = boost::json;

namespace {

// Values of a policy as a rule file may write them: a number of seconds is a duration.
json::value in_files(unsigned number) {
  return number;
}
json::value in_files(double number) {
  return number;
}
json::value in_files(Duration duration) {
  if (duration == unlimited) return "none";
  return std::chrono::duration<double>(duration).count();
}
template <class Word>
json::value in_files(const Word& word) {
  return json::string(to_string(word));
}

void add(json::object& object, const char* name, const std::optional<PatternSource>& pattern) {
  if (pattern) object[name] = pattern->text;
}

void add(json::object& object, const char* name, const std::vector<std::string>& list) {
  if (!list.empty()) object[name] = json_strings(list);
}

void add(json::object& object, const char* name, const std::optional<Stream>& stream) {
  if (stream) {
    object[name] = *stream == Stream::both              ? "both"
                   : *stream == Stream::standard_output ? "stdout"
                                                        : "stderr";
  }
}

json::object to_json(const Rule& rule) {
  json::object object{{"id", rule.full_id()}, {"class", rule.class_name}};
  add(object, "match", rule.match);
  add(object, "unless", rule.unless);
  add(object, "unless-near", rule.unless_near);
  add(object, "stream", rule.stream);
  json::array codes;
  for (const CodeRange& range : rule.codes.codes) {
    codes.emplace_back(std::to_string(range.first) +
                       (range.first == range.last ? "" : "-" + std::to_string(range.last)));
  }
  if (!codes.empty()) object["exit-codes"] = std::move(codes);
  json::array signals;
  for (const int signal : rule.codes.signals) signals.emplace_back(signal_name(signal));
  if (!signals.empty()) object["signals"] = std::move(signals);
  if (rule.outcome != OutcomeKind::any) {
    object["outcome"] = rule.outcome == OutcomeKind::exited      ? "exited"
                        : rule.outcome == OutcomeKind::signalled ? "signalled"
                                                                 : "timed-out";
  }
  add(object, "commands", rule.commands);
  if (rule.last) object["last"] = true;
  if (rule.policy != PolicyFields{}) object["policy"] = retry_rules::to_json(rule.policy);
  if (!rule.because.empty()) object["because"] = rule.because;
  add(object, "see", rule.see);
  return object;
}

json::object to_json(const EvidenceSource& source) {
  json::object object;
  add(object, "commands", source.commands);
  add(object, "stream", source.stream);
  add(object, "focus", source.focus);
  json::array masks;
  for (const PatternSource& mask : source.mask) masks.emplace_back(mask.text);
  if (!masks.empty()) object["mask"] = std::move(masks);
  return object;
}

}  // namespace

std::string json_text(const json::value& value) {
  return json::serialize(value) + "\n";
}

json::array json_strings(std::span<const std::string> words) {
  json::array array;
  for (const std::string& word : words) array.emplace_back(word);
  return array;
}

json::object to_json(const PolicyFields& policy) {
  json::object object;
  for_each_policy_field([&](const auto& field) {
    if (const auto& said = policy.*field.said) object[field.name] = in_files(*said);
  });
  return object;
}

json::array to_json(const Errors& errors) {
  json::array list;
  for (const Error& error : errors) {
    list.push_back(json::object{{"file", error.where.file},
                                {"line", error.where.line},
                                {"column", error.where.column},
                                {"what", error.what}});
  }
  return list;
}

json::object to_json(const Verdict& verdict) {
  json::object object = as_json(verdict, Redactor());
  object["matched"] = verdict.matched;
  object["retry"] = verdict.retry;
  object["policy"] = to_json(verdict.policy);
  if (!verdict.note.empty()) object["note"] = verdict.note;
  return object;
}

json::object to_json(const RuleSet& set) {
  json::object classes;
  for (const auto& [name, value] : set.classes) {
    json::object fields = to_json(value.policy);
    fields["retry"] = value.retry;
    classes[name] = std::move(fields);
  }
  json::array evidence;
  for (const EvidenceSource& source : set.evidence) evidence.push_back(to_json(source));
  json::object details;
  for (const DetailPattern& detail : set.details) details[detail.name] = detail.pattern.text;
  json::array rules;
  for (const Rule& rule : set.rules) rules.push_back(to_json(rule));
  return {{"name", set.name},
          {"about", set.about},
          {"file", set.file},
          {"commands", json_strings(set.serves.commands)},
          {"hosts", json_strings(set.serves.hosts)},
          {"policy", to_json(set.policy)},
          {"classes", std::move(classes)},
          {"evidence", std::move(evidence)},
          {"details", std::move(details)},
          {"rules", std::move(rules)}};
}

}  // namespace retry_exec::retry_rules
