#include "catch_shim.hpp"

#include <retry_exec/report.hpp>

#include <boost/json/parse.hpp>

#include <csignal>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace std::chrono_literals;

namespace {

const std::string digest = "sha256:" + std::string(60, 'a') + "beef";
const std::vector<std::string> command = {"oras", "cp", "a", "b", "--password", "hunter22"};

Verdict absent(std::string line = "Error: " + digest + ": not found") {
  Verdict verdict;
  verdict.class_name = "absent";
  verdict.matched = true;
  verdict.retry = true;
  verdict.rule = "ghcr/manifest-by-digest";
  verdict.because = "a manifest may be invisible for a while after its push";
  verdict.line = std::move(line);
  verdict.details = {{"digest", digest}};
  return verdict;
}

Verdict permanent() {
  Verdict verdict;
  verdict.class_name = "permanent";
  verdict.matched = true;
  verdict.rule = "oras/unauthorized";
  verdict.line = "Error: unauthorized: authentication required";
  return verdict;
}

Verdict unmatched(std::string line) {
  Verdict verdict;
  verdict.class_name = "unmatched";
  verdict.line = std::move(line);
  return verdict;
}

Event failed(unsigned attempt, Verdict verdict, unsigned max_attempts = 5) {
  return AttemptFinished{attempt, max_attempts, Exited{1}, 800ms, std::move(verdict), {}};
}

Event succeeded_on(unsigned attempt) {
  return AttemptFinished{attempt, attempt, Exited{0}, 700ms, std::nullopt, {}};
}

Event ended(StopReason reason, int exit_code, unsigned attempts, Duration elapsed,
            std::string why = {}) {
  return RunFinished{reason, exit_code, attempts, elapsed, std::move(why)};
}

std::string log_of(const std::vector<Event>& events, LogOptions options = {}) {
  const Redactor redactor(command);
  options.command = command;
  std::string text;
  const EventSink sink =
      log_events(std::move(options), redactor, [&](std::string_view lines) { text += lines; });
  for (const Event& event : events) sink(event);
  return text;
}

const std::vector<Event> success_at_once = {AttemptStarted{1, 5}, succeeded_on(1),
                                            ended(StopReason::success, 0, 1, 700ms)};
const std::vector<Event> success_at_second = {
    AttemptStarted{1, 5}, failed(1, absent()), WaitStarted{1400ms},
    AttemptStarted{2, 5}, succeeded_on(2),     ended(StopReason::success, 0, 2, 2900ms)};

}  // namespace

TEST_CASE("a run that succeeds at once logs nothing", "[report]") {
  CHECK(log_of(success_at_once).empty());
}

TEST_CASE("a retried run says what failed, how long it waits, and that it succeeded", "[report]") {
  CHECK(log_of(success_at_second) ==
        "retry-exec: attempt 1/5 failed in 0.8s: exit 1, absent (ghcr/manifest-by-digest): " +
            digest +
            ": not found\n"
            "retry-exec: waiting 1.4s\n"
            "retry-exec: succeeded on attempt 2/5 after 2.9s\n");
}

TEST_CASE("verdicts have colours, what they quote has none", "[report]") {
  LogOptions options;
  options.coloured = true;
  const std::vector<Event> events = {
      AttemptStarted{1, 5}, failed(1, absent()), WaitStarted{1400ms},
      AttemptStarted{2, 5}, succeeded_on(2),     ended(StopReason::success, 0, 2, 2900ms)};
  const std::string text = log_of(events, options);
  CHECK_THAT(text, test::ContainsSubstring(
                       "retry-exec: \x1b[33mattempt 1/5 failed in 0.8s: exit 1, absent "
                       "(ghcr/manifest-by-digest)\x1b[0m: sha256:"));
  CHECK_THAT(text, test::ContainsSubstring("retry-exec: waiting 1.4s\n"));
  CHECK_THAT(text, test::ContainsSubstring(
                       "retry-exec: \x1b[32msucceeded on attempt 2/5 after 2.9s\x1b[0m\n"));
  const std::vector<Event> stopped = {AttemptStarted{1, 5}, failed(1, permanent()),
                                      ended(StopReason::permanent, 1, 1, 800ms)};
  CHECK_THAT(
      log_of(stopped, options),
      test::ContainsSubstring("\x1b[31mnot retried: permanent (oras/unauthorized)\x1b[0m: unauth"));
  for (const LogFormat format : {LogFormat::json, LogFormat::github}) {
    options.format = format;
    CHECK(log_of(events, options).find('\x1b') == std::string::npos);
  }
}

