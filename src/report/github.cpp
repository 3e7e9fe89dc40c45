// The runner's side: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
// It reads "::name properties::message" at the start of a line, and the older "##[name]" anywhere.

#include "report/github.hpp"

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

std::string github_annotation(std::string_view level, std::string_view title,
                              std::string_view message) {
  return "::" + std::string(level) + " title=" + escaped(title, true) +
         "::" + escaped(without_github_commands(message), false) + '\n';
}

}  // namespace retry_exec
