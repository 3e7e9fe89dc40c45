#include "voice.hpp"

#include "report/github.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/write.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace retry_exec {

namespace {

bool is_on_github() {
  const char* github = std::getenv("GITHUB_ACTIONS");  // NOLINT(concurrency-mt-unsafe)
  return github != nullptr && std::string_view(github) == "true";
}

std::string without_commands(std::string_view lines) {
  std::string safe;
  while (!lines.empty()) {
    const std::size_t length = std::min(lines.find('\n'), lines.size());
    safe += without_github_commands_at_start(lines.substr(0, length));
    lines.remove_prefix(length);
    if (lines.empty()) break;
    safe += '\n';
    lines.remove_prefix(1);
  }
  return safe;
}

}  // namespace

std::string shown(std::string_view text, Form form) {
  return shown(text, form, is_on_github());
}

int print_log(std::string_view lines, LogFormat format, TimePoint give_up) {
  if (format == LogFormat::github || !is_on_github())
    return write_all(STDERR_FILENO, lines, give_up);
  const std::string safe =
      format == LogFormat::json ? shown(lines, Form::json, true) : without_commands(lines);
  return write_all(STDERR_FILENO, safe, give_up);
}

int print_status(std::string_view drawing, TimePoint give_up) {
  return write_all(STDERR_FILENO, drawing, give_up);
}

int print_answer(int fd, std::string_view text, Form form) {
  return write_all(fd, shown(Redactor({}, environ).known(text), form));
}

int print_documentation(std::string_view text) {
  return write_all(STDOUT_FILENO, text);
}

}  // namespace retry_exec
