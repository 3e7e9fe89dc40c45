#include "main/voice.hpp"

#include "report/github.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>
#include <retry_exec/write.hpp>

#include <unistd.h>

#include <cstdlib>

namespace retry_exec {

namespace {

bool is_on_github() {
  const char* github = std::getenv("GITHUB_ACTIONS");  // NOLINT(concurrency-mt-unsafe)
  return github != nullptr && std::string_view(github) == "true";
}

}  // namespace

std::string shown(std::string_view text, Form form) {
  return shown(text, form, is_on_github());
}

int print_log(std::string_view lines, LogFormat format, TimePoint give_up) {
  if (format == LogFormat::github || !is_on_github())
    return write_all(STDERR_FILENO, lines, give_up);
  const std::string safe = format == LogFormat::json
                               ? shown(lines, Form::json, true)
                               : text::with_each_line(lines, without_github_commands_at_start);
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

void print_out_of_memory(std::string_view program) {
  write_all(STDERR_FILENO, program);
  write_all(STDERR_FILENO, ": out of memory\n");
}

}  // namespace retry_exec
