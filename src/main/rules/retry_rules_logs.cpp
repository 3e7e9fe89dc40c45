// retry-rules explain, suggest and test: rules against what commands have printed.

#include "main/explanation.hpp"
#include "main/rules/retry_rules.hpp"
#include "main/rules/saved_log.hpp"
#include "report/events_json.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/read_file.hpp>
#include <retry_exec/rule_tools.hpp>
#include <retry_exec/text.hpp>

#include <boost/json.hpp>
#include <boost/system/result.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace retry_exec::retry_rules {

namespace json = boost::json;

Result<std::string> read_input(const std::string& path) {
  return read_file(path == "-" ? "/dev/stdin" : path, std::size_t{64} << 20);
}

std::vector<std::string> chosen_sets(const Question& asked, const std::vector<std::string>& command,
                                     std::string_view printed) {
  std::vector<std::string> sets;
  for (const std::string& rules : asked.rules) {
    if (rules == "auto") {
      const std::vector<std::string> picked = pick_rule_sets(command, printed);
      sets.insert(sets.end(), picked.begin(), picked.end());
    } else {
      sets.push_back(rules);
    }
  }
  return asked.rules.empty() ? pick_rule_sets(command, printed) : sets;
}

namespace {

// U+FFFD in the place of each character that nobody sees: taking secrets out drops them, and then a
// pattern made of what is left would not match.
std::string with_unseen_marked(std::string_view text) {
  std::string marked;
  while (!text.empty()) {
    const text::CodePoint point = text::first_code_point(text);
    const bool control = point.valid && point.value < 0x80;
    const bool unseen = !point.valid || (!control && text::is_unseen(point.value));
    marked += unseen ? std::string_view("\uFFFD") : text.substr(0, point.length);
    text.remove_prefix(point.length);
  }
  return marked;
}

// Marks must not part a secret: where more comes out with them than without, they are left out.
std::string redacted_with_marks(const std::string& text, const Redactor& redact) {
  const auto without_marks = [](std::string_view shown) {
    constexpr std::string_view mark = "\uFFFD";
    std::string rest;
    while (!shown.empty()) {
      const bool marked = shown.starts_with(mark);
      if (!marked && shown.front() != '?' && shown.front() != ' ') rest += shown.front();
      shown.remove_prefix(marked ? mark.size() : 1);
    }
    return rest;
  };
  const std::string marked = with_unseen_marked(text);
  std::string shown = redact.lines(text);
  if (marked == text) return shown;
  std::string with_marks = redact.lines(marked);
  return without_marks(with_marks) == without_marks(shown) ? with_marks : shown;
}

// A log, judged as the options say.
struct Judged {
  std::vector<std::string> command;
  std::vector<std::string> sets;
  Outcome outcome;
  Explanation explanation;
  Explanation marked;  // for a rule
};

Result<Judged, Errors> judge_log(const Question& asked, bool for_a_rule) {
  if (asked.operands.size() > 1) return Errors{{{}, "one log at a time"}};
  Judged judged;
  judged.command = asked.command;
  judged.outcome = asked.outcome.value_or(Exited{asked.exit_code});
  const Result<std::string> log = read_input(asked.operands.empty() ? "-" : asked.operands[0]);
  if (!log) return Errors{log.error()};
  judged.sets = chosen_sets(asked, judged.command, *log);
  Result<RuleSet, Errors> set = load_rule_sets(judged.sets);
  if (!set) return set.error();
  const Classifier classifier({*std::move(set)});
  const Redactor redact(judged.command, environ);
  Explanation explanation = explain_text(classifier, judged.command, judged.outcome,
                                         printed_according_to(*log), asked.stream);
  if (for_a_rule) {
    judged.marked.evidence = redacted_with_marks(explanation.evidence, redact);
    judged.marked.unmasked = redacted_with_marks(explanation.unmasked, redact);
  }
  judged.explanation = redacted(std::move(explanation), redact);
  judged.command = redact.arguments(judged.command);
  return judged;
}

std::string explained(const Judged& judged) {
  std::string text = "rules:";
  for (const std::string& set : judged.sets) text += " " + set;
  return text + "\noutcome: " + to_string(judged.outcome) + "\n\n" + explained(judged.explanation);
}

json::object explained_json(const Judged& judged) {
  json::array trials;
  for (const RuleTrial& trial : judged.explanation.trials) {
    trials.push_back(json::object{{"rule", trial.rule},
                                  {"class", trial.class_name},
                                  {"held", trial.held},
                                  {"why_not", trial.why_not}});
  }
  json::array sets;
  for (const std::string& set : judged.sets) sets.emplace_back(set);
  json::array waits;
  for (const Duration wait : waits_after(judged.explanation.verdict)) {
    waits.emplace_back(milliseconds(wait));
  }
  return {{"rules", std::move(sets)},
          {"command", json_strings(judged.command)},
          {"outcome", as_json(judged.outcome, Redactor())},
          {"stream", judged.explanation.stream},
          {"evidence", judged.explanation.unmasked},
          {"masked", judged.explanation.evidence},
          {"trials", std::move(trials)},
          {"verdict", to_json(judged.explanation.verdict)},
          {"waits_ms", std::move(waits)}};
}

}  // namespace

