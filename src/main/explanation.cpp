#include "main/explanation.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/report.hpp>

#include <algorithm>
#include <string_view>

namespace retry_exec {

namespace {

std::vector<Duration> waits_under(const Policy& policy, const std::optional<Duration>& floor) {
  const Backoff backoff(policy, [] { return 0.0; });
  std::vector<Duration> waits;
  constexpr unsigned most_shown = 10;
  const unsigned attempts =
      policy.attempts == 0 ? most_shown : std::min(policy.attempts, most_shown);
  for (unsigned n = 1; n < attempts; ++n) {
    waits.push_back(std::max(backoff.longest(n), floor.value_or(Duration::zero())));
  }
  return waits;
}

}  // namespace

std::vector<Duration> waits_after(const Verdict& verdict) {
  if (!verdict.retry) return {};
  return waits_under(policy_from(verdict.policy), verdict.retry_after);
}

std::string indented(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    result += "    " + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result.empty() ? "    (none)\n" : result;
}

namespace {

std::string headline(const Verdict& verdict, const std::optional<InForce>& in_force) {
  const bool retried = in_force ? in_force->retried : verdict.retry;
  const std::string treatment = retried ? ", retried" : ", stops";
  if (verdict.matched) return verdict.class_name + " (" + verdict.rule + ")" + treatment + "\n";
  return verdict.class_name + ": no rule knows it" + (in_force ? treatment : "") +
         "; `retry-rules suggest` drafts one\n";
}

// What follows: a policy as the rules have it says only what they say.
std::string policy_text(const Verdict& verdict, const std::optional<InForce>& in_force) {
  std::string text;
  if (in_force) {
    if (in_force->retried) text = describe(in_force->policy);
  } else if (verdict.matched) {
    text = describe(verdict.policy);
  }
  return text.empty() ? text : "    policy   " + text + "\n";
}

using Shown = std::chrono::duration<std::int64_t, std::ratio<1, 10'000>>;

std::string waits_text(const Verdict& verdict, const std::optional<InForce>& in_force) {
  const bool retried = !in_force || in_force->retried;
  const std::vector<Duration> waits = !retried ? std::vector<Duration>()
                                      : in_force
                                          ? waits_under(in_force->policy, verdict.retry_after)
                                          : waits_after(verdict);
  if (waits.empty()) return {};
  std::string text = "    waits    at most";
  for (const Duration wait : waits) text += " " + exact_duration(std::chrono::round<Shown>(wait));
  return text + "\n";
}

std::string verdict_text(const Verdict& verdict, std::string_view unmasked,
                         const std::optional<InForce>& in_force) {
  std::string text = "verdict: " + headline(verdict, in_force);
  if (!verdict.because.empty()) text += "    because  " + verdict.because + "\n";
  if (!verdict.line.empty()) text += "    line     " + verdict.line + "\n";
  for (const Detail& detail : verdict.details) {
    text += "    " + detail.name + "  " + detail.value + "\n";
  }
  if (verdict.retry_after)
    text += "    asked to wait " + exact_duration(*verdict.retry_after) + "\n";
  if (!verdict.note.empty()) text += "    note     " + verdict.note + "\n";
  for (const std::string& rule : verdict.unevaluated) {
    text += "    " + rule + " could not be evaluated within the limits of matching\n";
  }
  text += policy_text(verdict, in_force);
  if (unmasked.empty())
    text += "    there is no evidence: the command printed nothing where rules may look\n";
  return text;
}

}  // namespace

Verdict redacted(Verdict verdict, const Redactor& redact) {
  verdict.line = redact(verdict.line);
  verdict.note = redact(verdict.note);
  for (Detail& detail : verdict.details) detail.value = redact(detail.value);
  return verdict;
}

Verdict redacted_names(Verdict verdict, const Redactor& redact) {
  verdict.rule = redact.known(verdict.rule);
  for (std::string& rule : verdict.unevaluated) rule = redact.known(rule);
  return verdict;
}

Explanation redacted(Explanation explanation, const Redactor& redact) {
  explanation.evidence = redact.lines(explanation.evidence);
  explanation.unmasked = redact.lines(explanation.unmasked);
  explanation.verdict = redacted(std::move(explanation.verdict), redact);
  return explanation;
}

std::string explained(const Explanation& explanation, const std::optional<InForce>& in_force) {
  std::string text =
      "evidence, from " + explanation.stream + ":\n" + indented(explanation.unmasked);
  if (explanation.evidence != explanation.unmasked) {
    text += "\nas rules see it, masked:\n" + indented(explanation.evidence);
  }
  text += "\nrules tried, in order:\n";
  for (const RuleTrial& trial : explanation.trials) {
    text += "    " + trial.rule + " (" + trial.class_name +
            "): " + (trial.held ? "matches" : trial.why_not) + "\n";
  }
  return text + "\n" + verdict_text(explanation.verdict, explanation.unmasked, in_force) +
         waits_text(explanation.verdict, in_force);
}

std::string explained_briefly(const Explanation& explanation, const InForce& in_force) {
  constexpr std::ptrdiff_t most_lines = 10;
  const std::string lines = indented(explanation.unmasked);
  const std::ptrdiff_t left_out =
      std::max(std::count(lines.begin(), lines.end(), '\n') - most_lines, std::ptrdiff_t{0});
  std::size_t from = 0;
  for (std::ptrdiff_t line = 0; line < left_out; ++line) from = lines.find('\n', from) + 1;
  const auto missed = std::count_if(explanation.trials.begin(), explanation.trials.end(),
                                    [](const RuleTrial& trial) { return !trial.held; });
  return "evidence, from " + explanation.stream +
         (left_out == 0 ? ""
                        : ", without its first " +
                              text::counted(static_cast<std::uint64_t>(left_out), "line")) +
         ":\n" + lines.substr(from) +
         verdict_text(explanation.verdict, explanation.unmasked, in_force) +
         waits_text(explanation.verdict, in_force) + "    " +
         text::counted(static_cast<std::uint64_t>(missed), "rule") +
         (missed == 1 ? " does" : " do") + " not match\n";
}

}  // namespace retry_exec
