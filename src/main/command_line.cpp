#include "command_line.hpp"

#include <retry_exec/outcome.hpp>
#include <retry_exec/process.hpp>
#include <retry_exec/redact.hpp>
#include <retry_exec/write.hpp>

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/system/system_error.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

namespace retry_exec {

namespace po = boost::program_options;

namespace {

const OptionDefinition* find_letter(std::span<const OptionDefinition> options, char letter) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [letter](const auto& o) { return o.letter == letter; });
  return found == options.end() ? nullptr : &*found;
}

const OptionDefinition* find_name(std::span<const OptionDefinition> options,
                                  std::string_view name) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [name](const auto& o) { return o.name == name; });
  return found == options.end() ? nullptr : &*found;
}

// The options at the front, known and complete, each as one word ("--delay=2s"), and what follows
// them. Written here because Program_options reads on past the first operand, and takes a value of
// "-1" for an option.
class Splitter {
 public:
  Splitter(std::span<const OptionDefinition> options, std::span<char* const> arguments)
      : options_(options), rest_(arguments) {}

  std::vector<std::string> words;
  Errors errors;

  std::span<char* const> run() {
    while (!rest_.empty()) {
      const std::string_view word = rest_.front();
      if (word == "--") return rest_.subspan(1);
      if (word.size() < 2 || word.front() != '-') break;
      rest_ = rest_.subspan(1);
      if (word.starts_with("--")) {
        take_long(word.substr(2));
      } else {
        take_letters(word.substr(1));
      }
    }
    return rest_;
  }

 private:
  void take_long(std::string_view word) {
    const std::string_view name = word.substr(0, word.find('='));
    const OptionDefinition* option = find_name(options_, name);
    if (option == nullptr) return unknown("--" + std::string(name), name);
    const bool has_value = name.size() != word.size();
    if (option->argument.empty()) {
      if (has_value) return error("--" + std::string(name) + " takes no value");
      add_switch(*option);
    } else if (has_value) {
      add(*option, word.substr(name.size() + 1), "--" + std::string(name));
    } else {
      take_value(*option, "--" + std::string(name));
    }
  }

  void take_letters(std::string_view letters) {
    while (!letters.empty()) {
      const OptionDefinition* option = find_letter(options_, letters.front());
      const std::string shown = std::string("-") + letters.front();
      if (option == nullptr) return unknown(shown, {});
      letters.remove_prefix(1);
      if (option->argument.empty()) {
        add_switch(*option);
      } else if (letters.empty()) {
        return take_value(*option, shown);
      } else {
        return add(*option, letters, shown);
      }
    }
  }

  void take_value(const OptionDefinition& option, const std::string& shown) {
    if (rest_.empty()) {
      return error(shown + " needs a value (" + std::string(option.argument) + ")");
    }
    add(option, rest_.front(), shown);
    rest_ = rest_.subspan(1);
  }

  void add(const OptionDefinition& option, std::string_view value, const std::string& shown) {
    if (value.empty()) {
      return error(shown + " needs a value (" + std::string(option.argument) +
                   "), not an empty one");
    }
    words.push_back("--" + std::string(option.name) + "=" + std::string(value));
  }

  void add_switch(const OptionDefinition& option) {
    words.push_back("--" + std::string(option.name));
  }

  void unknown(const std::string& shown, std::string_view name) {
    std::vector<std::string_view> names;
    for (const OptionDefinition& option : options_) names.push_back(option.name);
    const std::string_view near = nearest_word(name, names);
    error("unknown option " + shown +
          (near.empty() ? "; --help lists them" : "; did you mean --" + std::string(near) + "?"));
  }

  void error(std::string what) { errors.push_back({{}, std::move(what)}); }

  std::span<const OptionDefinition> options_;
  std::span<char* const> rest_;
};

// RETRY_EXEC_VERSION is what many a Dockerfile calls the version that it wants. A command that is
// found in the environment would run itself where it calls us.
bool has_variable(std::string_view option) {
  return option != "help" && option != "version" && option != "command";
}

