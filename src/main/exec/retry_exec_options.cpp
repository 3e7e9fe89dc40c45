#include "main/exec/retry_exec_options.hpp"

#include "main/exec/github_output.hpp"
#include "main/exec/shell_script.hpp"

#include <retry_exec/rules.hpp>

#include <algorithm>
#include <utility>

namespace retry_exec {

namespace {

Result<int> parse_signal_name(std::string_view text) {
  if (const auto signal = parse_signal(text)) return *signal;
  return wrong_value(text, "is not a signal; write a name such as TERM or RTMIN+1, or a number");
}

Result<bool> parse_unmatched(std::string_view text) {
  if (text == "retry" || text == "stop") return text == "retry";
  return wrong_value(text, "is neither retry nor stop");
}

Result<bool> parse_spent_stdin(std::string_view text) {
  if (text == "stop" || text == "go-on") return text == "go-on";
  return wrong_value(text, "is neither stop nor go-on");
}

Result<std::uint64_t> parse_capture_limit(std::string_view text) {
  auto size = parse_size(text);
  if (size && *size > (std::uint64_t{1} << 30)) return wrong_value(text, "is more than 1GiB");
  return size;
}

// Only on the command line is there another word for it.
Setter or_forever(Setter attempts) {
  return [attempts](std::string_view text) -> Result<void> {
    const Result<void> set = attempts(text);
    if (set) return {};
    Error error = set.error();
    error.what += ", or use --forever";
    return error;
  };
}

// What else says how many attempts there are.
void declare_attempts(CommandLine& line, Settings& settings) {
  line.flag("forever,f", "no limit on the number of attempts", into(settings.forever));
  line.option("retries", "N", "the same as --attempts N+1",
              into(settings.policy.attempts, [](std::string_view text) -> Result<unsigned> {
                const auto retries = whole<unsigned>(0, 999'999)(text);
                return retries ? Result<unsigned>(*retries + 1) : retries;
              }));
  line.alternatives({"attempts", "retries", "forever"});
}

void declare_policy(CommandLine& line, Settings& settings) {
  for_each_policy_field([&](const auto& field) {
    if (field.name == "kill-after") {
      line.option("signal,s", "SIG", "first signal to an attempt that is out of time (TERM)",
                  into(settings.signal, parse_signal_name));
    }
    Setter setter = into(settings.policy.*field.said, field.parse);
    if (field.name == "attempts") setter = or_forever(std::move(setter));
    line.option(field.option, field.argument, field.help, std::move(setter));
    if (field.name == "attempts") declare_attempts(line, settings);
  });
}

void declare_ending(CommandLine& line, Settings& settings) {
  line.option("drain-grace", "DUR",
              "how long after its last byte to wait for output from background processes, once the "
              "command has ended (200ms)",
              into(settings.drain_grace, parse_duration));
  line.option("drain-limit", "DUR",
              "how long after the command's end to wait for output that still comes (10s)",
              into(settings.drain_limit, parse_duration));
  line.flag("end-with-parent",
            "end the attempt, and begin none, once the process that started us has ended",
            into(settings.end_with_parent));
}

void declare_decisions(CommandLine& line, Settings& settings) {
  line.once("retry-on", "CODES",
            "what is retried whatever the rules say: exit codes, ranges, signals, and timeout, "
            "such as 1,64-78,KILL,timeout (none)",
            into(settings.retry_on, parse_code_set));
  line.once("stop-on", "CODES", "those that are never retried; beats --retry-on (none)",
            into(settings.stop_on, parse_code_set));
  line.option("unmatched", "retry|stop",
              "a failure that no rule knows (stop with --rules or --retry-on; else retry, except "
              "for exit codes 126 and 127)",
              into(settings.retry_unmatched, parse_unmatched));
  line.option("exhausted-code", "N", "exit code when the attempts are used up (the command's own)",
              into(settings.exhausted_code, whole<int>(1, 255)));
  line.once("before-retry", "SCRIPT",
            "run by /bin/sh -c before each retry, after the wait: a new login, a clean-up; "
            "failures of class expired are then tried once more (none)",
            into(settings.before_retry));
  line.flag("accept-done",
            "a failure of class done counts as success after an attempt whose answer may "
            "have been lost",
            into(settings.accept_done));
  line.flag("keep-step-files",
            "do not remove what a failed attempt wrote to $GITHUB_OUTPUT, $GITHUB_ENV and "
            "the like",
            into(settings.keep_step_files));
}

void declare_streams(CommandLine& line, Settings& settings) {
  line.flag("replay-stdin,I",
            "record stdin, read ahead of the command, and replay it on each attempt",
            into(settings.replay_stdin));
  line.option("spent-stdin", "stop|go-on",
              "after a failed attempt has read from a pipe on stdin what the next one "
              "would miss (stop)",
              into(settings.go_on_without_input, parse_spent_stdin));
  line.flag("hold-stdout,O", "pass on stdout of the deciding attempt only",
            into(settings.hold_stdout));
  line.flag("hold-stderr,E", "the same for stderr", into(settings.hold_stderr));
  line.flag("pty", "the command sees a terminal on each output stream that is one for us",
            into(settings.pseudo_terminal));
  line.option("capture-limit", "SIZE",
              "how much of the end of each stream is kept as evidence (1MiB)",
              into(settings.capture_limit, parse_capture_limit));
}

// Options are a layer above the environment: they may contradict it, but not one another.
void layer_waits(const CommandLine& line, PolicyFields& policy, Errors& errors) {
  const Given* delay = line.find("delay");
  const Given* max_delay = line.find("max-delay");
  if (delay == nullptr || max_delay == nullptr) return;
  if (delay->by_option() != max_delay->by_option()) {
    policy.delay_outranks_max = delay->by_option();
  } else if (const std::string wrong = contradiction(policy); !wrong.empty()) {
    errors.push_back({{}, delay->where + " and " + max_delay->where + ": " + wrong});
  }
}

}  // namespace

const char* const exit_code_table =
    "  0 to 255   the deciding attempt's own exit code\n"
    "  124        the deciding attempt ran into a time limit, or the deadline ended the run\n"
    "  125        our own failure: usage or rule file (nothing was run), lost output or input\n"
    "  126        the command was found but cannot be run\n"
    "  127        the command was not found\n"
    "  128+n      signal n ended the command, or asked us to end; 141: output not taken\n";

std::vector<std::string> words_of(const Settings& settings) {
  std::vector<std::string> words = settings.command;
  if (settings.before_retry) words.push_back(*settings.before_retry);
  return words;
}

void declare(CommandLine& line, Settings& settings) {
  line.repeatable("rules,r", "NAME|FILE",
                  "rule set; repeatable, earlier ones are tried first; auto picks by command and "
                  "registry (none)",
                  into(settings.rules));
  line.once("command,c", "SCRIPT",
            "run SCRIPT with bash -eo pipefail -c (sh -e -c where there is no bash); the "
            "operands are its $1 and so on",
            into(settings.script));
  line.not_in_environment({"command"});
  declare_policy(line, settings);
  declare_ending(line, settings);
  declare_decisions(line, settings);
  declare_streams(line, settings);
  line.once("github-output", "PREFIX",
            "write PREFIXattempts, PREFIXreason and PREFIXrule to $GITHUB_OUTPUT (none)",
            into(settings.github_output, parse_output_prefix));
  line.flag("dry-run,n", "say what would be run, under which policy and options; run nothing",
            into(settings.dry_run));
  line.flag("explain",
            "say after each failure why it was judged so; with -v, which rules were tried",
            into(settings.explain));
  declare_output(line, settings,
                 "append a Markdown summary of the run ($GITHUB_STEP_SUMMARY, of one that was "
                 "retried or failed)",
                 "no log but our own errors");
  declare_help(line);
}

Result<void, Errors> complete(const CommandLine& line, Settings& settings) {
  if (settings.forever) settings.policy.attempts = 0;
  settings.notes = line.notes();
  settings.command =
      settings.script ? shell_command(*settings.script, line.operands) : line.operands;
  Errors errors;
  if (settings.command.empty()) {
    errors.push_back({{},
                      "no command given\nUsage: retry-exec [options] [--] COMMAND [ARG…]\n"
                      "Put it in front of a command: retry-exec -r auto -- curl -fsSO URL\n"
                      "--help lists the options, --man shows more."});
  }
  layer_waits(line, settings.policy, errors);
  const Given* accept_done = line.find("accept-done");
  if (accept_done != nullptr && accept_done->by_option() && settings.rules.empty()) {
    settings.notes.emplace_back(
        "--accept-done has no effect without --rules: they say what is done already");
  }
  if (!errors.empty()) return errors;
  return {};
}

}  // namespace retry_exec
