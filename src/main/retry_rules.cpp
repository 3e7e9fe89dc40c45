// retry-rules: lists, shows, checks, explains, suggests and tests rule sets.

#include "retry_rules.hpp"

#include <retry_exec/write.hpp>

#include <boost/system/result.hpp>

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace retry_exec::retry_rules {

namespace {

constexpr std::array options = {
    OptionDefinition{"rules", 'r', "NAME|FILE", "rule set, or 'auto' (the default); repeatable"},
    OptionDefinition{"command", 'c', "NAME|LINE",
                     "explain, suggest: the command that failed (\"oras cp ghcr.io/o/r:1 …\")"},
    OptionDefinition{"exit-code", 'e', "N", "explain, suggest: its exit code (1)"},
    OptionDefinition{"outcome", 0, "WORD",
                     "explain, suggest: exited, timed-out, or a signal such as KILL (exited)"},
    OptionDefinition{
        "stream", 0, "WORD",
        "explain, suggest: the stream that the log is of: stdout, stderr (stderr, else stdout)"},
    OptionDefinition{"resolved", 0, "", "show: with includes and overrides worked in"},
    OptionDefinition{"min-accuracy", 0, "P", "test: fail below so many percent (0)"},
    OptionDefinition{"json", 0, "", "the answer as JSON"},
    OptionDefinition{"help", 'h', "", "this text"},
    OptionDefinition{"version", 'V', "", "the version"},
};

struct Command {
  std::string_view name;
  std::string_view operands;
  std::string_view help;
  Answer (*run)(const CommandLine&);
};

constexpr std::array commands = {
    Command{"list", "", "the built-in rule sets", list},
    Command{"show", "NAME|FILE", "a rule set as it is written, or --resolved", show},
    Command{"check", "FILE…", "validate rule files and run their examples", check},
    Command{"explain", "[LOG]", "why the failure in LOG (or on stdin) is (not) retried", explain},
    Command{"suggest", "[LOG]", "a rule for a failure that no rule knows", suggest},
    Command{"test", "CORPUS.jsonl…", "score rules on labelled failures", test},
};

std::string help() {
  std::string text = "Usage: retry-rules COMMAND [options] [operands]\n\n";
  for (const Command& command : commands) {
    std::string left = "  " + std::string(command.name) + " " + std::string(command.operands);
    left.resize(std::max<std::size_t>(left.size() + 2, 26), ' ');
    text += left + std::string(command.help) + "\n";
  }
  return text + "\nOptions:\n" + option_table(options) +
         "\nExit: 0 all well; 1 a check or test failed; 125 usage, a rule file that cannot be "
         "read, or an "
         "answer that cannot be written.\n";
}

// Options may stand anywhere: every operand is followed by more of them, up to "--".
Result<CommandLine, Errors> read_all(std::span<char* const> arguments) {
  const Environment environment = [](const std::string&) -> const char* { return nullptr; };
  CommandLine whole;
  while (true) {
    Result<CommandLine, Errors> part =
        read_command_line(options, arguments, "RETRY_RULES", environment);
    if (!part) return part;
    for (auto& [name, values] : part->given) {
      auto& known = whole.given[name];
      known.insert(known.end(), values.begin(), values.end());
    }
    if (part->operands.empty()) return whole;
    const std::size_t read = arguments.size() - part->operands.size();
    const bool rest_is_operands = read > 0 && std::string_view(arguments[read - 1]) == "--";
    const std::size_t take = rest_is_operands ? part->operands.size() : 1;
    whole.operands.insert(whole.operands.end(), part->operands.begin(),
                          part->operands.begin() + static_cast<std::ptrdiff_t>(take));
    arguments = arguments.subspan(read + take);
  }
}

Answer unknown_command(const std::string& name) {
  std::vector<std::string_view> names;
  names.reserve(std::size(commands));
  for (const Command& command : commands) names.push_back(command.name);
  const std::string_view near = nearest_word(name, names);
  return usage_error(
      "unknown command '" + name + "'" +
      (near.empty() ? "; --help lists them" : "; did you mean '" + std::string(near) + "'?"));
}

Answer run(std::span<char* const> arguments) {
  Result<CommandLine, Errors> line = read_all(arguments);
  if (!line) return usage_error(line.error());
  if (line->on("help")) return {.out = help(), .err = {}};
  if (line->on("version")) return {.out = "retry-rules " RETRY_EXEC_VERSION "\n", .err = {}};
  if (line->operands.empty()) return {.out = {}, .err = help(), .code = exit_code::own_failure};
  const std::string name = line->operands.front();
  line->operands.erase(line->operands.begin());
  for (const Command& command : commands) {
    if (command.name == name) return command.run(*line);
  }
  return unknown_command(name);
}

}  // namespace

Answer usage_error(const Errors& errors) {
  Answer answer{.out = {}, .err = {}, .code = exit_code::own_failure};
  for (const Error& error : errors) answer.err += "retry-rules: " + to_string(error) + "\n";
  return answer;
}

Answer usage_error(std::string what) {
  return usage_error(Errors{{{}, std::move(what)}});
}

}  // namespace retry_exec::retry_rules

// Unlike the others it starts nothing, so a closed standard stream may stay closed, and be told.
int main(int count, char** words) {
  using namespace retry_exec;
  const auto size = static_cast<std::size_t>(count > 0 ? count - 1 : 0);
  const retry_rules::Answer answer = retry_rules::run({words + (count > 0 ? 1 : 0), size});
  write_all(STDERR_FILENO, answer.err);
  const int lost = print("retry-rules", answer.out);
  return lost == exit_code::success ? answer.code : lost;
}
