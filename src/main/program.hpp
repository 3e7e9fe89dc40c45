// What the programs share: the options about what they tell, and the way from words to exit code.
#pragma once

#include "main/command_line.hpp"
#include "main/voice.hpp"

#include <retry_exec/process.hpp>
#include <retry_exec/report.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace retry_exec {

struct OutputSettings {
  OutputSettings();

  std::optional<ReportTarget> report;
  std::optional<std::string> summary;
  LogFormat log;               // by default as GITHUB_ACTIONS says
  std::optional<bool> colour;  // none: where stderr is a terminal
  std::optional<std::uint64_t> seed;
  bool quiet = false;
  unsigned verbose = 0;
};

// Whether the log on stderr has colours: --color, else NO_COLOR and CLICOLOR_FORCE, else whether a
// person looks at it.
bool is_coloured(const OutputSettings& output);

// Is stderr a terminal on which lines can be written over, with a person before it? Where CI is
// set, what a terminal shows is a log.
bool is_live_terminal();

// --report, --summary, --log, --color, --seed, --quiet and --verbose. `run` is what the summary is
// of.
void declare_output(CommandLine& line, OutputSettings& output, const char* summary,
                    const char* quiet);

// --version and --help.
void declare_help(CommandLine& line);

// A whole number of decimal digits from `least` to `most`.
Result<std::uint64_t> parse_whole(std::string_view text, std::uint64_t least, std::uint64_t most);

// parse_whole with these limits, for into().
template <class Number>
auto whole(std::uint64_t least, std::uint64_t most) {
  return [least, most](std::string_view text) -> Result<Number> {
    const Result<std::uint64_t> number = parse_whole(text, least, most);
    if (!number) return number.error();
    return static_cast<Number>(*number);
  };
}

// The variable `name` of our own environment; nullptr when it is unset.
const char* from_environment(const std::string& name);

// The variables that name the files by which a step of GitHub Actions tells its results.
inline constexpr std::array step_file_variables = {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH",
                                                   "GITHUB_STATE", "GITHUB_STEP_SUMMARY"};

// Would a report there replace one of `files`, or what others write, a step's files among it?
Result<void> may_be_replaced(const std::string& path, std::vector<FileInUse> files);

// Is what a summary is added to none of `files`, nor a file of a step that is for other things?
Result<void> may_hold_summary(const std::string& path, std::vector<FileInUse> files);

// Runs what waits in `context` to its end. Where memory runs out, ends what still runs, says so,
// and returns the exit code.
std::optional<int> run_all(boost::asio::io_context& context, Supervisor& supervisor,
                           std::string_view program);

// Tells errors of ours on stderr, in the form of the log. Returns exit_code::own_failure.
int fail(std::string_view program, const Errors& errors, const Redactor& redactor,
         LogFormat format = LogFormat::text);

// Prints what was asked for in place of a run: help, a version, a plan. Returns the exit code.
int print(std::string_view program, std::string_view text, Form form = Form::text);

// Of a run that came to its end; one that did not has errors to tell.
struct ExitCode {
  int value;
};

// What stands before and behind the table of options in --help, and what only the manual has.
struct Help {
  std::string_view usage;
  std::string_view about;
  std::string behind;
  std::string_view purpose;              // "retry-exec - PURPOSE"
  std::string_view more = {};            // behind all that is in --help, in man(7)
  std::string_view format_purpose = {};  // of the files that it reads; none: has no such page
  std::string_view format = {};
};

// Reads the arguments behind the program's name, answers --help, --version and what asks for
// documentation, and else runs `run`. Errors of either, and a lack of descriptors, are logged; the
// result is the exit code. `output` is nullptr for a program without a log.
int run_program(CommandLine& line, const Help& help, const OutputSettings* output, int count,
                char** words, const std::function<Result<ExitCode, Errors>()>& run);

}  // namespace retry_exec
