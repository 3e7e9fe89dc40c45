#include "retry_exec_options.hpp"

#include "github_output.hpp"
#include "shell_script.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace retry_exec {

namespace {

constexpr std::array definitions = {
    OptionDefinition{
        "rules", 'r', "NAME|FILE",
        "rule set; repeatable, earlier ones are tried first; auto picks by command and "
        "registry (none)",
        true},
    OptionDefinition{"command", 'c', "SCRIPT",
                     "run SCRIPT by bash -eo pipefail -c (sh -e -c where there is no bash); the "
                     "operands are its $1 and so on"},
    OptionDefinition{"attempts", 'a', "N", "attempts in all, the first included (5)"},
    OptionDefinition{"forever", 'f', "", "no end of attempts"},
    OptionDefinition{"retries", 0, "N", "the same as --attempts N+1"},
    OptionDefinition{"delay", 'd', "DUR", "first wait (2s)"},
    OptionDefinition{"factor", 0, "F", "growth per wait (2)"},
    OptionDefinition{"max-delay", 'm', "DUR",
                     "longest wait, or none (32s; never less than a --delay that is given)"},
    OptionDefinition{"backoff", 0, "KIND",
                     "constant, linear, exponential or decorrelated (exponential)"},
    OptionDefinition{"jitter", 'j', "KIND",
                     "none, equal, full, N%, or a duration that is added (equal)"},
    OptionDefinition{"timeout", 't', "DUR", "of one attempt (none)"},
    OptionDefinition{"idle-timeout", 0, "DUR", "of an attempt that prints nothing (none)"},
    OptionDefinition{
        "stall-timeout", 0, "DUR",
        "of an attempt in which nothing moves: no output, no bytes read, written, sent "
        "or received, next to no CPU time (none)"},
    OptionDefinition{"deadline", 0, "DUR",
                     "of the whole run: no attempt outlives it, and the run stops if the next wait "
                     "would not fit (none)"},
    OptionDefinition{"signal", 's', "SIG", "first signal to an attempt that is out of time (TERM)"},
    OptionDefinition{"kill-after", 'k', "DUR", "from that signal to KILL (10s)"},
    OptionDefinition{"drain-grace", 0, "DUR",
                     "how long after its last byte to wait for output from background processes, "
                     "once the command has ended (200ms)"},
    OptionDefinition{"drain-limit", 0, "DUR",
                     "how long after the command's end to wait for output that still comes (10s)"},
    OptionDefinition{"end-with-parent", 0, "",
                     "end the attempt, and begin none, once the process that started us has ended"},
    OptionDefinition{"retry-on", 0, "CODES",
                     "what is retried whatever the rules say: exit codes, ranges, signals, and "
                     "timeout, such as 1,64-78,KILL,timeout (none)"},
    OptionDefinition{"stop-on", 0, "CODES",
                     "those that are never retried; beats --retry-on (none)"},
    OptionDefinition{"unmatched", 0, "retry|stop",
                     "a failure that no rule knows (stop with --rules or --retry-on; else retry, "
                     "except for exit codes 126 and 127)"},
    OptionDefinition{"exhausted-code", 0, "N",
                     "exit code when the attempts are used up (the command's own)"},
    OptionDefinition{
        "before-retry", 0, "SCRIPT",
        "run by /bin/sh -c before each retry, after the wait: a new login, a clean-up; "
        "failures of class expired are then tried once more (none)"},
    OptionDefinition{"accept-done", 0, "",
                     "a failure of class done counts as success after an attempt whose answer may "
                     "have been lost"},
    OptionDefinition{"keep-step-files", 0, "",
                     "do not remove what a failed attempt wrote to $GITHUB_OUTPUT, $GITHUB_ENV and "
                     "the like"},
    OptionDefinition{"replay-stdin", 'I', "",
                     "record stdin as the command reads it, replay it on each attempt"},
    OptionDefinition{"spent-stdin", 0, "stop|go-on",
                     "after an attempt that failed and has read a pipe that is our stdin, which "
                     "another one would miss (stop)"},
    OptionDefinition{"hold-stdout", 'O', "", "give out stdout of the deciding attempt only"},
    OptionDefinition{"hold-stderr", 'E', "", "the same for stderr"},
    OptionDefinition{"pty", 0, "",
                     "the command sees a terminal on each output stream that is one of ours"},
    OptionDefinition{"capture-limit", 0, "SIZE",
                     "how much of the end of each stream is kept as evidence (1MiB)"},
    OptionDefinition{"report", 'R', "[json:|text:]FILE|-", "final report (none)"},
    OptionDefinition{"summary", 0, "FILE",
                     "append a Markdown summary of a run that was retried ($GITHUB_STEP_SUMMARY)"},
    OptionDefinition{"github-output", 0, "PREFIX",
                     "write PREFIXattempts, PREFIXreason and PREFIXrule to $GITHUB_OUTPUT (none)"},
    OptionDefinition{"log", 0, "FORMAT", "text, json, github or auto (auto)"},
    OptionDefinition{"dry-run", 'n', "",
                     "say what would be run, under which policy and options; run nothing"},
    OptionDefinition{
        "explain", 0, "",
        "say after each failure why it was judged so; with -v, which rules were tried"},
    OptionDefinition{"seed", 0, "N", "of the jitter, for the same waits each time"},
    OptionDefinition{"quiet", 'q', "", "no log but our own errors"},
    OptionDefinition{"verbose", 'v', "", "a line for everything that happens"},
    OptionDefinition{"version", 'V', "", "print the version"},
    OptionDefinition{"help", 'h', "", "print this"},
};

// Reads settings out of a command line, gathering errors.
class Reader {
 public:
  explicit Reader(const CommandLine& line) : line_(line) {}

