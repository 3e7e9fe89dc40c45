#include <retry_exec/rules.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec {

namespace {

std::optional<int> exit_code_from(std::string_view text) {
  const auto code = text::number_from<int>(text);
  return code && *code >= 0 && *code <= 255 ? code : std::nullopt;
}

std::optional<CodeRange> range_from(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = exit_code_from(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : exit_code_from(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return CodeRange{*first, *last};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

bool CodeSet::contains(const Outcome& outcome) const {
  const int code = exit_code_of(outcome);
  const auto* signalled = std::get_if<Signalled>(&outcome);
  return std::any_of(codes.begin(), codes.end(),
                     [code](const CodeRange& range) {
                       return range.first <= code && code <= range.last;
                     }) ||
         (signalled != nullptr &&
          std::find(signals.begin(), signals.end(), signalled->signal) != signals.end()) ||
         (timeouts && std::holds_alternative<TimedOut>(outcome));
}

Result<CodeSet> parse_code_set(std::string_view text) {
  CodeSet set;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = trimmed(rest.substr(0, comma));
    const bool numeric = !item.empty() && item.front() >= '0' && item.front() <= '9';
    if (const auto range = range_from(item)) {
      set.codes.push_back(*range);
    } else if (const auto signal = numeric ? std::nullopt : parse_signal(item)) {
      set.signals.push_back(*signal);
    } else if (item == "timeout") {
      set.timeouts = true;
    } else {
      return Error{{},
                   "'" + std::string(item) +
                       "' is not valid; write exit codes (0 to 255), ranges such as 64-78, signals "
                       "such as KILL, or timeout"};
    }
    if (comma == std::string_view::npos) return set;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace retry_exec
