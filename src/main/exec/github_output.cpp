#include "main/exec/github_output.hpp"

#include "main/program.hpp"
#include "values/unique_fd.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace retry_exec {

namespace {

// Did the command stop in the middle of a line?
bool line_is_open(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return false;
  struct stat status {};
  char last = '\n';
  const bool read = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                    status.st_size > 0 && ::pread(file.get(), &last, 1, status.st_size - 1) == 1;
  return read && last != '\n';
}

}  // namespace

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
  return append_summary(path, (line_is_open(path) ? "\n" : "") + std::string(lines), give_up);
}

}  // namespace retry_exec
