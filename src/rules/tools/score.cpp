#include <retry_exec/rule_tools.hpp>

#include <boost/json.hpp>
#include <boost/system/result.hpp>

#include <algorithm>

namespace retry_exec {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::optional<Label> label_from(std::string_view word) {
  if (word == "transient") return Label::transient;
  if (word == "permanent") return Label::permanent;
  if (word == "either") return Label::either;
  return std::nullopt;
}

std::optional<int> exit_code_of(const json::object& object) {
  const json::value* value = object.if_contains("exit_code");
  const std::int64_t* code = value == nullptr ? nullptr : value->if_int64();
  return code != nullptr && *code >= 0 && *code <= 255 ? std::optional(static_cast<int>(*code))
                                                       : std::nullopt;
}

Result<LabelledFailure> read_record(std::string_view line, const Position& where) {
  boost::system::error_code wrong;
  const json::value value = json::parse({line.data(), line.size()}, wrong);
  if (wrong) return Error{where, "this is not valid JSON: " + wrong.message()};
  const json::object* object = value.if_object();
  if (object == nullptr) return Error{where, "a record is a JSON object"};
  const std::optional<Label> label = label_from(text_of(*object, "label"));
  if (!label) return Error{where, "'label' is transient, permanent or either"};
  const json::value* output = object->if_contains("text");
  if (output == nullptr || !output->is_string()) return Error{where, "a record needs a 'text'"};
  return LabelledFailure{.id = text_of(*object, "id"),
                         .tool = text_of(*object, "tool"),
                         .registry = text_of(*object, "registry"),
                         .op = text_of(*object, "op"),
                         .stream = text_of(*object, "stream"),
                         .exit_code = exit_code_of(*object),
                         .text = text_of(*object, "text"),
                         .label = *label,
                         .where = where};
}

}  // namespace

Result<std::vector<LabelledFailure>, Errors> read_corpus(std::string_view text,
                                                         const std::string& file) {
  std::vector<LabelledFailure> records;
  Errors errors;
  for (Position where{file, 1, 1}; !text.empty(); ++where.line) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<LabelledFailure> record = read_record(line, where);
    if (record) {
      records.push_back(*std::move(record));
    } else {
      errors.push_back(record.error());
    }
  }
  if (!errors.empty()) return errors;
  return records;
}

std::vector<std::string> command_of(const LabelledFailure& record) {
  const std::string name = record.tool.substr(0, record.tool.find(' '));
  std::vector<std::string> command = {name.empty() ? "command" : name};
  if (!record.op.empty()) command.push_back(record.op);
  for (const BuiltinSet& set : builtin_sets()) {
    // "ghcr" stands for the hosts that the set of that name serves.
    if (set.name == record.registry && !set.hosts.empty()) {
      command.push_back(std::string(set.hosts.front()) + "/");
      return command;
    }
  }
  if (!record.registry.empty()) command.push_back(record.registry + "/");
  return command;
}

bool Scored::right() const {
  return record.label == Label::either || verdict.retry == (record.label == Label::transient);
}

Explanation explain_text(const Classifier& classifier, std::span<const std::string> command,
                         const Outcome& outcome, std::string_view text, std::string_view stream) {
  CapturedOutput output;
  CapturedStream& first = stream == "stdout" ? output.standard_output : output.standard_error;
  first.tail = text;
  Explanation explanation = classifier.explain({command, outcome, output});
  const bool known = stream == "stdout" || stream == "stderr";
  if (explanation.verdict.matched || known) return explanation;
  std::swap(output.standard_output, output.standard_error);
  Explanation other = classifier.explain({command, outcome, output});
  return other.verdict.matched || explanation.evidence.empty() ? other : explanation;
}

namespace {

class Scorer {
 public:
  Errors errors;
  Score score;

  void add(const LabelledFailure& record, const std::vector<std::string>& sets) {
    const Classifier* classifier = classifier_for(sets);
    if (classifier == nullptr) return;
    const std::vector<std::string> command = command_of(record);
    const Outcome outcome = Exited{record.exit_code.value_or(1)};
    const Explanation explanation =
        explain_text(*classifier, command, outcome, record.text, record.stream);
    count({record, explanation.verdict});
  }

 private:
  const Classifier* classifier_for(const std::vector<std::string>& sets) {
    const auto known = classifiers_.find(sets);
    if (known != classifiers_.end()) return known->second.get();
    const Result<RuleSet, Errors> set = load_rule_sets(sets);
    if (!set) append(errors, set.error());
    auto& added = classifiers_[sets];
    if (set) added = std::make_unique<Classifier>(std::vector{*set});
    return added.get();
  }

  ConfusionRow& row_of(Label label) {
    switch (label) {
      case Label::transient:
        return score.transient;
      case Label::permanent:
        return score.permanent;
      case Label::either:
        break;
    }
    return score.either;
  }

  void count(Scored scored) {
    const Verdict& verdict = scored.verdict;
    ConfusionRow& row = row_of(scored.record.label);
    ++(verdict.retry ? row.retried : verdict.matched ? row.stopped : row.unmatched);
    if (scored.record.label == Label::either) return;
    const std::string tool = scored.record.tool.substr(0, scored.record.tool.find(' '));
    const std::string set =
        verdict.matched ? verdict.rule.substr(0, verdict.rule.find('/')) : "(none)";
    for (Share* count : {&score.total, &score.by_tool[tool], &score.by_class[verdict.class_name],
                         &score.by_set[set]}) {
      ++count->all;
      if (scored.right()) ++count->right;
    }
    if (!scored.right()) score.misses.push_back(std::move(scored));
  }

  std::map<std::vector<std::string>, std::unique_ptr<Classifier>> classifiers_;
};

}  // namespace

Result<Score, Errors> score_corpus(
    std::span<const LabelledFailure> records,
    const std::function<std::vector<std::string>(const LabelledFailure&)>& sets_for) {
  Scorer scorer;
  for (const LabelledFailure& record : records) scorer.add(record, sets_for(record));
  if (!scorer.errors.empty()) return std::move(scorer.errors);
  return std::move(scorer.score);
}

}  // namespace retry_exec
