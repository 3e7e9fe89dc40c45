#include <retry_exec/rules.hpp>

#include <algorithm>

namespace retry_exec {

namespace {

// An outcome that the rule's conditions accept, so that an example tries its text alone.
Outcome fitting_outcome(const Rule& rule) {
  if (rule.outcome == OutcomeKind::timed_out) return TimedOut{};
  const bool by_signal = rule.outcome == OutcomeKind::signalled ||
                         (rule.codes.codes.empty() && !rule.codes.signals.empty());
  if (by_signal) return Signalled{rule.codes.signals.empty() ? 9 : rule.codes.signals.front()};
  return Exited{rule.codes.codes.empty() ? 1 : rule.codes.codes.front().first};
}

std::string first_of(const std::vector<std::string>& names) {
  return names.empty() ? "" : names.front();
}

class ExampleRunner {
 public:
  explicit ExampleRunner(const RuleSet& set) : set_(set), classifier_({set}) {}

  Errors run() {
    for (const Rule& rule : classifier_.sets().front().rules) {
      for (const Example& example : rule.examples_match) check_match(rule, example);
      for (const Example& example : rule.examples_no_match) check_no_match(rule, example);
    }
    return std::move(errors_);
  }

 private:
  // An example of an included rule is tried without the command's name: the file that it was
  // written in does not know this set's evidence.
  std::string command_for(const Rule& rule) const {
    if (!rule.commands.empty()) return rule.commands.front();
    if (rule.set_name != set_.name) return "";
    if (!set_.serves.commands.empty()) return set_.serves.commands.front();
    return set_.evidence.empty() ? "" : first_of(set_.evidence.front().commands);
  }

  // Every stream that might be looked at holds the text.
  Verdict verdict_on(const Rule& rule, const Example& example) const {
    CapturedOutput output;
    const Stream stream = rule.stream.value_or(Stream::standard_error);
    CapturedStream& holder =
        stream == Stream::standard_output ? output.standard_output : output.standard_error;
    holder.tail = example.text;
    const std::vector<std::string> command = {command_for(rule)};
    const Failure failure{command, fitting_outcome(rule), output};
    Verdict verdict = classifier_.classify(failure);
    if (verdict.matched || rule.stream) return verdict;
    std::swap(output.standard_output, output.standard_error);
    return classifier_.classify(failure);
  }

  void check_match(const Rule& rule, const Example& example) {
    const Verdict verdict = verdict_on(rule, example);
    if (verdict.rule == rule.full_id()) return;
    // A file may take what its includes know into hands of its own.
    const bool taken_over = rule.set_name != set_.name && verdict.matched &&
                            !verdict.rule.starts_with(rule.set_name + "/");
    if (taken_over) return;
    errors_.push_back({example.where, "the example should match " + rule.full_id() + ", but " +
                                          (verdict.matched ? verdict.rule + " (" +
                                                                 verdict.class_name + ") takes it"
                                                           : "no rule does")});
  }

  void check_no_match(const Rule& rule, const Example& example) {
    if (verdict_on(rule, example).rule != rule.full_id()) return;
    errors_.push_back(
        {example.where, "the example should not match " + rule.full_id() + ", but it does"});
  }

  const RuleSet& set_;
  Classifier classifier_;
  Errors errors_;
};

}  // namespace

Errors check_examples(const RuleSet& set) {
  return ExampleRunner(set).run();
}

}  // namespace retry_exec