TEST_CASE("what runs between attempts is told when it fails", "[report]") {
  const auto told = [](int code, Verbosity verbosity) {
    return log_of({BeforeRetryFinished{2, Exited{code}, 200ms}}, {.verbosity = verbosity});
  };
  CHECK(told(4, Verbosity::normal) == "retry-exec: --before-retry failed in 0.2s: exit 4\n");
  CHECK(told(0, Verbosity::normal).empty());
  CHECK(told(0, Verbosity::verbose) == "retry-exec: --before-retry succeeded in 0.2s: exit 0\n");
}

TEST_CASE("a failure that has been told is not told again at the deadline", "[report]") {
  const std::string log =
      log_of({AttemptStarted{1, 5}, failed(1, absent()), WaitStarted{1s},
              BeforeRetryFinished{2, Exited{0}, 9s}, ended(StopReason::deadline, 124, 1, 11s)});
  CHECK(log.find("attempt 1/5 failed") == log.rfind("attempt 1/5 failed"));
  CHECK_THAT(log, test::ContainsSubstring("gave up at the deadline after 1 attempt in 11s"));
}

TEST_CASE("success behind a lost answer is told as such", "[report]") {
  Verdict done = absent("version 1.0 already exists");
  done.class_name = "done";
  done.rule = "npm/there";
  CHECK(log_of({failed(1, absent()), WaitStarted{1s}, failed(2, done),
                ended(StopReason::done, 0, 2, 3s)}) ==
        "retry-exec: attempt 1/5 failed in 0.8s: exit 1, absent (ghcr/manifest-by-digest): " +
            digest +
            ": not found\n"
            "retry-exec: waiting 1s\n"
            "retry-exec: succeeded after 2 attempts in 3s: exit 1, done (npm/there), after an "
            "attempt whose answer was lost: version 1.0 already exists (" +
            digest + ")\n");
}

TEST_CASE("a wait that was asked for says so", "[report]") {
  Verdict throttled = absent("toomanyrequests: slow down");
  throttled.retry_after = 30s;
  CHECK_THAT(log_of({failed(1, throttled), WaitStarted{31s, true}}),
             test::ContainsSubstring("retry-exec: waiting 31s, as asked for: 30s\n"));
}

TEST_CASE("a permanent failure is told in one line", "[report]") {
  CHECK(log_of({AttemptStarted{1, 5}, failed(1, permanent(), 1),
                ended(StopReason::permanent, 1, 1, 800ms)}) ==
        "retry-exec: not retried: permanent (oras/unauthorized): "
        "unauthorized: authentication required\n");
}

TEST_CASE("a permanent failure after others says that it is not retried again", "[report]") {
  CHECK_THAT(log_of({AttemptStarted{2, 5}, failed(2, permanent(), 2),
                     ended(StopReason::permanent, 1, 2, 3s)}),
             test::ContainsSubstring("retry-exec: not retried again: permanent (oras/"));
}

TEST_CASE("a failure that no rule knows says how to go on", "[report]") {
  const std::string text = log_of({AttemptStarted{1, 5}, failed(1, unmatched("Error: odd"), 1),
                                   ended(StopReason::unmatched, 1, 1, 800ms)});
  CHECK_THAT(text, test::ContainsSubstring(
                       "retry-exec: not retried: exit 1, a failure that no rule knows: odd\n"));
  CHECK_THAT(text, test::ContainsSubstring("retry-rules explain"));
  CHECK_THAT(text, test::ContainsSubstring("retry-rules suggest"));
}