  Errors errors;

  // `parse` makes a Result<T> of the option's text.
  template <class T, class Parse>
  std::optional<T> read(std::string_view name, Parse parse) {
    const Given* given = line_.find(name);
    if (given == nullptr) return std::nullopt;
    auto result = parse(std::string_view(given->value));
    if (result.has_value()) return T(std::move(*result));
    errors.push_back({{}, given->where + ": " + result.error().what});
    return std::nullopt;
  }

  std::optional<std::string> text(std::string_view name) const {
    const Given* given = line_.find(name);
    return given == nullptr ? std::nullopt : std::optional(given->value);
  }

 private:
  const CommandLine& line_;
};

Error wrong(std::string_view text, std::string_view why) {
  return {{}, "'" + std::string(text.substr(0, 64)) + "' " + std::string(why)};
}

template <class Number>
Result<Number> parse_whole(std::string_view text, Number least, Number most) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return wrong(text,
                 "is not a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

Result<int> parse_signal_name(std::string_view text) {
  if (const auto signal = parse_signal(text)) return *signal;
  return wrong(text, "is not a signal; write a name such as TERM or RTMIN+1, or a number");
}

Result<bool> parse_unmatched(std::string_view text) {
  if (text == "retry") return true;
  if (text == "stop") return false;
  return wrong(text, "is neither retry nor stop");
}

Result<bool> parse_spent_stdin(std::string_view text) {
  if (text == "go-on") return true;
  if (text == "stop") return false;
  return wrong(text, "is neither stop nor go-on");
}

bool by_option(const Given* given) {
  return given->where.starts_with("--");
}

// Three options say how many attempts there are; two of them at once contradict each other. One on
// the command line beats what the environment says by another.
std::optional<unsigned> read_attempts(Reader& reader, const CommandLine& line) {
  std::vector<const Given*> said;
  for (const char* name : {"attempts", "retries", "forever"}) {
    if (const Given* given = line.find(name)) said.push_back(given);
  }
  if (std::any_of(said.begin(), said.end(), by_option)) {
    std::erase_if(said, [](const Given* given) { return !by_option(given); });
  }
  if (said.size() > 1) {
    reader.errors.push_back(
        {{}, said[0]->where + " and " + said[1]->where + " contradict each other; give one"});
  }
  if (said.empty()) return std::nullopt;
  if (said[0] == line.find("forever")) return 0U;
  if (said[0] == line.find("attempts")) return reader.read<unsigned>("attempts", parse_attempts);
  const auto retries = reader.read<unsigned>(
      "retries", [](std::string_view text) { return parse_whole<unsigned>(text, 0, 999'999); });
  return retries ? std::optional(*retries + 1) : std::nullopt;
}

// Options are a layer above the environment: they may contradict it, but not one another.
void layer_waits(Reader& reader, const CommandLine& line, PolicyFields& policy) {
  const Given* delay = line.find("delay");
  const Given* max_delay = line.find("max-delay");
  if (delay == nullptr || max_delay == nullptr) return;
  if (by_option(delay) != by_option(max_delay)) {
    policy.delay_outranks_max = by_option(delay);
  } else if (const std::string wrong = contradiction(policy); !wrong.empty()) {
    reader.errors.push_back({{}, delay->where + " and " + max_delay->where + ": " + wrong});
  }
}

void read_policy(Reader& reader, const CommandLine& line, PolicyFields& policy) {
  policy.attempts = read_attempts(reader, line);
  policy.delay = reader.read<Duration>("delay", parse_duration);
  policy.factor = reader.read<double>("factor", parse_factor);
  policy.max_delay = reader.read<Duration>("max-delay", parse_max_delay);
  policy.backoff = reader.read<Growth>("backoff", parse_growth);
  policy.jitter = reader.read<Jitter>("jitter", parse_jitter);
  policy.timeout = reader.read<Duration>("timeout", parse_limit);
  policy.idle_timeout = reader.read<Duration>("idle-timeout", parse_limit);
  policy.stall_timeout = reader.read<Duration>("stall-timeout", parse_limit);
  policy.deadline = reader.read<Duration>("deadline", parse_limit);
  policy.kill_after = reader.read<Duration>("kill-after", parse_duration);
  layer_waits(reader, line, policy);
}

std::vector<std::string> read_command(const CommandLine& line) {
  const Given* script = line.find("command");
  return script == nullptr ? line.operands : shell_command(script->value, line.operands);
}

// What happens between one attempt and the next.
void read_steps_between(const Reader& reader, const CommandLine& line, Settings& settings) {
  settings.before_retry = reader.text("before-retry");
  settings.accept_done = line.on("accept-done");
  settings.keep_step_files = line.on("keep-step-files");
}

}  // namespace

const char* const exit_code_table =
    "  0 to 255   the deciding attempt's own exit code\n"
    "  124        the deciding attempt ran into a time limit, or the deadline ended the run\n"
    "  125        our own failure: usage or rule file (nothing was run), or output that was lost\n"
    "  126        the command was found but cannot be run\n"
    "  127        the command was not found\n"
    "  128+n      signal n ended the command, or asked us to end\n";

std::vector<std::string> words_of(const Settings& settings) {
  std::vector<std::string> words = settings.command;
  if (settings.before_retry) words.push_back(*settings.before_retry);
  return words;
}

std::span<const OptionDefinition> retry_exec_options() {
  return definitions;
}

Result<Settings, Errors> settings_from(const CommandLine& line, std::string_view github_actions) {
  Reader reader(line);
  Settings settings;
  settings.command = read_command(line);
  for (const Given& given : line.all("rules")) settings.rules.push_back(given.value);
  read_policy(reader, line, settings.policy);
  settings.retry_on = reader.read<CodeSet>("retry-on", parse_code_set).value_or(CodeSet{});
  settings.stop_on = reader.read<CodeSet>("stop-on", parse_code_set).value_or(CodeSet{});
  settings.retry_unmatched = reader.read<bool>("unmatched", parse_unmatched);
  settings.exhausted_code = reader.read<int>(
      "exhausted-code", [](std::string_view text) { return parse_whole(text, 1, 255); });
  read_steps_between(reader, line, settings);
  settings.signal = reader.read<int>("signal", parse_signal_name).value_or(settings.signal);
  settings.drain_grace =
      reader.read<Duration>("drain-grace", parse_duration).value_or(AttemptOptions{}.drain_grace);
  settings.drain_limit =
      reader.read<Duration>("drain-limit", parse_duration).value_or(AttemptOptions{}.drain_limit);
  settings.capture_limit =
      reader
          .read<std::uint64_t>("capture-limit",
                               [](std::string_view text) -> Result<std::uint64_t> {
                                 auto size = parse_size(text);
                                 if (size && *size > (std::uint64_t{1} << 30)) {
                                   return wrong(text, "is more than 1GiB");
                                 }
                                 return size;
                               })
          .value_or(AttemptOptions{}.capture_limit);
  settings.replay_stdin = line.on("replay-stdin");
  settings.go_on_without_input =
      reader.read<bool>("spent-stdin", parse_spent_stdin).value_or(false);
  settings.hold_stdout = line.on("hold-stdout");
  settings.hold_stderr = line.on("hold-stderr");
  settings.pseudo_terminal = line.on("pty");
  settings.end_with_parent = line.on("end-with-parent");
  settings.report = reader.read<ReportTarget>("report", parse_report_target);
  settings.summary = reader.text("summary");
  settings.github_output = reader.read<std::string>("github-output", parse_output_prefix);
  const auto log_format = [github_actions](std::string_view text) {
    return parse_log_format(text, github_actions);
  };
  settings.log = reader.read<LogFormat>("log", log_format).value_or(*log_format("auto"));
  settings.seed = reader.read<std::uint64_t>("seed", [](std::string_view text) {
    return parse_whole<std::uint64_t>(text, 0, ~std::uint64_t{0});
  });
  settings.dry_run = line.on("dry-run");
  settings.explain = line.on("explain");
  settings.quiet = line.on("quiet");
  settings.verbose = static_cast<unsigned>(line.all("verbose").size());
  if (!reader.errors.empty()) return reader.errors;
  return settings;
}

}  // namespace retry_exec
