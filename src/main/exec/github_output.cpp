#include "main/exec/github_output.hpp"

#include "main/program.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec {

Result<std::string> parse_output_prefix(std::string_view text) {
  constexpr std::size_t longest = 64;
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto fits = [letter](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  if (!text.empty() && text.size() <= longest && letter(text.front()) &&
      std::all_of(text.begin(), text.end(), fits)) {
    return std::string(text);
  }
  return Error{{},
               "'" + std::string(text.substr(0, longest)) +
                   "' is not a valid start of an output's name; write letters, digits, '-' and "
                   "'_', such as retry-"};
}

std::string github_outputs(std::string_view prefix, const RunResult& result,
                           std::string_view rule) {
  const auto line = [prefix](std::string_view name, const std::string& value) {
    return std::string(prefix).append(name) + '=' + text::printable(value) + '\n';
  };
  return line("attempts", std::to_string(result.attempts)) +
         line("reason", std::string(to_string(result.reason))) + line("rule", std::string(rule));
}

Result<void> append_github_output(std::string_view lines, TimePoint give_up) {
  const char* path = from_environment("GITHUB_OUTPUT");
  if (path == nullptr || *path == '\0') {
    return Error{{}, "--github-output: GITHUB_OUTPUT is not set, so there is nowhere to write to"};
  }
  return append_summary(path, lines, give_up);
}

}  // namespace retry_exec