TEST_CASE("a failure that is final by its outcome says why", "[report]") {
  const Event stopped = AttemptFinished{1, 1, Exited{3}, 1s, std::nullopt, {}};
  CHECK(log_of({stopped, ended(StopReason::permanent, 3, 1, 1s, "--stop-on names this outcome")}) ==
        "retry-exec: not retried: exit 3 (--stop-on names this outcome)\n");
}

TEST_CASE("a run that used up its attempts says so after the last failure", "[report]") {
  CHECK(log_of(
            {AttemptStarted{5, 5}, failed(5, absent()), ended(StopReason::exhausted, 1, 5, 31s)}) ==
        "retry-exec: attempt 5/5 failed in 0.8s: exit 1, absent (ghcr/manifest-by-digest): " +
            digest +
            ": not found\n"
            "retry-exec: gave up after 5 attempts in 31s: exit 1, absent "
            "(ghcr/manifest-by-digest)\n");
}

TEST_CASE("a run that met its deadline says so", "[report]") {
  const Event cut = AttemptFinished{3, 3, TimedOut{TimeLimit::deadline, 12s}, 12s, {}, {}};
  CHECK(log_of({AttemptStarted{3, 5}, cut, ended(StopReason::deadline, 124, 3, 60s)}) ==
        "retry-exec: attempt 3/5 failed in 12s: deadline reached after 12s\n"
        "retry-exec: gave up at the deadline after 3 attempts in 1m: deadline reached after "
        "12s\n");
  CHECK_THAT(log_of({AttemptStarted{3, 5}, failed(3, absent()),
                     ended(StopReason::deadline, 124, 3, 60s, "a wait of 8s does not fit")}),
             test::ContainsSubstring("gave up at the deadline after 3 attempts in 1m: exit 1, "
                                     "absent (ghcr/manifest-by-digest) (a wait of 8s does not "
                                     "fit)\n"));
}

TEST_CASE("an empty retry budget is told", "[report]") {
  CHECK_THAT(
      log_of({failed(2, absent()), ended(StopReason::budget, 1, 2, 9s)}),
      test::ContainsSubstring("gave up after 2 attempts in 9s, the retry budget is used up"));
}

TEST_CASE("an interruption names the signal", "[report]") {
  const Event cut = AttemptFinished{2, 2, Signalled{SIGTERM}, 1s, std::nullopt, {}};
  CHECK(log_of({cut, ended(StopReason::interrupted, 128 + SIGTERM, 2, 3s)}) ==
        "retry-exec: interrupted by SIGTERM after 2 attempts in 3s\n");
}

TEST_CASE("a command that cannot be started is told with its cause", "[report]") {
  const Event missing =
      AttemptFinished{1, 1, NotStarted{ENOENT, "orsa: not found in PATH"}, 0s, std::nullopt, {}};
  CHECK(log_of({missing, ended(StopReason::not_started, 127, 1, 0s)}) ==
        "retry-exec: not started: orsa: not found in PATH\n");
}

TEST_CASE("an attempt beyond its class's share is not counted against it", "[report]") {
  CHECK_THAT(log_of({failed(7, absent(), 2), WaitStarted{1s}}),
             test::ContainsSubstring("attempt 7 failed"));
  CHECK_THAT(log_of({failed(7, absent(), 0), WaitStarted{1s}}),
             test::ContainsSubstring("attempt 7 failed"));
}

TEST_CASE("a long line is cut, but the digest that it is about is there in full", "[report]") {
  const std::string ref = "ghcr.io/posit-dev/" + std::string(20, 'w') + "/tmp@" + digest;
  const std::string other = "sha256:" + std::string(64, 'c');
  for (const std::string& line :
       {"Error: failed to find \"" + ref + "\": " + ref + ": not found",
        "Error: " + other + " and " + ref + " and " + other + ": not found",
        std::string(500, 'x') + ref + std::string(500, 'y') + " not found",
        "manifest unknown " + std::string(300, 'x') + " not found"}) {
    const std::string text = log_of({failed(1, absent(line)), WaitStarted{1s}});
    const std::string first = text.substr(0, text.find('\n'));
    CHECK(first.size() <= 210);
    CHECK_THAT(first, test::ContainsSubstring(digest));
    CHECK_THAT(first, test::ContainsSubstring("not found"));
  }
}

