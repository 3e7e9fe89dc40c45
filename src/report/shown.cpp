#include "report/shown.hpp"

#include "report/github.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <cstdio>

namespace retry_exec {

namespace {

std::string hex(const char* format, char32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, format, static_cast<unsigned>(value));  // NOLINT: ours
  return text;
}

std::string yaml_escape(char32_t value) {
  return value <= 0xff     ? hex("\\x%02x", value)
         : value <= 0xffff ? hex("\\u%04x", value)
                           : hex("\\U%08x", value);
}

std::string json_escape(char32_t value) {
  if (value <= 0xffff) return hex("\\u%04x", value);
  return hex("\\u%04x", 0xd800 + ((value - 0x10000) >> 10U)) +
         hex("\\u%04x", 0xdc00 + ((value - 0x10000) & 0x3ffU));
}

// A line in which all that can be seen is as it was.
std::string escaped(std::string_view line, std::string (*escape)(char32_t)) {
  constexpr char32_t replacement = 0xfffd;
  std::string result;
  while (!line.empty()) {
    const text::CodePoint point = text::first_code_point(line);
    const std::string_view bytes = line.substr(0, point.length);
    line.remove_prefix(point.length);
    const bool end_of_line = point.value == '\r' && line.empty();
    const bool seen = point.value == '\t' || end_of_line || !text::is_unseen(point.value);
    if (point.valid && seen) {
      result += bytes;
    } else {
      result += escape(point.valid ? point.value : replacement);
    }
  }
  return result;
}

// The runner reads "##[" anywhere; a line of JSON begins with no colon.
std::string without_commands_in_json(std::string line) {
  for (std::size_t at = 0; (at = line.find("##[", at)) != std::string::npos;) {
    line.replace(at, 3, "##\\u005b");
  }
  return line;
}

std::string shown_line(std::string_view line, Form form, bool on_github) {
  if (form == Form::json) {
    std::string safe = escaped(line, json_escape);
    return on_github ? without_commands_in_json(std::move(safe)) : safe;
  }
  const std::string safe = form == Form::text ? text::printable(line) : escaped(line, yaml_escape);
  return on_github ? without_github_commands_at_start(safe) : safe;
}

}  // namespace

std::string shown(std::string_view text, Form form, bool on_github) {
  return text::with_each_line(
      text, [&](std::string_view line) { return shown_line(line, form, on_github); });
}

}  // namespace retry_exec
