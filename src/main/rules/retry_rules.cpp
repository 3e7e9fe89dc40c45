// retry-rules: lists, shows, checks, explains, suggests and tests rule sets.

#include "main/rules/retry_rules.hpp"

#include "main/pages/manual_text.hpp"

#include <retry_exec/text.hpp>
#include <retry_exec/write.hpp>

#include <boost/system/result.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>

namespace retry_exec::retry_rules {

namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Result<std::optional<Outcome>> parse_outcome(std::string_view text) {
  if (text == "exited") return std::optional<Outcome>();
  if (text == "timed-out") return std::optional<Outcome>(TimedOut{});
  if (const auto signal = parse_signal(text)) return std::optional<Outcome>(Signalled{*signal});
  return wrong_value(text, "is not exited, timed-out or a signal such as KILL");
}

Result<double> parse_percentage(std::string_view text) {
  const auto value =
      text::number_from<double>(text.substr(0, text.size() - (text.ends_with('%') ? 1 : 0)));
  if (value && *value >= 0 && *value <= 100) return *value;
  return wrong_value(text, "is not a percentage from 0 to 100");
}

void declare(CommandLine& line, Question& asked) {
  line.repeatable("rules,r", "NAME|FILE", "rule set, or 'auto' (the default); repeatable",
                  into(asked.rules));
  line.option("command,c", "NAME|LINE",
              "explain, suggest: the command that failed (\"oras cp ghcr.io/o/r:1 …\")",
              into(asked.command, [](std::string_view text) {
                return Result<std::vector<std::string>>(split(text));
              }));
  line.option("exit-code,e", "N", "explain, suggest: its exit code (1)",
              into(asked.exit_code, whole<int>(0, 255)));
  line.option("outcome", "WORD",
              "explain, suggest: exited, timed-out, or a signal such as KILL (exited)",
              into(asked.outcome, parse_outcome));
  line.option(
      "stream", "WORD",
      "explain, suggest: the stream that the log is of: stdout, stderr (stderr, else stdout)",
      into(asked.stream));
  line.flag("resolved", "show: with includes and overrides worked in", into(asked.resolved));
  line.option("min-accuracy", "P",
              "test: fail below so many percent that are judged as labelled (0)",
              into(asked.min_accuracy, parse_percentage));
  line.flag("json", "the answer as JSON", into(asked.json));
  declare_help(line);
}

struct Subcommand {
  std::string_view name;
  std::string_view operands;
  std::string_view help;
  Printout (*run)(const Question&);
};

constexpr std::array commands = {
    Subcommand{"list", "", "the built-in rule sets", list},
    Subcommand{"show", "NAME|FILE", "a rule set as it is written, or --resolved", show},
    Subcommand{"check", "FILE…", "validate rule files and run their examples", check},
    Subcommand{"explain", "[LOG]", "why the failure in LOG (or on stdin) is (not) retried",
               explain},
    Subcommand{"suggest", "[LOG]", "a rule for a failure that no rule knows", suggest},
    Subcommand{"test", "CORPUS.jsonl…", "score rules on labelled failures", test},
};

std::string usage() {
  std::string text = "Usage: retry-rules COMMAND [options] [operands]\n\n";
  for (const Subcommand& command : commands) {
    std::string left = "  " + std::string(command.name) + " " + std::string(command.operands);
    left.append(26 - std::min<std::size_t>(text::columns_of(left), 24), ' ');
    text += left + std::string(command.help) + "\n";
  }
  return text;
}

Printout unknown_command(const std::string& name) {
  std::vector<std::string_view> names;
  names.reserve(std::size(commands));
  for (const Subcommand& command : commands) names.push_back(command.name);
  const std::string_view near = nearest_word(name, names);
  return usage_error(
      "unknown command '" + name + "'" +
      (near.empty() ? "; --help lists them" : "; did you mean '" + std::string(near) + "'?"));
}

Printout answer(Question& asked) {
  if (asked.operands.empty()) return {.out = {}, .err = usage(), .code = exit_code::own_failure};
  const std::string name = asked.operands.front();
  asked.operands.erase(asked.operands.begin());
  for (const Subcommand& command : commands) {
    if (command.name == name) return command.run(asked);
  }
  return unknown_command(name);
}

Result<ExitCode, Errors> run(const CommandLine& line, Question& asked) {
  asked.operands = line.operands;
  const Printout given = answer(asked);
  print_answer(STDERR_FILENO, given.err, Form::text);
  const int lost = print(line.program(), given.out, asked.json ? Form::json : given.form);
  return ExitCode{lost == exit_code::success ? given.code : lost};
}

}  // namespace

Printout usage_error(const Errors& errors) {
  Printout answer{.out = {}, .err = {}, .code = exit_code::own_failure};
  for (const Error& error : errors) answer.err += "retry-rules: " + to_string(error) + "\n";
  return answer;
}

Printout usage_error(std::string what) {
  return usage_error(Errors{{{}, std::move(what)}});
}

}  // namespace retry_exec::retry_rules

// Unlike the others it starts nothing, so a closed standard stream may stay closed, and be told.
int main(int count, char** words) {
  using namespace retry_exec;
  retry_rules::Question asked;
  CommandLine line("retry-rules", CommandLine::Operands::anywhere);
  line.no_environment();
  retry_rules::declare(line, asked);
  const std::string usage = retry_rules::usage();
  const Help help{.usage = usage,
                  .about = {},
                  .behind =
                      "Exit codes:\n"
                      "  0     all well\n"
                      "  1     a check failed, also of a file that cannot be read, or a test\n"
                      "  125   usage, an answer that cannot be written, or a rule file that cannot "
                      "be read,\n"
                      "        of another command\n"
                      "\n"
                      "A test fails when a permanent failure was retried, and when fewer records "
                      "than\n"
                      "--min-accuracy asks for were judged as they are labelled.\n",
                  .purpose = "list, show, check, explain, suggest and test rules of retry-exec",
                  .more = retry_rules_manual,
                  .format_purpose = "rule files of retry-exec",
                  .format = rule_file_format};
  return run_program(line, help, nullptr, count, words,
                     [&] { return retry_rules::run(line, asked); });
}
