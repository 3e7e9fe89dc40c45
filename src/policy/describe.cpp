#include <retry_exec/policy.hpp>
#include <retry_exec/text.hpp>

namespace retry_exec {

namespace {

std::string words(unsigned number) {
  return number == 0 ? "unlimited" : std::to_string(number);
}
std::string words(double number) {
  return format_number(number);
}
std::string words(Duration duration) {
  return exact_duration(duration);
}
template <class Value>
std::string words(const Value& value) {
  return std::string(to_string(value));
}

std::string limit(const std::optional<Duration>& duration, std::string_view what) {
  return duration ? ", " + exact_duration(*duration) + ' ' + std::string(what) : std::string();
}
template <class Value>
std::string limit(const Value&, std::string_view) {
  return {};
}

}  // namespace

std::string describe(const PolicyFields& fields) {
  std::string text;
  for_each_policy_field([&](const auto& field) {
    const auto& said = fields.*field.said;
    if (!said) return;
    const std::string name(field.name);
    const std::string value = words(*said);
    text::append_to(text, name != "attempts" ? name + ' ' + value
                          : value == "1"     ? "1 attempt"
                                             : value + " attempts");
  });
  return text;
}

std::string describe(const Policy& policy) {
  std::string text = policy.attempts == 0 ? "unlimited attempts"
                     : policy.attempts == 1
                         ? "1 attempt"
                         : "up to " + std::to_string(policy.attempts) + " attempts";
  if (policy.attempts != 1) {
    text += ", " + std::string(to_string(policy.backoff)) + " waits from " +
            exact_duration(policy.delay);
    if (policy.backoff == Growth::linear || policy.backoff == Growth::exponential) {
      text += " by " + format_number(policy.factor);
    }
    text += policy.max_delay == unlimited ? " without an upper limit"
                                          : " up to " + exact_duration(policy.max_delay);
    text += ", jitter " + to_string(policy.jitter);
  }
  std::string limits;
  for_each_policy_field(
      [&](const auto& field) { limits += limit(policy.*field.chosen, field.limits); });
  if (!limits.empty() && policy.kill_after != Policy{}.kill_after) {
    text += ", KILL " + exact_duration(policy.kill_after) + " after the first signal";
  }
  return text + limits;
}

}  // namespace retry_exec
