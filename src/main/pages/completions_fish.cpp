#include "main/documentation.hpp"
#include "main/pages/completions.hpp"

namespace retry_exec {

namespace {

// Unlike in other shells, a backslash means itself in single quotes only before another character.
std::string fish_word(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

std::string option(const std::string& start, const OptionText& text) {
  std::string line = start;
  if (text.letter != '\0') line += std::string(" -s ") + text.letter;
  line += " -l " + text.name;
  if (!text.argument.empty()) {
    const Choices choices = choices_of(text);
    std::string words = joined(choices.words);
    if (choices.targets) words = "(__retry_publish_targets)";
    if (choices.folders) words = "(__fish_complete_directories)";
    line += choices.files ? " -r -F" : " -x";
    if (!words.empty()) line += " -a " + fish_word(words);
  }
  return line + " -d " + fish_word(text.help) + "\n";
}

// Has the command begun, to which all further words belong?
std::string begun_function(const CommandLine& line, const std::string& name) {
  return "function " + name + R"(
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case --
                return 0
            case )" +
         joined(option_words(line, true)) + R"(
                set -e words[1]
            case '-*'
            case '*'
                return 0
        end
        set -e words[1]
    end
    return 1
end
)";
}

std::string targets_function() {
  return std::string(R"(function __retry_publish_targets
    for plan in (commandline -opc) (commandline -o)
        string match -qr '\.ya?ml$' -- $plan; and test -f $plan; or continue
        )") +
         target_names + R"(
        return
    end
end
)";
}

std::string operands(const std::string& start, const std::vector<CommandText>& commands) {
  if (commands.empty()) return start + " -F\n";
  std::string text = start + " -f\n";
  for (const CommandText& command : commands) {
    text += start + " -n __fish_use_subcommand -a " + command.name + " -d " +
            fish_word(command.help) + "\n";
  }
  text += start + " -n '__fish_seen_subcommand_from show' -F -a " + fish_word(joined(set_names())) +
          "\n";
  for (const CommandText& command : commands) {
    if (command.name == "show" || command.name == "list") continue;
    text += start + " -n '__fish_seen_subcommand_from " + command.name + "' -F\n";
  }
  return text;
}

}  // namespace

std::string fish_completions(const CommandLine& line, const Help& help) {
  const std::string start = "complete -c " + line.program();
  const bool command = line.where_operands_stand() == CommandLine::Operands::last;
  const std::string begun = "__" + function_name(line.program()) + "_begun";
  std::string text = "# Printed by: " + line.program() + " --completions fish\n";
  if (command) text += begun_function(line, begun);
  for (const OptionText& one : line.options()) {
    if (choices_of(one).targets) text += targets_function();
  }
  for (const OptionText& one : line.options()) {
    text += option(command ? start + " -n 'not " + begun + "'" : start, one);
  }
  if (!command) return text + operands(start, commands_of(help));
  return text + start + " -x -a " +
         fish_word("(__fish_complete_subcommand " + joined(option_words(line, true)) + ")") + "\n";
}

}  // namespace retry_exec
