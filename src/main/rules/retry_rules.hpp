// The parts of retry-rules: one function for each of its commands.
#pragma once

#include "main/program.hpp"

#include <retry_exec/rules.hpp>

#include <boost/json/fwd.hpp>

#include <string>
#include <vector>

namespace retry_exec::retry_rules {

// What was asked for: each command looks at what concerns it.
struct Question {
  std::vector<std::string> operands;
  std::vector<std::string> rules;  // empty: those that serve the command
  std::vector<std::string> command;
  std::optional<Outcome> outcome;
  int exit_code = 1;
  std::string stream;
  double min_accuracy = 0;
  bool resolved = false;
  bool json = false;
};

// What a command has to say: both streams' text and the exit code.
struct Printout {
  std::string out;
  std::string err;
  int code = 0;
  Form form = Form::text;  // of `out`, unless JSON was asked for
};

Printout list(const Question& asked);
Printout show(const Question& asked);
Printout check(const Question& asked);
Printout explain(const Question& asked);
Printout suggest(const Question& asked);
Printout test(const Question& asked);

// ---- what several of them need ---------------------------------------------------------------

// 125, with every error on a line of its own.
Printout usage_error(const Errors& errors);
Printout usage_error(std::string what);

// A file, or standard input for "-"; at most 64 MiB.
Result<std::string> read_input(const std::string& path);

// The rule sets that -r names, or for "auto" (the default) those that serve `command` and the hosts
// in what it `printed`.
std::vector<std::string> chosen_sets(const Question& asked, const std::vector<std::string>& command,
                                     std::string_view printed);

std::string json_text(const boost::json::value& value);
boost::json::array json_strings(std::span<const std::string> words);
boost::json::object to_json(const PolicyFields& policy);
boost::json::array to_json(const Errors& errors);
boost::json::object to_json(const Verdict& verdict);
boost::json::object to_json(const RuleSet& set);

}  // namespace retry_exec::retry_rules
