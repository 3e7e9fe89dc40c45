// For people who write rules: a first rule out of a log, and the score of rules on a labelled
// corpus.
#pragma once

#include <retry_exec/rules.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

// ---- a rule for a log that no rule knows -----------------------------------------------------

struct Suggestion {
  std::string id;
  std::string match;    // a pattern, escaped, with what varies made variable
  std::string example;  // the line that it was made of
  // The rule as text, ready to stand under "rules:".
  std::string yaml() const;
};

// Makes a rule of the deciding line of an explanation's evidence. Nothing when there is no line.
std::optional<Suggestion> suggest_rule(const Explanation& explanation);

// Examples of shipped rules for failures that stay which the suggested pattern would hold on too,
// each with its rule: with any, it is too wide.
std::vector<std::string> permanent_look_alikes(const Suggestion& suggestion);

// ---- scoring ---------------------------------------------------------------------------------

// What a person says of a recorded failure. `either` is not scored.
enum class Label { transient, permanent, either };

struct LabelledFailure {
  std::string id;
  std::string tool;  // "oras 1.3.6"
  std::string registry;
  std::string op;
  std::string stream;  // stdout, stderr, both, unknown
  std::optional<int> exit_code;
  std::string text;
  Label label = Label::either;
  Position where;
};

// Reads lines of JSON objects; all errors at once.
Result<std::vector<LabelledFailure>, Errors> read_corpus(std::string_view text,
                                                         const std::string& file);

// The command that a record stands for, as far as rules and `auto` look at it.
std::vector<std::string> command_of(const LabelledFailure& record);

struct Scored {
  LabelledFailure record;
  Verdict verdict;
  bool right() const;
};

struct Share {
  std::size_t right = 0;
  std::size_t all = 0;
  double share() const {
    return all == 0 ? 1 : static_cast<double>(right) / static_cast<double>(all);
  }
};

// What became of the records of one label.
struct ConfusionRow {
  std::size_t retried = 0;
  std::size_t stopped = 0;    // by a rule
  std::size_t unmatched = 0;  // stopped, for no rule knows it
  std::size_t all() const { return retried + stopped + unmatched; }
};

struct Score {
  ConfusionRow transient;
  ConfusionRow permanent;
  ConfusionRow either;
  Share total;  // without `either`
  std::map<std::string, Share> by_tool;
  std::map<std::string, Share> by_class;  // of verdicts, "unmatched" among them
  std::map<std::string, Share> by_set;    // that the deciding rule was written in: family or tool
  std::vector<Scored> misses;
};

// Judges each record by the sets that `sets_for` gives for its command; sets are loaded once each.
Result<Score, Errors> score_corpus(
    std::span<const LabelledFailure> records,
    const std::function<std::vector<std::string>(const LabelledFailure&)>& sets_for);

// The verdict on a saved output of which it is not known for sure which stream it came from:
// `stream` is stdout, stderr, both, or anything else for "stderr, else stdout".
Explanation explain_text(const Classifier& classifier, std::span<const std::string> command,
                         const Outcome& outcome, std::string_view text, std::string_view stream);

}  // namespace retry_exec
