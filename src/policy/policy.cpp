#include <retry_exec/policy.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace retry_exec {

namespace {

constexpr std::array growth_words = {
    std::pair{Growth::constant, std::string_view("constant")},
    std::pair{Growth::linear, std::string_view("linear")},
    std::pair{Growth::exponential, std::string_view("exponential")},
    std::pair{Growth::decorrelated, std::string_view("decorrelated")},
};

template <class Value>
void choose(Value& chosen, const Value& said) {
  chosen = said;
}

void choose(std::optional<Duration>& limit, const Duration& said) {
  limit = said == unlimited ? std::nullopt : std::optional(said);
}

}  // namespace

PolicyFields layered(const PolicyFields& strong, const PolicyFields& weak) {
  PolicyFields fields = strong;
  for_each_policy_field([&](const auto& field) {
    if (!(fields.*field.said)) fields.*field.said = weak.*field.said;
  });
  const PolicyFields& said = strong.delay || strong.max_delay ? strong : weak;
  fields.delay_outranks_max = said.delay && (!said.max_delay || said.delay_outranks_max);
  return fields;
}

PolicyFields only(PolicyPart part, const PolicyFields& fields) {
  PolicyFields some;
  for_each_policy_field([&](const auto& field) {
    if (field.part == part) some.*field.said = fields.*field.said;
  });
  if (part == PolicyPart::pace) some.delay_outranks_max = fields.delay_outranks_max;
  return some;
}

std::string contradiction(const PolicyFields& fields) {
  if (!fields.delay || !fields.max_delay || *fields.max_delay >= *fields.delay) return {};
  return "a max-delay of " + exact_duration(*fields.max_delay) + " is shorter than the delay of " +
         exact_duration(*fields.delay);
}

Policy policy_from(const PolicyFields& fields) {
  Policy policy;
  for_each_policy_field([&](const auto& field) {
    if (const auto& said = fields.*field.said) choose(policy.*field.chosen, *said);
  });
  if (layered(fields, {}).delay_outranks_max) {
    policy.max_delay = std::max(policy.max_delay, policy.delay);
  }
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
  return wrong_value(
      text, "is not a kind of backoff; write constant, linear, exponential or decorrelated");
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
    const auto percent = text::number_from<double>(text.substr(0, text.size() - 1));
    if (percent && *percent >= 0 && *percent <= 100) {
      return Jitter{Jitter::Kind::percent, *percent};
    }
  } else if (const Result<Duration> added = parse_duration(text)) {
    return Jitter{Jitter::Kind::added, 0, *added};
  }
  return wrong_value(
      text,
      "is not a jitter; write none, equal, full, a percentage up to 100%, or a duration that is "
      "added");
}

Result<unsigned> parse_attempts(std::string_view text) {
  const auto attempts = text::number_from<unsigned>(text);
  if (attempts && *attempts >= 1 && *attempts <= 1'000'000) return *attempts;
  return wrong_value(text,
                     "is not a number of attempts; write 1 to 1000000 (the first attempt counts)");
}

Result<double> parse_factor(std::string_view text) {
  const auto factor = text::number_from<double>(text);
  if (factor && *factor >= 0.1 && *factor <= 1000) return *factor;
  return wrong_value(text, "is not a factor; write a number from 0.1 to 1000");
}

}  // namespace retry_exec