Printout explain(const Question& asked) {
  const Result<Judged, Errors> judged = judge_log(asked, false);
  if (!judged) return usage_error(judged.error());
  return {.out = asked.json ? json_text(explained_json(*judged)) : explained(*judged), .err = {}};
}

Printout suggest(const Question& asked) {
  const Result<Judged, Errors> judged = judge_log(asked, true);
  if (!judged) return usage_error(judged.error());
  const Verdict& verdict = judged->explanation.verdict;
  const std::optional<Suggestion> suggestion = suggest_rule(judged->marked);
  Printout answer;
  if (!suggestion) {
    answer.err = "retry-rules: nothing in the log tells this failure from others\n";
    answer.code = 1;
    return answer;
  }
  if (verdict.matched)
    answer.err = "retry-rules: " + verdict.rule + " knows this failure already\n";
  for (const std::string& example : permanent_look_alikes(*suggestion)) {
    answer.err += "retry-rules: the pattern also matches a permanent failure, " + example + "\n";
  }
  answer.form = Form::yaml;
  answer.out = suggestion->yaml();
  if (asked.json) {
    answer.out = json_text(json::object{{"known", verdict.rule},
                                        {"id", suggestion->id},
                                        {"match", suggestion->match},
                                        {"example", suggestion->example},
                                        {"yaml", suggestion->yaml()}});
  }
  return answer;
}