TEST_CASE("a digest that only the details know is named beside the line", "[report]") {
  CHECK_THAT(log_of({failed(1, absent("Error: not found")), WaitStarted{1s}}),
             test::ContainsSubstring(": not found (" + digest + ")\n"));
}

TEST_CASE("what a command printed can neither forge a line nor show a secret", "[report]") {
  const std::string text =
      log_of({failed(1, unmatched("x\nretry-exec: succeeded\x1b[2K hunter22")), WaitStarted{1s}});
  CHECK(text ==
        "retry-exec: attempt 1/5 failed in 0.8s: exit 1: x retry-exec: succeeded [redacted]\n"
        "retry-exec: waiting 1s\n");
}

TEST_CASE("a rule that could not be tried in time is named", "[report]") {
  Verdict verdict = unmatched("odd");
  verdict.unevaluated = {"ours/slow"};
  CHECK_THAT(log_of({failed(1, verdict), WaitStarted{1s}}),
             test::ContainsSubstring("retry-exec: rule ours/slow was left out"));
  verdict.unevaluated.assign(100, "ours/slow");
  const std::string text = log_of({failed(1, verdict), WaitStarted{1s}});
  CHECK_THAT(text, test::ContainsSubstring("and so were 97 others"));
  CHECK(std::count(text.begin(), text.end(), '\n') < 10);
}

TEST_CASE("quiet logs nothing", "[report]") {
  for (const LogFormat format : {LogFormat::text, LogFormat::json, LogFormat::github}) {
    CHECK(log_of(success_at_second, {.format = format, .verbosity = Verbosity::quiet}).empty());
  }
}

TEST_CASE("verbose logs starts, reasons and remarks too", "[report]") {
  AttemptFinished first = std::get<AttemptFinished>(failed(1, absent()));
  first.remarks = {"a background process still holds stdout"};
  const std::string text =
      log_of({AttemptStarted{1, 5}, first, WaitStarted{1s}}, {.verbosity = Verbosity::verbose});
  CHECK_THAT(text, test::ContainsSubstring(
                       "retry-exec: attempt 1/5 starts: oras cp a b --password [redacted]\n"));
  CHECK_THAT(text, test::ContainsSubstring("retry-exec: because: a manifest may be invisible"));
  CHECK_THAT(text,
             test::ContainsSubstring("retry-exec: a background process still holds stdout\n"));
  CHECK(log_of(success_at_once, {.verbosity = Verbosity::verbose}) ==
        "retry-exec: attempt 1/5 starts: oras cp a b --password [redacted]\n"
        "retry-exec: succeeded on attempt 1/5 after 0.7s\n");
}

TEST_CASE("one program that does much says of what it speaks", "[report]") {
  CHECK_THAT(log_of({failed(1, absent()), WaitStarted{1s}},
                    {.program = "retry-publish", .subject = "workbench: copy"}),
             test::ContainsSubstring("retry-publish: workbench: copy: waiting 1s\n"));
}

TEST_CASE("under GitHub Actions a retried failure is a warning and a final one an error",
          "[report]") {
  CHECK_THAT(log_of(success_at_second, {.format = LogFormat::github}),
             test::ContainsSubstring(
                 "::warning title=retry-exec%3A oras cp a b --password [redacted]::attempt 1/5 "
                 "failed in 0.8s: exit 1, absent (ghcr/manifest-by-digest): " +
                 digest + ": not found\n"));
  CHECK_THAT(log_of({failed(5, absent()), ended(StopReason::exhausted, 1, 5, 31s)},
                    {.format = LogFormat::github}),
             test::ContainsSubstring("::gave up after 5 attempts in 31s: exit 1, absent "
                                     "(ghcr/manifest-by-digest): " +
                                     digest + ": not found\n"));
}

TEST_CASE("no text of a command is a command to GitHub's runner", "[report]") {
  const std::string text = log_of(
      {failed(1, unmatched("100%, a ::stop-commands::x and ##[add-mask]y")), WaitStarted{1s}},
      {.format = LogFormat::github});
  CHECK_THAT(text, test::ContainsSubstring("100%25, a : :stop-commands: :x and ## [add-mask]y\n"));
  CHECK(text.find("::stop") == std::string::npos);
  CHECK(text.find("##[") == std::string::npos);
}