// Writes the option's variable into `name`, which keeps its memory from one option to the next.
void name_variable(std::string_view prefix, std::string_view option, std::string& name) {
  name = prefix;
  name += '_';
  for (const char c : option) {
    const bool lower = c >= 'a' && c <= 'z';
    name += c == '-' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
}

// "max-delay" for "MAX_DELAY"; lower-case letters, which no option's variable has, stay apart.
std::string option_of(std::string_view variable) {
  std::string name;
  for (const char c : variable) {
    const bool upper = c >= 'A' && c <= 'Z';
    name += c == '_' ? '-' : upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

std::optional<bool> switch_value(std::string_view text) {
  if (text == "1" || text == "true" || text == "yes" || text == "on") return true;
  if (text.empty() || text == "0" || text == "false" || text == "no" || text == "off") return false;
  return std::nullopt;
}

// What a variable says: nothing when it is empty.
std::vector<std::string> values_of(const OptionDefinition& option, std::string_view text) {
  constexpr std::string_view separators = ", \t\n";
  std::vector<std::string> values;
  while (!text.empty()) {
    const std::string_view one =
        option.repeatable ? text.substr(0, text.find_first_of(separators)) : text;
    if (!one.empty()) values.emplace_back(one);
    text.remove_prefix(std::min(one.size() + 1, text.size()));
  }
  return values;
}

void add_environment(std::span<const OptionDefinition> options, std::string_view prefix,
                     const Environment& environment, CommandLine& line, Errors& errors) {
  std::string variable;
  for (const OptionDefinition& option : options) {
    if (line.on(option.name) || !has_variable(option.name)) continue;
    name_variable(prefix, option.name, variable);
    const char* value = environment(variable);
    if (value == nullptr) continue;
    if (!option.argument.empty()) {
      for (std::string& one : values_of(option, value)) {
        line.given[std::string(option.name)].push_back({std::move(one), variable});
      }
      continue;
    }
    const std::optional<bool> on = switch_value(value);
    if (!on) {
      errors.push_back({{},
                        variable + ": '" + std::string(value).substr(0, 64) +
                            "' is neither yes nor no; write true or false"});
    } else if (*on) {
      line.given[std::string(option.name)] = {{"true", variable}};
    }
  }
}

}  // namespace

const Given* CommandLine::find(std::string_view name) const {
  const auto found = given.find(name);
  return found == given.end() ? nullptr : &found->second.back();
}

std::span<const Given> CommandLine::all(std::string_view name) const {
  const auto found = given.find(name);
  if (found == given.end()) return {};
  return found->second;
}

Result<CommandLine, Errors> read_command_line(std::span<const OptionDefinition> options,
                                              std::span<char* const> arguments,
                                              std::string_view prefix,
                                              const Environment& environment) {
  Splitter splitter(options, arguments);
  const std::span<char* const> operands = splitter.run();
  Errors errors = std::move(splitter.errors);
  CommandLine line;
  line.operands.assign(operands.begin(), operands.end());
  if (!splitter.words.empty()) {
    // Nothing is left to check, and a description starts a stream for each option's name.
    const po::options_description nothing;
    namespace style = po::command_line_style;
    const po::parsed_options parsed = po::command_line_parser(splitter.words)
                                          .options(nothing)
                                          .allow_unregistered()
                                          .style(style::allow_long | style::long_allow_adjacent)
                                          .run();
    for (const auto& option : parsed.options) {
      const bool has_value = !option.value.empty();
      line.given[option.string_key].push_back(
          {has_value ? option.value.front() : "true", "--" + option.string_key});
    }
  }
  add_environment(options, prefix, environment, line, errors);
  if (!errors.empty()) return errors;
  return line;
}

std::vector<std::string> unknown_variables(std::span<const OptionDefinition> options,
                                           std::string_view prefix,
                                           const char* const* environment) {
  // What a command learns from us, and so does a retry-exec that is the command.
  constexpr std::array<std::string_view, 3> told = {"attempt", "max-attempts", "depth"};
  const std::string depth = std::string(prefix) + "_DEPTH";
  const bool nested = from_environment(depth) != nullptr;
  std::vector<std::string_view> names;
  for (const OptionDefinition& option : options) {
    if (has_variable(option.name)) names.push_back(option.name);
  }
  std::vector<std::string> lines;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::string_view variable = entry.substr(0, entry.find('='));
    if (!variable.starts_with(prefix) || !variable.substr(prefix.size()).starts_with('_')) continue;
    const std::string name = option_of(variable.substr(prefix.size() + 1));
    if (std::find(names.begin(), names.end(), name) != names.end() || name == "version" ||
        (nested &&
         (name.starts_with("last-") || std::find(told.begin(), told.end(), name) != told.end()))) {
      continue;
    }
    std::string nearest;
    name_variable(prefix, nearest_word(name, names), nearest);
    const bool none = nearest.size() == prefix.size() + 1;
    lines.push_back(std::string(variable) + " is not the variable of an option" +
                    (none ? "; --help lists them" : "; did you mean " + nearest + "?"));
  }
  return lines;
}

const char* from_environment(const std::string& name) {
  return std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
}

int fail(std::string_view program, const Errors& errors) {
  std::string text;
  for (const Error& error : errors) {
    text += std::string(program) + ": " + printable(to_string(error)) + "\n";
  }
  write_all(STDERR_FILENO, text);
  return exit_code::own_failure;
}

int print(std::string_view program, std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0) return exit_code::success;
  if (error == EPIPE) return die_by(SIGPIPE);  // quietly, as any program behind which a pipe closes
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  return fail(program, {{{}, std::string("standard output: ") + std::strerror(error)}});
}

int run_program(std::string_view program, int (*run)(std::span<char* const> arguments), int count,
                char** words) {
  protect_standard_streams();
  const auto size = static_cast<std::size_t>(count > 0 ? count - 1 : 0);
  try {
    return run({words + (count > 0 ? 1 : 0), size});
  } catch (const boost::system::system_error& error) {
    return fail(program, {{{}, std::string("cannot begin: ") + error.code().message()}});
  }
}

std::string option_table(std::span<const OptionDefinition> options) {
  constexpr std::size_t column = 32;
  constexpr std::size_t width = 100;
  std::string table;
  for (const OptionDefinition& option : options) {
    std::string line = option.letter != 0 ? std::string("  -") + option.letter + ", " : "      ";
    line += "--" + std::string(option.name);
    if (!option.argument.empty()) line += " " + std::string(option.argument);
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
