#include "explanation.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace retry_exec {

std::string words(const PolicyFields& policy) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  const auto duration = [&](const char* name, const std::optional<Duration>& value) {
    if (value) add(std::string(name) + " " + format_duration(*value));
  };
  if (policy.attempts) {
    add(*policy.attempts == 0 ? "attempts without end"
                              : std::to_string(*policy.attempts) + " attempts");
  }
  duration("delay", policy.delay);
  if (policy.factor) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", *policy.factor);
    add(std::string("factor ") + digits);
  }
  duration("max-delay", policy.max_delay);
  if (policy.backoff) add("backoff " + std::string(to_string(*policy.backoff)));
  if (policy.jitter) add("jitter " + to_string(*policy.jitter));
  duration("timeout", policy.timeout);
  duration("idle-timeout", policy.idle_timeout);
  duration("stall-timeout", policy.stall_timeout);
  duration("deadline", policy.deadline);
  duration("kill-after", policy.kill_after);
  return text;
}

std::vector<Duration> waits_after(const Verdict& verdict) {
  const Policy policy = policy_from(verdict.policy);
  const Backoff backoff(policy, [] { return 0.0; });
  std::vector<Duration> waits;
  constexpr unsigned most_shown = 10;
  const unsigned attempts =
      policy.attempts == 0 ? most_shown : std::min(policy.attempts, most_shown);
  for (unsigned n = 1; verdict.retry && n < attempts; ++n) {
    waits.push_back(std::max(backoff.longest(n), verdict.retry_after.value_or(Duration::zero())));
  }
  return waits;
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

std::string verdict_text(const Verdict& verdict, std::string_view unmasked) {
  std::string text = "\nverdict: " + verdict.class_name;
  if (verdict.matched) text += " (" + verdict.rule + "), " + (verdict.retry ? "retried" : "stops");
  text += verdict.matched ? "\n" : ": no rule knows it; `retry-rules suggest` begins one\n";
  if (!verdict.because.empty()) text += "    because  " + verdict.because + "\n";
  if (!verdict.line.empty()) text += "    line     " + verdict.line + "\n";
  for (const Detail& detail : verdict.details) {
    text += "    " + detail.name + "  " + detail.value + "\n";
  }
  if (verdict.retry_after)
    text += "    asked to wait " + format_duration(*verdict.retry_after) + "\n";
  if (!verdict.note.empty()) text += "    note     " + verdict.note + "\n";
  for (const std::string& rule : verdict.unevaluated) {
    text += "    " + rule + " could not be evaluated within the limits of matching\n";
  }
  if (const std::string policy = words(verdict.policy); verdict.matched && !policy.empty()) {
    text += "    policy   " + policy + "\n";
  }
  if (unmasked.empty())
    text += "    there is no evidence: the command printed nothing where rules may look\n";
  return text;
}

}  // namespace

Explanation redacted(Explanation explanation, const Redactor& redact) {
  explanation.evidence = redact.lines(explanation.evidence);
  explanation.unmasked = redact.lines(explanation.unmasked);
  Verdict& verdict = explanation.verdict;
  verdict.line = redact(verdict.line);
  verdict.note = redact(verdict.note);
  for (Detail& detail : verdict.details) detail.value = redact(detail.value);
  return explanation;
}

std::string explained(const Explanation& explanation) {
  std::string text =
      "evidence, from " + explanation.stream + ":\n" + indented(explanation.unmasked);
  if (explanation.evidence != explanation.unmasked) {
    text += "\nas rules see it, masked:\n" + indented(explanation.evidence);
  }
  text += "\nrules tried, in order:\n";
  for (const RuleTrial& trial : explanation.trials) {
    text += "    " + trial.rule + " (" + trial.class_name +
            "): " + (trial.held ? "holds" : trial.why_not) + "\n";
  }
  text += verdict_text(explanation.verdict, explanation.unmasked);
  const std::vector<Duration> waits = waits_after(explanation.verdict);
  if (!waits.empty()) {
    text += "    waits    at most";
    for (const Duration wait : waits) text += " " + format_duration(wait);
    text += "\n";
  }
  return text;
}

}  // namespace retry_exec
