#include "rules/evidence.hpp"

#include <algorithm>

namespace retry_exec::rules {

namespace {

bool matches_form(std::string_view text, std::string_view form) {
  return text.size() >= form.size() &&
         std::equal(form.begin(), form.end(), text.begin(),
                    [](char f, char c) { return f == 'd' ? c >= '0' && c <= '9' : f == c; });
}

std::string_view without_digits(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of("0123456789"), text.size()));
}

// "2026-11-05T10:00:00.0000000Z " as CI systems put it before each line of a log; GitLab adds two
// characters for the stream and one that says whether the line goes on.
std::string_view without_time_stamp(std::string_view line) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
  if (!matches_form(line, form)) return line;
  std::string_view rest = line.substr(form.size());
  if (rest.starts_with('.')) rest = without_digits(rest.substr(1));
  if (!rest.starts_with("Z ")) return line;
  rest.remove_prefix(2);
  const bool gitlab = matches_form(rest, "dd") && rest.size() > 2 &&
                      (rest[2] == 'O' || rest[2] == 'E') &&
                      (rest.size() == 3 || rest[3] == ' ' || rest[3] == '+');
  return gitlab ? rest.substr(std::min<std::size_t>(rest.size(), 4)) : rest;
}

// "#12 1.234 " of BuildKit's plain progress.
std::string_view without_build_step(std::string_view line) {
  if (!line.starts_with('#')) return line;
  std::string_view rest = without_digits(line.substr(1));
  if (rest.size() == line.size() - 1 || !rest.starts_with(' ')) return line;
  const std::string_view seconds = rest.substr(1);
  rest = without_digits(seconds);
  if (rest.size() == seconds.size() || !rest.starts_with('.')) return line;
  rest = without_digits(rest.substr(1));
  return rest.starts_with(' ') ? rest.substr(1) : line;
}

}  // namespace

std::string_view without_line_prefix(std::string_view line) {
  line = without_build_step(without_time_stamp(line));
  // Terraform draws a box around an error.
  for (const std::string_view mark : {"│ ", "##[error]", "##[warning]"}) {
    if (line.starts_with(mark)) line.remove_prefix(mark.size());
  }
  return line;
}

}  // namespace retry_exec::rules
