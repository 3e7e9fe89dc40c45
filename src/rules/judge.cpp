#include "rules/judge.hpp"

#include "rules/glob.hpp"
#include "rules/matching/unexcused.hpp"
#include "rules/retry_after.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec::rules {

namespace {

// What all matching of one failure may cost, in steps. Real logs need a tenth of it; what takes
// more is hostile, and is said to be unevaluated.
constexpr std::uint64_t for_the_end = 10'000'000;
constexpr std::uint64_t for_the_whole = 40'000'000;
constexpr std::uint64_t for_masks = 60'000'000;
constexpr std::uint64_t for_details = 10'000'000;

constexpr Duration longest_retry_after = std::chrono::hours(24);

struct Held {
  bool held = false;
  std::string why_not;
  std::size_t line = 0;                  // of the evidence, where `match` began
  std::string matched;                   // in that line, as far as it tells
  const LazyPattern* pattern = nullptr;  // the alternative of `match` that held
};

class Judge {
 public:
  Judge(const Failure& failure, Classifier::WallTime now, Explanation* explanation)
      : failure_(failure),
        now_(now),
        explanation_(explanation),
        commands_(command_names(failure.command)),
        budget_(for_the_end, failure.give_up),
        budget_of_masks_(for_masks, failure.give_up),
        budget_of_details_(for_details, failure.give_up),
        room_(failure.output, memory_, budget_of_masks_) {}

  Verdict verdict(std::span<const CompiledSet> sets);

 private:
  // The evidence of one set: the source's own stream, and each that a rule asks for.
  struct Views {
    std::optional<Evidence> usual;
    std::optional<Evidence> of_stream[3];
  };
  using AllViews = std::vector<Views>;  // by set

  const EvidencePatterns& source_of(const CompiledSet& set) const;
  const Evidence& view(const CompiledSet& set, Views& views, std::optional<Stream> stream);
  std::string unfit(const Rule& rule) const;
  Held try_rule(const CompiledSet& set, const CompiledRule& rule, Views& views);
  Held try_text(const CompiledSet& set, const CompiledRule& rule, const Evidence& evidence);
  Verdict decided(const CompiledSet& set, const CompiledRule& rule, const Held& held, Views& views);
  void take_retry_after(Verdict& verdict, const Pattern& pattern, std::string_view text,
                        std::size_t from);
  void take_details(Verdict& verdict, const CompiledSet& set, const Evidence& evidence);
  std::optional<Verdict> first_that_holds(std::span<const CompiledSet> sets, AllViews& views);
  Verdict undecided(std::span<const CompiledSet> sets, AllViews& views);
  void take_unevaluated(Verdict& verdict);
  void show(const Evidence& evidence);
  bool timed_out() const { return std::holds_alternative<TimedOut>(failure_.outcome); }

