#include "main/documentation.hpp"
#include "main/pages/completions.hpp"

#include <retry_exec/text.hpp>

namespace retry_exec {

namespace {

// Fills COMPREPLY with what begins like $cur.
std::string reply(const Choices& choices) {
  std::string commands;
  const auto add = [&](const std::string& command) { text::append_to(commands, command, "; "); };
  if (!choices.words.empty()) {
    add("compgen -W " + in_quotes(joined(choices.words)) + " -- \"$cur\"");
  }
  if (choices.targets) add("compgen -W \"$(_retry_publish_targets)\" -- \"$cur\"");
  if (choices.files) add("compgen -f -- \"$cur\"");
  if (choices.folders) add("compgen -d -- \"$cur\"");
  if (commands.empty()) return "COMPREPLY=()";
  const bool names = choices.files || choices.folders;
  return std::string(names ? "compopt -o filenames; " : "") + "mapfile -t COMPREPLY < <(" +
         commands + ")";
}

// In bash "=" is a word of its own. Finds where the operands begin, or all of them where options
// may stand behind.
std::string reading(const CommandLine& line) {
  const bool last = line.where_operands_stand() == CommandLine::Operands::last;
  const std::string operand = last ? "break" : "operands+=(\"${COMP_WORDS[at]}\"); at=$((at + 1))";
  return R"(  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} at=1 ended= operands=()
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  while ((at < COMP_CWORD)); do
    case ${COMP_WORDS[at]} in
      --) ended=yes; at=$((at + 1)); )" +
         std::string(last ? "break" : "") + R"( ;;
      )" +
         joined(option_words(line, true), "|") +
         R"() if [[ ${COMP_WORDS[at + 1]-} == = ]]; then at=$((at + 3)); else at=$((at + 2)); fi ;;
      -?*) at=$((at + 1)) ;;
      *) )" +
         operand + R"( ;;
    esac
  done
)";
}

std::string values(const CommandLine& line) {
  std::string text = "  if ((at > COMP_CWORD)); then\n    case $prev in\n";
  for (const OptionText& option : line.options()) {
    if (option.argument.empty()) continue;
    const std::string letter = option.letter == '\0' ? "" : std::string("-") + option.letter + "|";
    text += "      " + letter + "--" + option.name + ") " + reply(choices_of(option)) + " ;;\n";
  }
  return text + "    esac\n    return\n  fi\n";
}

std::string option_names(const CommandLine& line) {
  std::vector<std::string> words;
  for (const OptionText& option : line.options()) words.push_back("--" + option.name);
  return "  if [[ $cur == -* && ! $ended ]]; then\n    " + reply({.words = words}) +
         "\n    return\n  fi\n";
}

// retry-exec COMMAND [ARG…]: what completes COMMAND completes the rest.
std::string command_operand() {
  return R"(  if ((at == COMP_CWORD)); then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -c -- "$cur"; compgen -f -- "$cur")
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$at"
  else
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
)";
}

std::string operands(const std::vector<CommandText>& commands) {
  if (commands.empty()) return "  " + reply({.words = {}, .files = true}) + "\n";
  std::vector<std::string> names;
  for (const CommandText& command : commands) names.push_back(command.name);
  return "  case ${operands[0]-} in\n    '') " + reply({.words = names}) + " ;;\n    list) ;;\n" +
         "    show) " + reply({.words = set_names(), .files = true}) + " ;;\n    *) " +
         reply({.words = {}, .files = true}) + " ;;\n  esac\n";
}

constexpr const char* targets_function = R"(_retry_publish_targets() {
  local plan
  for plan in "${COMP_WORDS[@]:1}"; do
    [[ $plan == *.y*ml && -f $plan ]] || continue
    )";

}  // namespace

std::string bash_completions(const CommandLine& line, const Help& help) {
  const std::string function = "_" + function_name(line.program());
  std::string text = "# Printed by: " + line.program() + " --completions bash\n";
  for (const OptionText& option : line.options()) {
    if (choices_of(option).targets) {
      text += std::string(targets_function) + target_names + "\n    return\n  done\n}\n";
    }
  }
  const bool command = line.where_operands_stand() == CommandLine::Operands::last;
  text += function + "() {\n" + reading(line);
  text += values(line) + (command ? "  if ((at == COMP_CWORD)); then\n" : "");
  text += option_names(line) + (command ? "  fi\n" : "");
  text += command ? command_operand() : operands(commands_of(help));
  return text + "}\ncomplete -F " + function + " " + line.program() + "\n";
}

}  // namespace retry_exec
