// What is told of the options: by --help, the manual and the completions.
#include "main/command_line.hpp"

#include <algorithm>

namespace retry_exec {

std::vector<OptionText> CommandLine::options() const {
  std::vector<OptionText> texts;
  for (const Declared& option : declared_) {
    texts.push_back({.letter = option.letter.empty() ? '\0' : option.letter.front(),
                     .name = std::string(option.name),
                     .argument = std::string(option.argument),
                     .help = option.help,
                     .repeatable = option.times == Times::each});
  }
  return texts;
}

std::string CommandLine::table() const {
  constexpr std::size_t column = 32;
  constexpr std::size_t width = 100;
  std::string table;
  for (const OptionText& option : options()) {
    std::string line = option.letter == '\0' ? "      " : std::string("  -") + option.letter + ", ";
    line += "--" + option.name;
    if (!option.argument.empty()) line += " " + option.argument;
    line.resize(std::max(line.size() + 1, column), ' ');
    std::string_view help = option.help;
    while (line.size() + help.size() > width) {
      const std::size_t cut = help.rfind(' ', width - line.size());
      if (cut == std::string_view::npos || cut == 0) break;
      table += line + std::string(help.substr(0, cut)) + "\n";
      help.remove_prefix(cut + 1);
      line.assign(column, ' ');
    }
    table += line + std::string(help) + "\n";
  }
  return table;
}

}  // namespace retry_exec
