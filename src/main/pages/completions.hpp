// What the completions of all shells are made from.
#pragma once

#include "main/program.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

// What an option's value may be, as far as a shell can offer it.
struct Choices {
  std::vector<std::string> words;
  bool files = false;
  bool folders = false;
  bool targets = false;  // of the plan on the command line
};

// From the option's argument ("retry|stop", "FILE", "SIG") and, where that is only the name of a
// kind of word, from its help ("constant, linear, exponential or decorrelated (exponential)").
Choices choices_of(const OptionText& option);

// The names of the built-in rule sets.
std::vector<std::string> set_names();

// A row of the table of commands in a program's usage.
struct CommandText {
  std::string name;
  std::string help;
};

// None: the operands are files, or a command.
std::vector<CommandText> commands_of(const Help& help);

// Of options with a value, or without: "--max-delay" and "-m", in order.
std::vector<std::string> option_words(const CommandLine& line, bool with_value);

std::string joined(const std::vector<std::string>& words, std::string_view separator = " ");

// "retry_exec" of "retry-exec".
std::string function_name(std::string_view program);

// A word in single quotes, for any shell here.
std::string in_quotes(std::string_view text);

// Prints the names of the targets of the plan in $plan, for any shell here.
extern const char* const target_names;

}  // namespace retry_exec
