#include "main/documentation.hpp"
#include "main/pages/completions.hpp"

namespace retry_exec {

namespace {

std::string with_backslashes(std::string_view text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string action(const Choices& choices) {
  const std::string words = "(" + joined(choices.words) + ")";
  if (!choices.words.empty() && choices.files) {
    return R"({_alternative "words\:name\:)" + words + R"(" "files\:file\:_files"})";
  }
  if (!choices.words.empty()) return words;
  if (choices.targets) return "_retry_publish_targets";
  return choices.files ? "_files" : choices.folders ? "_files -/" : "";
}

// One line of _arguments: exclusions, the names, the help, the value.
std::string specification(const OptionText& option) {
  const bool value = !option.argument.empty();
  const std::string letter = option.letter == '\0' ? "" : std::string("-") + option.letter;
  const std::string name = "--" + option.name;
  const bool often = value && option.repeatable;
  std::string names = name + (value ? "=" : "");
  std::string before = often ? "*" : "";
  if (!letter.empty()) {
    names = "{" + letter + (value ? "+" : "") + "," + names + "}";
    if (!often) before = "(" + letter + " " + name + ")";
  }
  std::string rest = "[" + with_backslashes(option.help, "[]\\") + "]";
  if (value) {
    rest += ":" + with_backslashes(option.argument, ":[]") + ":" + action(choices_of(option));
  }
  return (before.empty() ? "" : in_quotes(before)) + names + in_quotes(rest);
}

std::string command_choices(const std::vector<CommandText>& commands) {
  std::vector<std::string> choices;
  for (const CommandText& command : commands) {
    choices.push_back(command.name + "\\:\"" + with_backslashes(command.help, "\"$`\\") + "\"");
  }
  return "((" + joined(choices) + "))";
}

std::vector<std::string> operands(const CommandLine& line,
                                  const std::vector<CommandText>& commands) {
  if (line.where_operands_stand() == CommandLine::Operands::last) {
    return {in_quotes(R"((-)1:command:{_alternative "commands\:command\:_command_names -e" )"
                      R"("files\:file\:_files"})"),
            in_quotes("*::argument: _normal")};
  }
  if (commands.empty()) return {in_quotes("*:file:_files")};
  return {in_quotes("1:command:" + command_choices(commands)), in_quotes("*:operand:->operand")};
}

std::string body(const CommandLine& line, const std::vector<CommandText>& commands) {
  std::vector<std::string> words;
  for (const OptionText& option : line.options()) words.push_back(specification(option));
  for (std::string& operand : operands(line, commands)) words.push_back(std::move(operand));
  const bool last = line.where_operands_stand() == CommandLine::Operands::last;
  std::string text = std::string("  _arguments -s -S ") + (last ? "-A '-*' " : "") +
                     (commands.empty() ? "" : "-C ") + "\\\n    " + joined(words, " \\\n    ") +
                     (commands.empty() ? "\n" : " && return\n");
  if (commands.empty()) return text;
  return "  local curcontext=$curcontext state line\n" + text +
         "  case $line[1] in\n    list) ;;\n    show) _alternative 'sets:rule set:(" +
         joined(set_names()) + ")' 'files:file:_files' ;;\n    *) _files ;;\n  esac\n";
}

}  // namespace

std::string zsh_completions(const CommandLine& line, const Help& help) {
  const std::string function = "_" + function_name(line.program());
  std::string text =
      "#compdef " + line.program() + "\n# Printed by: " + line.program() + " --completions zsh\n";
  for (const OptionText& option : line.options()) {
    if (!choices_of(option).targets) continue;
    text += std::string(
                "_retry_publish_targets() {\n  local plan\n  local -a targets\n  for plan in ") +
            "$words[2,-1]; do\n    [[ $plan == *.y*ml && -f $plan ]] || continue\n" +
            "    targets=(${(f)\"$(" + target_names +
            ")\"})\n    compadd -a targets\n    return\n" + "  done\n}\n";
  }
  text += function + "() {\n" + body(line, commands_of(help)) + "}\n";
  return text + "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n  " + function +
         " \"$@\"\nelse\n  compdef " + function + " " + line.program() + "\nfi\n";
}

}  // namespace retry_exec
