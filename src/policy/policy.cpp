#include <retry_exec/policy.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace retry_exec {

namespace {

template <class T>
std::optional<T> first_said(const std::optional<T>& strong, const std::optional<T>& weak) {
  return strong ? strong : weak;
}

constexpr std::array growth_words = {
    std::pair{Growth::constant, std::string_view("constant")},
    std::pair{Growth::linear, std::string_view("linear")},
    std::pair{Growth::exponential, std::string_view("exponential")},
    std::pair{Growth::decorrelated, std::string_view("decorrelated")},
};

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error wrong(std::string_view text, std::string_view right) {
  return {{}, "'" + std::string(text.substr(0, 64)) + "' is " + std::string(right)};
}

}  // namespace

PolicyFields layered(const PolicyFields& strong, const PolicyFields& weak) {
  const PolicyFields& said = strong.delay || strong.max_delay ? strong : weak;
  return {
      .attempts = first_said(strong.attempts, weak.attempts),
      .delay = first_said(strong.delay, weak.delay),
      .factor = first_said(strong.factor, weak.factor),
      .max_delay = first_said(strong.max_delay, weak.max_delay),
      .backoff = first_said(strong.backoff, weak.backoff),
      .jitter = first_said(strong.jitter, weak.jitter),
      .timeout = first_said(strong.timeout, weak.timeout),
      .idle_timeout = first_said(strong.idle_timeout, weak.idle_timeout),
      .stall_timeout = first_said(strong.stall_timeout, weak.stall_timeout),
      .deadline = first_said(strong.deadline, weak.deadline),
      .kill_after = first_said(strong.kill_after, weak.kill_after),
      .delay_outranks_max = said.delay && (!said.max_delay || said.delay_outranks_max),
  };
}

std::string contradiction(const PolicyFields& fields) {
  if (!fields.delay || !fields.max_delay || *fields.max_delay >= *fields.delay) return {};
  return "a max-delay of " + exact_duration(*fields.max_delay) + " is shorter than the delay of " +
         exact_duration(*fields.delay);
}

Policy policy_from(const PolicyFields& fields) {
  const auto limit = [](const std::optional<Duration>& said) {
    return said == unlimited ? std::nullopt : said;
  };
  Policy policy;
  policy.attempts = fields.attempts.value_or(policy.attempts);
  policy.delay = fields.delay.value_or(policy.delay);
  policy.factor = fields.factor.value_or(policy.factor);
  policy.max_delay = fields.max_delay.value_or(policy.max_delay);
  if (layered(fields, {}).delay_outranks_max) {
    policy.max_delay = std::max(policy.max_delay, policy.delay);
  }
  policy.backoff = fields.backoff.value_or(policy.backoff);
  policy.jitter = fields.jitter.value_or(policy.jitter);
  policy.timeout = limit(fields.timeout);
  policy.idle_timeout = limit(fields.idle_timeout);
  policy.stall_timeout = limit(fields.stall_timeout);
  policy.deadline = limit(fields.deadline);
  policy.kill_after = fields.kill_after.value_or(policy.kill_after);
  return policy;
}

std::string_view to_string(Growth growth) {
  for (const auto& [value, word] : growth_words) {
    if (value == growth) return word;
  }
  return "";
}

Result<Growth> parse_growth(std::string_view text) {
  for (const auto& [value, word] : growth_words) {
    if (word == text) return value;
  }
  return wrong(text, "not a kind of backoff; write constant, linear, exponential or decorrelated");
}

std::string to_string(const Jitter& jitter) {
  switch (jitter.kind) {
    case Jitter::Kind::none:
      return "none";
    case Jitter::Kind::equal:
      return "equal";
    case Jitter::Kind::full:
      return "full";
    case Jitter::Kind::percent:
      return format_number(jitter.percent) + "%";
    case Jitter::Kind::added:
      return exact_duration(jitter.added);
  }
  return "";
}

Result<Jitter> parse_jitter(std::string_view text) {
  if (text == "none") return Jitter{Jitter::Kind::none};
  if (text == "equal") return Jitter{Jitter::Kind::equal};
  if (text == "full") return Jitter{Jitter::Kind::full};
  if (text.ends_with('%')) {
    const auto percent = whole_number<double>(text.substr(0, text.size() - 1));
    if (percent && *percent >= 0 && *percent <= 100) {
      return Jitter{Jitter::Kind::percent, *percent};
    }
  } else if (const Result<Duration> added = parse_duration(text)) {
    return Jitter{Jitter::Kind::added, 0, *added};
  }
  return wrong(
      text,
      "not a jitter; write none, equal, full, a percentage up to 100%, or a duration that is "
      "added");
}

Result<unsigned> parse_attempts(std::string_view text) {
  const auto attempts = whole_number<unsigned>(text);
  if (attempts && *attempts >= 1 && *attempts <= 1'000'000) return *attempts;
  return wrong(text,
               "not a number of attempts; write 1 to 1000000 (the first attempt counts), or use "
               "--forever");
}

Result<Duration> parse_max_delay(std::string_view text) {
  if (text == "none") return unlimited;
  return parse_duration(text);
}

Result<double> parse_factor(std::string_view text) {
  const auto factor = whole_number<double>(text);
  if (factor && *factor >= 0.1 && *factor <= 1000) return *factor;
  return wrong(text, "not a factor; write a number from 0.1 to 1000");
}

}  // namespace retry_exec