  const Failure& failure_;
  Classifier::WallTime now_;
  Explanation* explanation_;
  std::vector<std::string> commands_;  // of a script, several
  MatchMemory memory_;
  WorkBudget budget_;
  WorkBudget budget_of_masks_;
  WorkBudget budget_of_details_;
  EvidenceRoom room_;
  Extent extent_ = Extent::whole;
  std::vector<std::string> unevaluated_;
  EvidencePatterns no_source_;
  std::optional<Evidence> without_rules_;
};

// Where `match` began, and what it says there.
void take_match(Held& held, std::string_view text, const Span& match) {
  constexpr std::size_t telling = 200;
  held.line = line_number(text, match.begin);
  held.matched = text.substr(match.begin, std::min(match.end - match.begin, telling));
  held.matched.resize(std::min(held.matched.find('\n'), held.matched.size()));
}

std::string excused_by(std::string_view text, const Span& excuse) {
  const std::string words(text.substr(excuse.begin, excuse.end - excuse.begin));
  return "unless-near: '" + words + "' in: " + excerpt_of(line_at(text, excuse.begin), words);
}

bool lists(const std::vector<std::string>& names, const std::vector<std::string>& commands) {
  const auto named = [&names](const std::string& name) { return any_glob_matches(names, name); };
  return names.empty() || std::any_of(commands.begin(), commands.end(), named);
}

const EvidencePatterns& Judge::source_of(const CompiledSet& set) const {
  for (const EvidencePatterns& patterns : set.evidence) {
    if (lists(patterns.source->commands, commands_)) return patterns;
  }
  return no_source_;
}

const Evidence& Judge::view(const CompiledSet& set, Views& views, std::optional<Stream> stream) {
  std::optional<Evidence>& view =
      stream ? views.of_stream[static_cast<std::size_t>(*stream)] : views.usual;
  if (!view) view = room_.evidence(source_of(set), set.prefilter, stream, extent_);
  return *view;
}

// Why the rule is not for such an outcome at all; empty when it is.
std::string Judge::unfit(const Rule& rule) const {
  if (!lists(rule.commands, commands_)) return "is for " + text::joined(rule.commands);
  switch (rule.outcome) {
    case OutcomeKind::any:
      if (timed_out()) return "is not for time-outs";
      break;
    case OutcomeKind::timed_out:
      if (!timed_out()) return "is for time-outs";
      break;
    case OutcomeKind::exited:
      if (!std::holds_alternative<Exited>(failure_.outcome)) return "is for exit codes";
      break;
    case OutcomeKind::signalled:
      if (!std::holds_alternative<Signalled>(failure_.outcome)) return "is for signals";
      break;
  }
  if (!rule.codes.empty() && !rule.codes.contains(failure_.outcome)) {
    return "is not for " + to_string(failure_.outcome);
  }
  // Of a script, nobody knows whose exit code it is.
  if (!rule.codes.empty() && !rule.commands.empty() && commands_.size() > 1) {
    return "is for " + text::joined(rule.commands) + " alone";
  }
  return {};
}

Held Judge::try_text(const CompiledSet& set, const CompiledRule& rule, const Evidence& evidence) {
  Held result;
  const std::string_view text = evidence.masked();
  const Prefilter::Found& found = evidence.in_masked();
  const auto number = static_cast<std::size_t>(&rule - set.rules.data());
  const auto beyond_limits = [&] {
    unevaluated_.push_back(rule.rule->full_id());
    result.why_not = "could not be evaluated within the limits of matching";
    return result;
  };
  if (rule.rule->match) {
    const std::span<const Places> places = std::span(found).subspan(rule.first_match);
    const Unexcused match = search_unexcused({rule.match, places.first(rule.match.size())},
                                             rule.rule->unless_near ? &rule.unless_near : nullptr,
                                             text, memory_, budget_);
    if (match.search == Search::limit) return beyond_limits();
    if (match.search == Search::nothing) {
      result.why_not =
          match.excuse ? excused_by(text, *match.excuse) : "match: not in " + evidence.stream;
      return result;
    }
    take_match(result, text, match.match);
    result.pattern = match.pattern;
  }
  const Places& places = found[set.number_of_unless(number)];
  if (rule.rule->unless && !places.none()) {
    const Pattern* unless = rule.unless.get(budget_);
    const Search search =
        unless == nullptr ? Search::limit : search_places(*unless, text, places, memory_, budget_);
    if (search == Search::limit) return beyond_limits();
    if (search == Search::found) {
      result.why_not = "unless: '" +
                       std::string(text.substr(memory_.begin(), memory_.end() - memory_.begin())) +
                       "'";
      return result;
    }
  }
  result.held = true;
  return result;
}

Held Judge::try_rule(const CompiledSet& set, const CompiledRule& rule, Views& views) {
  if (std::string why_not = unfit(*rule.rule); !why_not.empty())
    return {.why_not = std::move(why_not)};
  if (!rule.rule->match && !rule.rule->unless) return {.held = true, .why_not = {}};
  return try_text(set, rule, view(set, views, rule.rule->stream));
}

void Judge::take_retry_after(Verdict& verdict, const Pattern& pattern, std::string_view text,
                             std::size_t from) {
  const std::size_t group = pattern.group_named("retry_after");
  if (group == 0 || verdict.retry_after) return;
  if (pattern.search(text, from, memory_, budget_of_details_) != Search::found) return;
  const auto [begin, end] = memory_.group(group);
  if (begin >= end || end > text.size()) return;
  const std::string_view written = text.substr(begin, end - begin);
  const std::optional<Duration> wait = parse_retry_after(written, now_);
  if (wait && *wait <= longest_retry_after) {
    verdict.retry_after = wait;
    return;
  }
  // To come back sooner is what was asked not to be done.
  if (wait) verdict.retry = false;
  verdict.note = "a wait of '" + std::string(written) + "' was asked for: " +
                 (wait ? "longer than a day, so this is not retried" : "not understood, ignored");
}

void Judge::take_details(Verdict& verdict, const CompiledSet& set, const Evidence& evidence) {
  const std::string_view text = evidence.unmasked;
  for (std::size_t i = 0; i < set.details.size(); ++i) {
    const Places& places = evidence.in_unmasked[set.number_of_detail(i)];
    const Pattern* pattern = places.none() ? nullptr : set.details[i].get(budget_of_details_);
    if (pattern == nullptr ||
        search_places(*pattern, text, places, memory_, budget_of_details_) != Search::found)
      continue;
    const std::size_t at = memory_.begin();
    auto [begin, end] = memory_.group(pattern->first_group());
    if (begin > end || end > text.size()) std::tie(begin, end) = memory_.group(0);
    verdict.details.push_back(
        {set.set->details[i].name, std::string(text.substr(begin, end - begin))});
    take_retry_after(verdict, *pattern, text, at);
  }
}

void Judge::show(const Evidence& evidence) {
  if (explanation_ == nullptr) return;
  explanation_->stream = evidence.stream;
  explanation_->evidence = evidence.masked();
  explanation_->unmasked = evidence.unmasked;
}

// A class is known: loading saw to it. One attempt in all amounts to a stop.
void treat(Verdict& verdict, const RuleSet& set, const std::string& class_name,
           const PolicyFields& of_rule) {
  const auto found = set.classes.find(class_name);
  const FailureClass treatment = found == set.classes.end() ? FailureClass{} : found->second;
  const PolicyFields own = layered(of_rule, treatment.policy);
  verdict.class_name = class_name;
  verdict.policy = layered(own, set.policy);
  verdict.retry = treatment.retry && own.attempts != 1U;
}

Verdict Judge::decided(const CompiledSet& set, const CompiledRule& compiled, const Held& held,
                       Views& views) {
  const Rule& rule = *compiled.rule;
  const Evidence& shown = view(set, views, rule.stream);
  show(shown);
  Verdict verdict;
  verdict.matched = true;
  verdict.rule = rule.full_id();
  verdict.because = rule.because;
  const std::string_view line =
      rule.match ? nth_line(shown.unmasked, held.line) : last_line(shown.unmasked);
  verdict.line = excerpt_below(shown.unmasked, line, held.matched);
  treat(verdict, *set.set, rule.class_name, rule.policy);
  take_unevaluated(verdict);
  const std::size_t offset =
      line.empty() ? 0 : static_cast<std::size_t>(line.data() - shown.unmasked.data());
  if (const Pattern* match = held.pattern != nullptr ? held.pattern->get(budget_) : nullptr) {
    take_retry_after(verdict, *match, shown.unmasked, offset);
  }
  take_details(verdict, set, shown);
  return verdict;
}

void Judge::take_unevaluated(Verdict& verdict) {
  verdict.unevaluated = std::move(unevaluated_);
  if (room_.cut_short()) verdict.unevaluated.emplace_back("(a mask of the evidence)");
}

// No rule holds. A time-out is then taken for a hang, which passes by itself as a rule.
Verdict Judge::undecided(std::span<const CompiledSet> sets, AllViews& views) {
  Verdict verdict;
  verdict.class_name = "unmatched";
  take_unevaluated(verdict);
  const Evidence& shown =
      sets.empty() ? without_rules_.emplace(room_.evidence(no_source_, {}, {}, Extent::whole))
                   : view(sets.front(), views.front(), {});
  show(shown);
  verdict.line = excerpt_below(shown.unmasked, last_line(shown.unmasked), {});
  if (!sets.empty()) {
    const RuleSet& set = *sets.front().set;
    if (timed_out()) {
      verdict.matched = true;
      verdict.rule = "built-in/timed-out";
      verdict.because = "ended by our time limit";
      treat(verdict, set, "transient", {});
    } else if (!verdict.unevaluated.empty()) {
      verdict.matched = true;
      verdict.rule = "built-in/not-evaluated";
      verdict.because = "no rule matches, but not all could be evaluated: one more try";
      verdict.note = verdict.because;
      treat(verdict, set, "suspect", {});
    } else {
      verdict.policy = set.policy;
    }
    take_details(verdict, sets.front(), shown);
  }
  return verdict;
}

// In the end of the evidence no rule is tried from the first on that has no `match`: such a rule is
// for what none before it knows, wherever that stands.
std::optional<Verdict> Judge::first_that_holds(std::span<const CompiledSet> sets, AllViews& views) {
  if (explanation_ != nullptr) explanation_->trials.clear();
  std::size_t rules = 0;
  for (const CompiledSet& set : sets) rules += set.rules.size();
  budget_.divide_among(rules);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    for (const CompiledRule& rule : sets[i].rules) {
      budget_.begin_job();
      const Held held = try_rule(sets[i], rule, views[i]);
      if (held.held && extent_ == Extent::end && !rule.rule->match) return std::nullopt;
      if (explanation_ != nullptr) {
        explanation_->trials.push_back(
            {rule.rule->full_id(), rule.rule->class_name, held.held, held.why_not});
      }
      if (held.held) return decided(sets[i], rule, held, views[i]);
    }
  }
  return std::nullopt;
}

Verdict Judge::verdict(std::span<const CompiledSet> sets) {
  AllViews views(sets.size());
  if (!std::holds_alternative<NotStarted>(failure_.outcome)) {
    if (room_.is_long()) {
      extent_ = Extent::end;
      AllViews of_end(sets.size());
      if (std::optional<Verdict> verdict = first_that_holds(sets, of_end)) return *verdict;
      extent_ = Extent::whole;
      unevaluated_.clear();
    }
    budget_.add(for_the_whole);
    if (std::optional<Verdict> verdict = first_that_holds(sets, views)) return *verdict;
  }
  return undecided(sets, views);
}

}  // namespace

Verdict judge(std::span<const CompiledSet> sets, const Failure& failure, Classifier::WallTime now,
              Explanation* explanation) {
  return Judge(failure, now, explanation).verdict(sets);
}

}  // namespace retry_exec::rules