TEST_CASE("warnings end where GitHub would drop them, the log does not", "[report]") {
  std::vector<Event> events;
  for (unsigned attempt = 1; attempt <= 20; ++attempt) {
    events.push_back(failed(attempt, absent(), 0));
    events.emplace_back(WaitStarted{1s});
  }
  const std::string text = log_of(events, {.format = LogFormat::github});
  std::size_t warnings = 0;
  for (std::size_t at = text.find("::warning"); at != std::string::npos;
       at = text.find("::warning", at + 1)) {
    ++warnings;
  }
  CHECK(warnings == 10);
  CHECK_THAT(text, test::ContainsSubstring("attempt 20 failed"));
}

TEST_CASE("the log format follows GitHub Actions unless it is named", "[report]") {
  CHECK(parse_log_format("auto", "true").value() == LogFormat::github);
  CHECK(parse_log_format("auto", "").value() == LogFormat::text);
  CHECK(parse_log_format("text", "true").value() == LogFormat::text);
  CHECK(parse_log_format("json", "").value() == LogFormat::json);
  CHECK(parse_log_format("jsno", "").error().what ==
        "unknown log format 'jsno'; did you mean 'json'?");
}

TEST_CASE("the JSON log is one object a line, without secrets", "[report]") {
  const std::string text =
      log_of(success_at_second,
             {.format = LogFormat::json, .now = [] { return WallTime(1777897800250ms); }});
  std::vector<boost::json::object> lines;
  for (std::size_t start = 0; start < text.size(); start = text.find('\n', start) + 1) {
    lines.push_back(
        boost::json::parse(text.substr(start, text.find('\n', start) - start)).as_object());
  }
  REQUIRE(lines.size() == success_at_second.size());
  CHECK(lines[0].at("event") == "attempt-started");
  CHECK(lines[0].at("time") == "2026-05-04T12:30:00.250Z");
  CHECK(lines[0].at("command").as_array().at(5) == "[redacted]");
  CHECK(lines[1].at("elapsed_ms") == 800);
  CHECK(lines[1].at("outcome").at("code") == 1);
  CHECK(lines[1].at("verdict").at("class") == "absent");
  CHECK(lines[1].at("verdict").at("details").at("digest").as_string() == digest.c_str());
  CHECK(lines[2].at("wait_ms") == 1400);
  CHECK(lines[5].at("reason") == "success");
}

TEST_CASE("a policy is described in one line", "[report]") {
  CHECK(describe(Policy{}) ==
        "up to 5 attempts, exponential waits from 2s by 2 up to 32s, jitter equal");
  CHECK(describe(Policy{.attempts = 1, .timeout = 30s}) == "1 attempt, 30s an attempt");
}

TEST_CASE("under GitHub Actions nothing is told as a line and as an annotation", "[report]") {
  const LogOptions github{.format = LogFormat::github};
  for (const StopReason reason :
       {StopReason::exhausted, StopReason::deadline, StopReason::permanent, StopReason::unmatched,
        StopReason::internal}) {
    const std::string text = log_of({failed(1, absent()), ended(reason, 1, 1, 3s)}, github);
    INFO(text);
    CHECK(text.starts_with("::error title="));
    CHECK(text.find("failed in") == std::string::npos);
    CHECK(text.find(digest) == text.rfind(digest));
  }
  const std::string retried = log_of({failed(1, absent()), WaitStarted{1s}}, github);
  CHECK(retried.find("failed in") == retried.rfind("failed in"));
}

TEST_CASE("a run that we could not go on with says why, and speaks of no error of its own",
          "[report]") {
  RunFinished end = std::get<RunFinished>(ended(StopReason::internal, 125, 1, 3s));
  end.why = "output was lost: standard output: No space left on device";
  CHECK(log_of({AttemptFinished{1, 1, Exited{0}, 1s, std::nullopt, {}}, end}) ==
        "retry-exec: stopped: output was lost: standard output: No space left on device\n");
}
