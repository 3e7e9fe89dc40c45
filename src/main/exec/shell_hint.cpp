#include "main/exec/shell_hint.hpp"

#include <string_view>

namespace retry_exec {

namespace {

// Builtins and keywords of POSIX shells and of bash, each between spaces.
constexpr std::string_view shell_words =
    " ! . : [[ alias bg bind break builtin caller case cd command compgen complete continue "
    "declare dirs disown do done elif else enable esac eval exec exit export fc fg fi for function "
    "getopts hash help history if jobs let local logout mapfile popd pushd read readarray readonly "
    "return select set shift shopt source suspend then time times trap type typeset ulimit umask "
    "unalias unset until wait while { } ";

// "FOO" of "FOO=1": a shell takes the word for the setting of a variable.
std::string_view variable_set_by(std::string_view word) {
  const std::size_t name =
      word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
  const bool set = name != std::string_view::npos && name != 0 && word[name] == '=' &&
                   (word.front() < '0' || word.front() > '9');
  return set ? word.substr(0, name) : std::string_view();
}

bool is_exported_function(std::string_view name, const char* const* environment) {
  const std::string entry = "BASH_FUNC_" + std::string(name) + "%%=";
  for (; *environment != nullptr; ++environment) {
    if (std::string_view(*environment).starts_with(entry)) return true;
  }
  return false;
}

}  // namespace

std::string shell_hint(std::span<const std::string> command, const char* const* environment) {
  const std::string& name = command.front();
  if (name.empty()) return {};
  const bool one_word = name.find(' ') == std::string::npos;
  if (one_word && shell_words.find(" " + name + " ") != std::string_view::npos) {
    return "; it is part of the shell: -c '" + name + " …' runs a line in one";
  }
  if (const std::string_view variable = variable_set_by(name); !variable.empty()) {
    const std::string set = std::string(variable) + "=… ";
    return "; to set a variable, write env " + set + "COMMAND, or -c '" + set + "COMMAND'";
  }
  if (name.find_first_of(" \t\n|&;<>()$`\"'*?{}") != std::string::npos) {
    return "; it is one word: write a word for each argument, or -c '…' for a line of shell";
  }
  if (is_exported_function(name, environment)) {
    return "; it is a function of bash: -c '" + name + " …' runs it";
  }
  if (name.find('/') != std::string::npos) return {};
  return "; a function or an alias of the shell needs -c";
}

}  // namespace retry_exec