namespace {

std::string percent(const Share& count) {
  char text[64];
  std::snprintf(text, sizeof text, "%5.1f %%  (%zu of %zu)", 100 * count.share(), count.right,
                count.all);
  return text;
}

std::string row_text(const char* label, const ConfusionRow& row) {
  char text[160];
  std::snprintf(text, sizeof text, "%-12s %9zu %9zu %10zu\n", label, row.retried, row.stopped,
                row.unmatched);
  return text;
}

json::object to_json(const ConfusionRow& row) {
  return {{"retried", row.retried}, {"stopped", row.stopped}, {"unmatched", row.unmatched}};
}

json::object to_json(const Share& count) {
  return {{"right", count.right}, {"all", count.all}, {"share", count.share()}};
}

json::object to_json(const std::map<std::string, Share>& counts) {
  json::object object;
  for (const auto& [name, count] : counts) object[name] = to_json(count);
  return object;
}

std::string_view word(Label label) {
  switch (label) {
    case Label::transient:
      return "transient";
    case Label::permanent:
      return "permanent";
    case Label::either:
      break;
  }
  return "either";
}

// Of what was retried, and of what should be, the share that is both.
Share precision(const Score& score) {
  return {score.transient.retried, score.transient.retried + score.permanent.retried};
}
Share recall(const Score& score) {
  return {score.transient.retried, score.transient.all()};
}

std::string score_text(const Score& score, const Redactor& redact) {
  std::string text = "label          retried   stopped  unmatched\n" +
                     row_text("transient", score.transient) +
                     row_text("permanent", score.permanent) + row_text("either", score.either) +
                     "\nright      " + percent(score.total) + "\nprecision  " +
                     percent(precision(score)) + "   of what was retried\nrecall     " +
                     percent(recall(score)) + "   of what should be retried\n";
  for (const auto& [title, counts] :
       {std::pair{"\nby class\n", &score.by_class}, std::pair{"\nby tool\n", &score.by_tool},
        std::pair{"\nby family or tool's set that decided\n", &score.by_set}}) {
    text += title;
    for (const auto& [name, count] : *counts) {
      std::string left = "  " + name;
      left.append(20 - std::min<std::size_t>(text::columns_of(left), 19), ' ');
      text += left + percent(count) + "\n";
    }
  }
  for (const Scored& miss : score.misses) {
    text += "\n" +
            to_string(Error{miss.record.where,
                            miss.record.id + " is " + std::string(word(miss.record.label))}) +
            ", but " + (miss.verdict.retry ? "retried as " : "stopped as ") +
            miss.verdict.class_name + (miss.verdict.matched ? " (" + miss.verdict.rule + ")" : "") +
            "\n" + indented(redact.lines(miss.record.text));
  }
  return text;
}

json::object score_json(const Score& score, const Redactor& redact) {
  json::array misses;
  for (const Scored& miss : score.misses) {
    misses.push_back(
        json::object{{"id", miss.record.id},
                     {"file", miss.record.where.file},
                     {"line", miss.record.where.line},
                     {"tool", miss.record.tool},
                     {"label", word(miss.record.label)},
                     {"text", redact.lines(miss.record.text)},
                     {"verdict", retry_rules::to_json(redacted(miss.verdict, redact))}});
  }
  return {{"records", score.total.all + score.either.all()},
          {"accuracy", score.total.share()},
          {"total", to_json(score.total)},
          {"precision", to_json(precision(score))},
          {"recall", to_json(recall(score))},
          {"confusion", json::object{{"transient", to_json(score.transient)},
                                     {"permanent", to_json(score.permanent)},
                                     {"either", to_json(score.either)}}},
          {"by_class", to_json(score.by_class)},
          {"by_tool", to_json(score.by_tool)},
          {"by_set", to_json(score.by_set)},
          {"misses", std::move(misses)}};
}

Result<std::vector<LabelledFailure>, Errors> read_corpora(const std::vector<std::string>& paths) {
  std::vector<LabelledFailure> records;
  for (const std::string& path : paths) {
    const Result<std::string> text = read_input(path);
    if (!text) return Errors{text.error()};
    Result<std::vector<LabelledFailure>, Errors> some = read_corpus(*text, path);
    if (!some) return some;
    if (some->empty()) return Errors{{{path}, "has no records"}};
    std::move(some->begin(), some->end(), std::back_inserter(records));
  }
  return records;
}

}  // namespace

Printout test(const Question& asked) {
  if (asked.operands.empty()) return usage_error("test takes labelled corpora (JSON lines)");
  const Result<std::vector<LabelledFailure>, Errors> records = read_corpora(asked.operands);
  if (!records) return usage_error(records.error());
  const auto sets_for = [&](const LabelledFailure& record) {
    return chosen_sets(asked, command_of(record), record.text);
  };
  const Result<Score, Errors> score = score_corpus(*records, sets_for);
  if (!score) return usage_error(score.error());
  Printout answer;
  const Redactor redact({}, environ);
  answer.out = asked.json ? json_text(score_json(*score, redact)) : score_text(*score, redact);
  answer.code = 100 * score->total.share() + 1e-9 < asked.min_accuracy ? 1 : 0;
  // A retry that cannot help costs every user its waits, however good the rest is.
  if (const std::size_t retried = score->permanent.retried; retried > 0) {
    answer.err = "retry-rules: " + text::counted(retried, "permanent failure") +
                 (retried == 1 ? " was" : " were") + " retried\n";
    answer.code = 1;
  }
  if (score->total.all == 0) {
    // A path that names nothing must not pass for a test that went well.
    answer.err = "retry-rules: no record was scored\n";
    if (asked.min_accuracy > 0) answer.code = 1;
  }
  return answer;
}

}  // namespace retry_exec::retry_rules
