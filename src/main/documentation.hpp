// What explains a program besides --help, made from the same definitions: pages of the manual, and
// completions for shells.
#pragma once

#include "main/program.hpp"

#include <span>
#include <string>
#include <string_view>

namespace retry_exec {

// Is the first argument --man or --completions? They are not in the table of options: nothing is
// declared for them at each start.
bool asks_for_documentation(std::span<char* const> arguments);

// "--man", "--man 5", "--completions bash".
Result<std::string> documentation(const CommandLine& line, const Help& help,
                                  std::span<char* const> arguments);

// The page of section 1, in man(7).
std::string manual_page(const CommandLine& line, const Help& help);

// The page of section 5: of the format of the files that the program reads.
std::string format_page(const CommandLine& line, const Help& help);

std::string bash_completions(const CommandLine& line, const Help& help);
std::string zsh_completions(const CommandLine& line, const Help& help);
std::string fish_completions(const CommandLine& line, const Help& help);

}  // namespace retry_exec
