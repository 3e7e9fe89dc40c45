#include "main/pages/completions.hpp"

#include <retry_exec/rules.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec {

namespace {

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

void add_words(std::vector<std::string>& words, std::string_view text, std::string_view separator) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view word = text.substr(0, end);
    if (is_word(word)) words.emplace_back(word);
    text.remove_prefix(std::min(end + separator.size(), text.size()));
  }
}

// "a, b" of "explain, suggest: a, b, or something else (default)".
std::vector<std::string> words_listed_in(std::string_view help) {
  help = help.substr(0, help.find(" ("));
  if (const std::size_t colon = help.rfind(": "); colon != std::string_view::npos) {
    help.remove_prefix(colon + 2);
  }
  std::vector<std::string> words;
  while (!help.empty()) {
    const std::size_t end = std::min(help.find(", "), help.size());
    add_words(words, help.substr(0, end), " or ");
    help.remove_prefix(std::min(end + 2, help.size()));
  }
  return words;
}

bool names_words(std::string_view argument) {
  return argument == "KIND" || argument == "FORMAT" || argument == "WORD" || argument == "WHEN";
}

}  // namespace

Choices choices_of(const OptionText& option) {
  const std::string_view argument = option.argument;
  Choices choices;
  choices.files = argument.find("FILE") != std::string_view::npos;
  choices.folders = argument == "FOLDER";
  choices.targets = argument == "TARGET";
  if (argument == "NAME|FILE") {
    choices.words = set_names();
    choices.words.emplace_back("auto");
  } else if (argument == "SIG") {
    choices.words = {"TERM", "INT", "HUP", "QUIT", "KILL", "USR1", "USR2"};
  } else if (names_words(argument)) {
    choices.words = words_listed_in(option.help);
  } else {
    add_words(choices.words, argument, "|");
  }
  return choices;
}

std::vector<std::string> set_names() {
  std::vector<std::string> names;
  for (const BuiltinSet& set : builtin_sets()) names.emplace_back(set.name);
  return names;
}

std::vector<CommandText> commands_of(const Help& help) {
  std::vector<CommandText> commands;
  for (std::string_view rest = help.usage; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t text = line.rfind("  ");
    if (!line.starts_with("  ") || text < 2 || line.starts_with("   ")) continue;
    commands.push_back(
        {std::string(line.substr(2, line.find(' ', 2) - 2)), std::string(line.substr(text + 2))});
  }
  return commands;
}

std::vector<std::string> option_words(const CommandLine& line, bool with_value) {
  std::vector<std::string> words;
  for (const OptionText& option : line.options()) {
    if (option.argument.empty() == with_value) continue;
    if (option.letter != '\0') words.push_back(std::string("-") + option.letter);
    words.push_back("--" + option.name);
  }
  return words;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  return text::joined(words, separator);
}

std::string function_name(std::string_view program) {
  std::string name(program);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string in_quotes(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

const char* const target_names =
    R"(retry-publish --matrix "$plan" 2>/dev/null | grep -o '"target":"[^"]*"' | cut -d '"' -f 4)";

}  // namespace retry_exec
