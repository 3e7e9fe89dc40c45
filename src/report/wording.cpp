#include "report/wording.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec {

namespace {

// The length of the digest at the start of `text`; 0 when there is none.
std::size_t digest_length(std::string_view text) {
  const std::size_t name = text.starts_with("sha256:") || text.starts_with("sha512:") ? 7 : 0;
  if (name == 0) return 0;
  const std::size_t digits = text[3] == '2' ? 64 : 128;
  const std::string_view hex = text.substr(name, digits);
  const bool whole =
      hex.size() == digits && hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return whole ? name + digits : 0;
}

// Where the next digest begins, from `at` on.
std::size_t find_digest(std::string_view text, std::size_t at) {
  do {
    at = text.find("sha", at);
  } while (at != std::string_view::npos && digest_length(text.substr(at)) == 0 && ++at != 0);
  return at;
}

// The digest that a failure is about: the detail of that name, else the first one in the line.
std::string digest_of(const Verdict& verdict, std::string_view line, const Redactor& redact) {
  for (const Detail& detail : verdict.details) {
    if (detail.name == "digest") return redact(detail.value);
  }
  const std::size_t at = find_digest(line, 0);
  if (at == std::string_view::npos) return {};
  return std::string(line.substr(at, digest_length(line.substr(at))));
}

std::string interruption(const RunFinished& end) {
  if (!end.why.empty()) return "interrupted: " + end.why;
  const int signal = end.exit_code - exit_code::signal_base;
  return signal > 0 ? "interrupted by " + signal_name(signal) : "interrupted";
}

// Why there was no retry, where the verdict alone does not say it.
std::string because(const RunFinished& end, const Redactor& redact) {
  return end.why.empty() ? "" : " (" + redact(end.why) + ")";
}

std::string after_attempts(const RunFinished& end) {
  return " after " + text::counted(end.attempts, "attempt") + " in " + format_duration(end.elapsed);
}

}  // namespace

AttemptFinished as_event(const AttemptRecord& attempt) {
  return {.attempt = attempt.number,
          .max_attempts = 0,
          .outcome = attempt.outcome,
          .elapsed = attempt.elapsed,
          .verdict = attempt.verdict,
          .remarks = attempt.remarks};
}

std::string attempt_name(unsigned attempt, unsigned max_attempts) {
  std::string name = "attempt " + std::to_string(attempt);
  // Each class counts its own failures, so that a run may be longer than one class's share.
  if (max_attempts >= attempt) name += '/' + std::to_string(max_attempts);
  return name;
}

std::string class_and_rule(const std::optional<Verdict>& verdict) {
  if (!verdict || !verdict->matched) return {};
  return text::printable(verdict->class_name + " (" + verdict->rule + ")");
}

std::string judged(const AttemptFinished& failed, const Redactor& redact) {
  std::string text = redact(to_string(failed.outcome));
  if (const std::string judgement = class_and_rule(failed.verdict); !judgement.empty()) {
    text += ", " + judgement;
  }
  return text;
}

std::string before_retry_text(const BeforeRetryFinished& ran) {
  const std::string how = succeeded(ran.outcome) ? "succeeded" : "failed";
  return "--before-retry " + how + " in " + format_duration(ran.elapsed) + ": " +
         text::printable(to_string(ran.outcome));
}

std::string with_short_digests(std::string_view text) {
  constexpr std::size_t shown_digits = 8;
  std::string shortened;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t digest = std::min(find_digest(text, at), text.size());
    shortened += text.substr(at, digest - at);
    at = digest;
    if (at == text.size()) break;
    shortened += text.substr(at, std::string_view("sha256:").size() + shown_digits);
    shortened += "…";
    at += digest_length(text.substr(at));
  }
  return shortened;
}

std::string excerpt(const Verdict& verdict, const Redactor& redact, std::size_t columns) {
  std::string line = redact(verdict.line);
  if (line.starts_with("Error: ")) line.erase(0, std::string_view("Error: ").size());
  const std::string digest = digest_of(verdict, line, redact);
  const std::string named = digest.empty() ? "" : " (" + digest + ")";
  const std::size_t at = line.find(digest);
  const bool says_it = at != std::string::npos;
  const std::string whole = says_it ? line : line + named;
  if (text::columns_of(whole) <= columns || digest.empty())
    return text::fitted_in_the_middle(whole, columns);

  if (says_it) {
    std::string once = with_short_digests(line.substr(0, at)) + digest +
                       with_short_digests(line.substr(at + digest.size()));
    if (text::columns_of(once) <= columns) return once;
  }
  constexpr std::size_t least = 40;
  const std::size_t left = std::max(columns, named.size() + least) - named.size();
  return text::fitted_in_the_middle(with_short_digests(line), left) + named;
}

std::string ending(const RunFinished& end, const std::optional<AttemptFinished>& last,
                   const Redactor& redact) {
  const std::string failure = last ? judged(*last, redact) : std::string();
  const std::string known = last ? class_and_rule(last->verdict) : std::string();
  const std::string again = end.attempts > 1 ? "not retried again: " : "not retried: ";
  switch (end.reason) {
    case StopReason::success:
      return "succeeded on " + attempt_name(end.attempts, last ? last->max_attempts : 0) +
             " after " + format_duration(end.elapsed);
    case StopReason::done:
      return "succeeded after " + text::counted(end.attempts, "attempt") + " in " +
             format_duration(end.elapsed) + ": " + failure +
             ", after an attempt whose answer was lost";
    case StopReason::permanent:
      return again + (known.empty() ? failure : known) + because(end, redact);
    case StopReason::unmatched:
      return again + failure + ", a failure that no rule knows" + because(end, redact);
    case StopReason::exhausted:
      return "gave up" + after_attempts(end) + ": " + failure + because(end, redact);
    case StopReason::deadline:
      return "gave up at the deadline" + after_attempts(end) + ": " + failure +
             because(end, redact);
    case StopReason::input_spent:
      return again + redact(end.why);
    case StopReason::budget:
      return "gave up" + after_attempts(end) + ", the retry budget is used up: " + failure +
             because(end, redact);
    case StopReason::interrupted:
      return interruption(end) + after_attempts(end);
    case StopReason::not_started:
      return !failure.empty() ? failure : "not started: " + redact(end.why);
    case StopReason::internal:
      return "stopped: " + redact(end.why);
  }
  return {};
}

}  // namespace retry_exec
