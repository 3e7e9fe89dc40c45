#include "rules/evidence/evidence.hpp"

#include <retry_exec/text.hpp>

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

// Two characters for the stream, and one that says whether the line goes on.
std::string_view without_stream_of_gitlab(std::string_view text) {
  const bool gitlab = matches_form(text, "dd") && text.size() > 2 &&
                      (text[2] == 'O' || text[2] == 'E') &&
                      (text.size() == 3 || text[3] == ' ' || text[3] == '+');
  return gitlab ? text.substr(std::min<std::size_t>(text.size(), 4)) : text;
}

// What CI systems put before each line of a log, and loggers before theirs:
// "2026-11-05T10:00:00.0000000Z ", "2026-11-05 10:00:00,123 | ", "10:00:00 ", "(10:00:00) ",
// "[9:00:00 PM] ".
std::string_view without_time_stamp(std::string_view line) {
  std::string_view rest = line;
  std::string_view end;
  if (text::remove_prefix_of(rest, "[")) {
    end = "]";
  } else if (text::remove_prefix_of(rest, "(")) {
    end = ")";
  }
  const bool dated = matches_form(rest, "dddd-dd-ddT") || matches_form(rest, "dddd-dd-dd ");
  if (dated) rest.remove_prefix(std::string_view("dddd-dd-ddT").size());
  const std::string_view after_hour = without_digits(rest);
  const std::size_t digits_of_hour = rest.size() - after_hour.size();
  if (digits_of_hour < 1 || digits_of_hour > 2 || !matches_form(after_hour, ":dd:dd")) return line;
  rest = after_hour;
  rest.remove_prefix(std::string_view(":dd:dd").size());
  if (matches_form(rest, ".d") || matches_form(rest, ",d")) rest = without_digits(rest.substr(1));
  const bool utc = text::remove_prefix_of(rest, "Z");
  if (!text::remove_prefix_of(rest, " AM")) text::remove_prefix_of(rest, " PM");
  if (!text::remove_prefix_of(rest, end)) return line;
  if (!text::remove_prefix_of(rest, " | ") && !text::remove_prefix_of(rest, " ")) return line;
  return dated && utc ? without_stream_of_gitlab(rest) : rest;
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

// What is left has none: a line that was read once is the same when it is read again. A builder
// puts its own before that of a logger.
std::string_view without_line_prefix(std::string_view line) {
  for (std::size_t size = line.size() + 1; line.size() < size;) {
    size = line.size();
    line = without_build_step(without_time_stamp(line));
    // Terraform draws a box around an error.
    for (const std::string_view mark : {"│ ", "##[error]", "##[warning]"}) {
      text::remove_prefix_of(line, mark);
    }
  }
  return line;
}

}  // namespace retry_exec::rules
