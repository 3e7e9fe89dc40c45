#include "main/program.hpp"

#include "main/documentation.hpp"
#include "main/version.hpp"

#include <retry_exec/outcome.hpp>
#include <retry_exec/process.hpp>
#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>

namespace retry_exec {

namespace {

Result<LogFormat> log_format(std::string_view text) {
  const char* github = from_environment("GITHUB_ACTIONS");
  return parse_log_format(text, github == nullptr ? "" : github);
}

Result<std::optional<bool>> colour_choice(std::string_view text) {
  if (text == "auto") return std::optional<bool>();
  if (text == "always" || text == "never") return std::optional(text == "always");
  return wrong_value(text, "is not auto, always or never");
}

bool is_terminal() {
  const char* terminal = from_environment("TERM");
  return ::isatty(STDERR_FILENO) != 0 && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

bool is_set(const char* name) {
  const char* value = from_environment(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

OutputSettings::OutputSettings() : log(*log_format("auto")) {}

void declare_output(CommandLine& line, OutputSettings& output, const char* summary,
                    const char* quiet) {
  line.once("report,R", "[json:|text:]FILE|-", "final report (none)",
            into(output.report, parse_report_target));
  line.once("summary", "FILE", summary, into(output.summary));
  line.option("log", "FORMAT", (log_format_words() + " (auto)").c_str(),
              into(output.log, log_format));
  line.option("color", "WHEN",
              "of verdicts in the log: auto, always or never (auto: at a terminal, unless NO_COLOR "
              "is set, or where CLICOLOR_FORCE is)",
              into(output.colour, colour_choice));
  line.option("seed", "N", "of the jitter, for the same waits each time",
              into(output.seed, whole<std::uint64_t>(0, ~std::uint64_t{0})));
  line.flag("quiet,q", quiet, into(output.quiet));
  line.flag("verbose,v", "a line for everything that happens", how_often(output.verbose));
}

bool is_live_terminal() {
  return is_terminal() && !is_set("CI");
}

// https://no-color.org, https://bixense.com/clicolors
bool is_coloured(const OutputSettings& output) {
  if (output.colour) return *output.colour;
  if (is_set("NO_COLOR")) return false;
  const char* force = from_environment("CLICOLOR_FORCE");
  if (is_set("CLICOLOR_FORCE") && std::string_view(force) != "0") return true;
  return is_terminal();
}

void declare_help(CommandLine& line) {
  const auto answered = [](std::string_view) -> Result<void> { return {}; };
  line.flag("version,V", "print the version", answered);
  line.flag("help,h", "print this", answered);
}

Result<std::uint64_t> parse_whole(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto number = text::number_from<std::uint64_t>(text);
  if (number && *number >= least && *number <= most) return *number;
  return wrong_value(
      text, "is not a number from " + std::to_string(least) + " to " + std::to_string(most));
}

namespace {

void add_step_files(std::vector<FileInUse>& files) {
  for (const char* variable : step_file_variables) {
    if (const char* file = from_environment(variable)) {
      files.push_back({std::string("$") + variable, file});
    }
  }
}

}  // namespace

Result<void> may_be_replaced(const std::string& path, std::vector<FileInUse> files) {
  add_step_files(files);
  return spares_what_is_written(path, files);
}

Result<void> may_hold_summary(const std::string& path, std::vector<FileInUse> files) {
  add_step_files(files);
  std::erase_if(files, [](const FileInUse& file) { return file.name == "$GITHUB_STEP_SUMMARY"; });
  return is_none_of(path, files);
}

const char* from_environment(const std::string& name) {
  return std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
}

int fail(std::string_view program, const Errors& errors, const Redactor& redactor,
         LogFormat format) {
  LogOptions options;
  options.format = format;
  options.program = program;
  options.now = [] { return std::chrono::system_clock::now(); };
  std::string text;
  for (const Error& error : errors) text += note_lines(to_string(error), options, redactor);
  print_log(text, format);
  return exit_code::own_failure;
}

namespace {

int exit_code_after(std::string_view program, int error) {
  if (error == 0) return exit_code::success;
  if (error == EPIPE) return die_by(SIGPIPE);  // quietly, as any program behind which a pipe closes
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  return fail(program, {{{}, std::string("standard output: ") + std::strerror(error)}}, Redactor());
}

int out_of_memory(std::string_view program) {
  print_out_of_memory(program);
  return exit_code::own_failure;
}

}  // namespace

std::optional<int> run_all(boost::asio::io_context& context, Supervisor& supervisor,
                           std::string_view program) {
  try {
    context.run();
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    supervisor.kill_all();
    return out_of_memory(program);
  }
}

int print(std::string_view program, std::string_view text, Form form) {
  return exit_code_after(program, print_answer(STDOUT_FILENO, text, form));
}

int run_program(CommandLine& line, const Help& help, const OutputSettings* output, int count,
                char** words, const std::function<Result<ExitCode, Errors>()>& run) {
  const std::string& program = line.program();
  const std::span<char* const> arguments(words + (count > 0 ? 1 : 0), words + count);
  const auto failed = [&](const Errors& errors) {
    // Usage errors, too, quote what may be a secret.
    const std::vector<std::string> all(arguments.begin(), arguments.end());
    const Redactor redactor(all, environ);
    return fail(program, errors, redactor, output == nullptr ? *log_format("auto") : output->log);
  };
  try {
    if (asks_for_documentation(arguments)) {
      const Result<std::string> text = documentation(line, help, arguments);
      return text ? exit_code_after(program, print_documentation(*text)) : failed({text.error()});
    }
    const Result<void, Errors> read = line.read(arguments);
    if (!read) return failed(read.error());
    if (line.has("help")) {
      return print(program, std::string(help.usage) + std::string(help.about) + "\nOptions:\n" +
                                line.table() + "\n" + help.behind);
    }
    if (line.has("version")) {
      return print(program, program + " " + std::string(version_text));
    }
    const Result<ExitCode, Errors> code = run();
    return code ? code->value : failed(code.error());
  } catch (const std::bad_alloc&) {
    return out_of_memory(program);
  } catch (const boost::system::system_error& error) {
    return failed({{{}, "cannot begin: " + error.code().message()}});
  }
}

}  // namespace retry_exec
