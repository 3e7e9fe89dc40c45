// The runner's side: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
// It reads "::name properties::message" at the start of a line, and the older "##[name]" anywhere.

#include "report/github.hpp"

#include <algorithm>

namespace retry_exec {

namespace {

// What the runner turns back in messages, and in properties also ':' and ','.
std::string escaped(std::string_view text, bool property) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '%':
        result += "%25";
        break;
      case '\r':
        result += "%0D";
        break;
      case '\n':
        result += "%0A";
        break;
      case ':':
        result += property ? "%3A" : ":";
        break;
      case ',':
        result += property ? "%2C" : ",";
        break;
      default:
        result += c;
    }
  }
  return result;
}

}  // namespace

std::string without_github_commands(std::string_view line) {
  std::string result;
  for (const char c : line) {
    if (c == ':' && result.ends_with(':')) result += ' ';
    if (c == '[' && result.ends_with("##")) result += ' ';
    result += c;
  }
  return result;
}

std::string without_github_commands_at_start(std::string_view line) {
  // What the runner trims are the blanks of Unicode, too: they are taken for it byte by byte.
  const auto blank = [](char c) { return static_cast<unsigned char>(c - '!') > '~' - '!'; };
  const auto start = std::find_if_not(line.begin(), line.end(), blank);
  std::string result(line.begin(), start);
  line.remove_prefix(result.size());
  if (line.starts_with("::")) return result + without_github_commands(line);
  for (std::size_t at = 0; (at = line.find("##[")) != std::string_view::npos;) {
    result.append(line.substr(0, at)).append("## ");
    line.remove_prefix(at + 2);
  }
  return result.append(line);
}

std::string github_annotation(std::string_view level, std::string_view title,
                              std::string_view message) {
  return "::" + std::string(level) + " title=" + escaped(title, true) +
         "::" + escaped(without_github_commands(message), false) + '\n';
}

}  // namespace retry_exec
