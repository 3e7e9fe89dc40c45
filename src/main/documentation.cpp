#include "main/documentation.hpp"

#include <array>
#include <optional>

namespace retry_exec {

namespace {

constexpr std::string_view man = "--man";
constexpr std::string_view completions = "--completions";

bool is(std::string_view word, std::string_view option) {
  return word == option || (word.starts_with(option) && word[option.size()] == '=');
}

// "5" of "--man 5" and "--man=5".
std::string_view value_of(std::string_view option, std::span<char* const> arguments) {
  const std::string_view word = arguments.front();
  if (word.size() > option.size()) return word.substr(option.size() + 1);
  return arguments.size() > 1 ? std::string_view(arguments[1]) : std::string_view();
}

Result<std::string> completions_for(std::string_view shell, const CommandLine& line,
                                    const Help& help) {
  if (shell == "bash") return bash_completions(line, help);
  if (shell == "zsh") return zsh_completions(line, help);
  if (shell == "fish") return fish_completions(line, help);
  return shell.empty() ? Error{{}, "--completions needs a value: bash, zsh or fish"}
                       : wrong_value(shell, "is not bash, zsh or fish; write " + line.program() +
                                                " --completions bash");
}

Result<std::string> page(std::string_view section, const CommandLine& line, const Help& help) {
  if (section.empty() || section == "1") return manual_page(line, help);
  if (section == "5" && !help.format.empty()) return format_page(line, help);
  return wrong_value(section, help.format.empty()
                                  ? "is not a page: there is one page, which --man alone prints"
                                  : "is not a page; write 1 (the program) or 5 (the format of its "
                                    "files)");
}

}  // namespace

bool asks_for_documentation(std::span<char* const> arguments) {
  if (arguments.empty()) return false;
  const std::string_view word = arguments.front();
  return is(word, man) || is(word, completions);
}

Result<std::string> documentation(const CommandLine& line, const Help& help,
                                  std::span<char* const> arguments) {
  if (is(arguments.front(), man)) return page(value_of(man, arguments), line, help);
  return completions_for(value_of(completions, arguments), line, help);
}

}  // namespace retry_exec
