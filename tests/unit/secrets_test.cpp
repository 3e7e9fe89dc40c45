// One property over one table: a secret does not come out of us, whatever form it stands in and
// wherever we print it.

#include "catch_shim.hpp"
#include "secret_forms.hpp"
#include "source_paths.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/publish_views.hpp>
#include <retry_exec/redact.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/rule_tools.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish::views;
using namespace std::chrono_literals;
using test::SecretForm;

namespace {

const std::string corpus = std::string(UNIT_TEST_FOLDER) + "/corpus";

constexpr std::array secrets = {"hunter22", "Zx9-kQ7.mN2_vB4", "9f8e7d6c5b4a39281706f5e4"};

Verdict verdict_of(const std::string& text) {
  Verdict verdict;
  verdict.class_name = "transient";
  verdict.matched = true;
  verdict.rule = "set/rule";
  verdict.because = text;
  verdict.line = text;
  verdict.details = {{"detail", text}};
  return verdict;
}

std::vector<Event> run_of(const std::string& text) {
  const AttemptFinished failed{.attempt = 1,
                               .max_attempts = 2,
                               .outcome = NotStarted{2, text},
                               .verdict = verdict_of(text),
                               .remarks = {text}};
  AttemptFinished last = failed;
  last.attempt = 2;
  return {
      AttemptStarted{1, 2},
      failed,
      WaitStarted{1s, false},
      AttemptStarted{2, 2},
      last,
      RunFinished{.reason = StopReason::internal, .exit_code = 125, .attempts = 2, .why = text}};
}

std::string log_of(LogFormat format, const std::string& text,
                   const std::vector<std::string>& command, const Redactor& redact) {
  std::string shown;
  LogOptions options;
  options.format = format;
  options.verbosity = Verbosity::verbose;
  options.command = command;
  options.columns = 4000;
  const EventSink sink =
      log_events(options, redact, [&](std::string_view lines) { shown += lines; });
  for (const Event& event : run_of(text)) sink(event);
  return shown + note_lines(text, options, redact);
}

std::string reports_of(const std::string& text, const std::vector<std::string>& command,
                       const Redactor& redact) {
  RunRecorder recorder(command, WallTime(), [] { return TimePoint(); });
  for (const Event& event : run_of(text)) recorder.take(event);
  const RunRecord& record = recorder.record();
  return report(record, ReportFormat::text, redact) + report(record, ReportFormat::json, redact) +
         run_summary(record, redact);
}

std::string publishing_of(const std::string& text, const std::vector<std::string>& command,
                          const Redactor& redact) {
  publish::TargetResult target;
  target.name = "t";
  target.phases = {{.phase = publish::plan::Phase::copy, .note = text}};
  target.lags = {{.what = text}};
  target.failure = publish::TargetFailure{.phase = publish::plan::Phase::copy,
                                          .what = text,
                                          .command = command,
                                          .verdict = verdict_of(text)};
  PublishRecord record;
  record.plan = text;
  record.result.targets = {target};
  return publish_report(record, ReportFormat::text, redact) +
         publish_report(record, ReportFormat::json, redact) + publish_summary(record, redact) +
         publish_failures(record.result, redact);
}

// All that is said of a failure with `text` in its output, by program and format.
std::string all_that_is_said(const std::string& text, const std::vector<std::string>& command,
                             const Redactor& redact) {
  std::string shown = redact(text) + "\n" + redact.lines(text) + "\n";
  for (const LogFormat format : {LogFormat::text, LogFormat::json, LogFormat::github}) {
    shown += log_of(format, text, command, redact);
  }
  shown += reports_of(text, command, redact) + publishing_of(text, command, redact);
  return shown + redact.command(std::vector<std::string>{"sh", "-c", text});
}

std::string joined(const std::vector<std::string>& argv, const std::string& before,
                   const std::string& between, const std::string& after) {
  std::string text;
  for (const std::string& word : argv) text += (text.empty() ? before : between) + word;
  return text + after;
}

// How programs write the arguments of a command that they quote.
std::vector<std::string> quotations_of(const SecretForm& form) {
  const std::vector<std::string>& argv = form.argv;
  return {
      form.text,
      "Command '[" + joined(argv, "'", "', '", "'") + "]' returned non-zero exit status 1.",
      "[" + joined(argv, "\"", "\",\"", "\"") + "]",
      "{\\\"cmd\\\": [" + joined(argv, "\\\"", "\\\", \\\"", "\\\"") + "]}",
      "failed: " + joined(argv, "\"", "\" \"", "\"") + " (exit status: 1)",
      "running [" + joined(argv, "", " ", "") + "]",
      "+ " + form.text,
      "bash -c \"" + joined(argv, "'", "' '", "'") + "\"",
      "it isn't: " + form.text,
      "2026-11-28T10:00:00.0000000Z ##[command]" + form.text,
  };
}

}  // namespace

TEST_CASE("no secret of the table is shown anywhere", "[report][secrets]") {
  for (const std::string secret : secrets) {
    const std::vector<SecretForm> forms = test::secret_forms(corpus, secret);
    REQUIRE(forms.size() >= 300);
    for (const SecretForm& form : forms) {
      const std::vector<std::string> command =
          form.argv.empty() ? std::vector<std::string>{"tool"} : form.argv;
      INFO(form.text);
      const Redactor redact;
      CHECK(test::leaked(redact(form.text), form.secrets) == "");
      if (secret != secrets[0]) continue;
      CHECK(test::leaked(all_that_is_said(form.text, command, redact), form.secrets) == "");
    }
  }
}

TEST_CASE("no secret of a command is shown where programs quote the command", "[report][secrets]") {
  for (const std::string secret : secrets) {
    for (const SecretForm& form : test::secret_forms(corpus, secret)) {
      if (form.argv.empty()) continue;
      for (const std::string& text : quotations_of(form)) {
        INFO(text);
        CHECK(test::leaked(Redactor()(text), form.secrets) == "");
      }
    }
  }
}

TEST_CASE("a secret of the command that is run is known wherever it stands", "[report][secrets]") {
  for (const std::string secret : secrets) {
    for (const SecretForm& form : test::secret_forms(corpus, secret)) {
      if (form.argv.empty()) continue;
      INFO(form.text);
      const Redactor redact(form.argv);
      CHECK(test::leaked(redact.command(form.argv), form.secrets) == "");
      CHECK(redact("is " + secret + " right?") == "is [redacted] right?");
      const std::vector<std::string> script = {"sh", "-c", "cd x && " + form.text};
      CHECK(test::leaked(Redactor(script).command(script), form.secrets) == "");
      CHECK(Redactor(script)("is " + secret + " right?") == "is [redacted] right?");
    }
  }
}

TEST_CASE("what only looks like a secret is shown as it is", "[report][secrets]") {
  const Redactor redact;
  for (const std::string& text : test::harmless_texts(corpus)) {
    CHECK(redact.lines(text) == text);
    std::string line = text;
    for (char& c : line) c = c == '\n' || c == '\t' ? ' ' : c;
    CHECK(redact(text) == line);
  }
}

TEST_CASE("to redact twice changes nothing", "[report][secrets]") {
  const Redactor redact;
  for (const SecretForm& form : test::secret_forms(corpus, secrets[0])) {
    const std::string once = redact(form.text);
    CHECK(redact(once) == once);
    const std::string lines = redact.lines(form.text);
    CHECK(redact.lines(lines) == lines);
  }
  // A mark makes an option's value of what stands before it; what was cut is not cut again.
  const std::string words = "--password hunter22 word ";
  std::string long_text;
  while (long_text.size() < 100'000) long_text += words;
  for (const std::string& text :
       {std::string("$ so login -p\\[redacted] 7"), long_text, long_text.substr(0, 5000)}) {
    const std::string once = redact(text);
    CHECK(redact(once) == once);
    CHECK(once.size() < 4200);
    const std::string lines = redact.lines(text);
    CHECK(redact.lines(lines) == lines);
  }
}

namespace {

// How programs write a text that is put into JSON, an address, a page, a source text or a shell.
std::vector<std::string> ways_to_write(const std::string& secret) {
  const auto each = [&](const std::function<std::string(unsigned char)>& write) {
    std::string text;
    for (const char c : secret) text += write(static_cast<unsigned char>(c));
    return text;
  };
  const auto formatted = [](const char* format, unsigned value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return std::string(text.data());
  };
  const auto odd = [](unsigned char c) {
    return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  };
  std::vector<std::string> ways = {secret, "  " + secret + "\t", "\"" + secret + "\"",
                                   secret + "\n"};
  for (const char* format : {"%%%02X", "%%%02x", "%%25%02X", "\\u%04x", "\\u%04X", "\\x%02x",
                             "&#%u;", "&#x%x;", "\\\\u%04x", "\\%03o"}) {
    ways.push_back(each([&](unsigned char c) { return formatted(format, c); }));
    ways.push_back(each([&](unsigned char c) {
      return odd(c) ? formatted(format, c) : std::string(1, static_cast<char>(c));
    }));
  }
  for (const char* before : {"\\", "\\\\", "\\\\\\"}) {
    ways.push_back(each([&](unsigned char c) {
      return (odd(c) ? before : "") + std::string(1, static_cast<char>(c));
    }));
  }
  ways.push_back(each([&](unsigned char c) { return formatted("%02x", c); }));
  ways.push_back(each([&](unsigned char c) { return formatted("%02X", c); }));
  return ways;
}

}  // namespace

TEST_CASE("a secret of the environment is found however it is escaped", "[report][secrets]") {
  const std::array names = {"API_TOKEN", "SSHPASS",     "DB_PW",         "SESSION_COOKIE",
                            "GH_PAT",    "SIGNING_KEY", "REGISTRY_AUTH", "MY_WEBHOOK"};
  for (const std::string secret : {"pass/w=o~rd+1", "a\"b'c\\d<e>&f", "two words 22", "hunter22"}) {
    for (const std::string name : names) {
      const std::string entry = name + "= " + secret + "\n";
      const std::array<const char*, 2> environment = {entry.c_str(), nullptr};
      const Redactor redact({}, environment.data());
      for (const std::string& way : ways_to_write(secret)) {
        INFO(name << ": " << way);
        CHECK(redact("is <<" + way + ">> it").find("[redacted]") != std::string::npos);
        CHECK(test::leaked(all_that_is_said("is " + way + " it", {"tool"}, redact), {way}) == "");
        CHECK(redact.known("is " + way + " it").find("[redacted]") != std::string::npos);
      }
      if (name != names[0]) break;
    }
  }
}

TEST_CASE("a letter that is not of ASCII is found as JSON escapes it", "[report][secrets]") {
  const std::array<const char*, 2> environment = {"A_TOKEN=grün-🎉-geheim", nullptr};
  const Redactor redact({}, environment.data());
  for (const char* way :
       {"gr\\u00fcn-\\ud83c\\udf89-geheim", "gr\\u00FCn-\\uD83C\\uDF89-geheim",
        "gr%C3%BCn-%F0%9F%8E%89-geheim", "gr\\303\\274n-🎉-geheim", "gr&#252;n-&#x1f389;-geheim"}) {
    CHECK(redact(std::string("is ") + way + " it") == "is [redacted] it");
  }
}

TEST_CASE("passwords inside the addresses and connections of variables are known",
          "[report][secrets]") {
  const std::array entries = {
      "DATABASE_URL=postgres://me:hunter22@h/db",
      "HTTPS_PROXY=http://me:hunter22@proxy:3128",
      "PIP_INDEX_URL=https://me:hunter22@h/simple",
      "SENTRY_DSN=https://hunter22@sentry.example.com/1",
      "MESSAGES=Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=hunter22",
      "CONNECTION=Server=h;Password=hunter22;Database=d",
      "SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T0/B0/hunter22",
      "GIT_CONFIG_COOKIE=sid=hunter22; path=/"};
  for (const char* entry : entries) {
    const std::array<const char*, 2> environment = {entry, nullptr};
    INFO(entry);
    CHECK(Redactor({}, environment.data())("is hunter22 it") == "is [redacted] it");
  }
}

TEST_CASE("what stands behind an address stays", "[report][secrets]") {
  CHECK(Redactor()("Get https://h/x?sig=a%2Fb: EOF") == "Get https://h/x?[redacted]: EOF");
  CHECK(Redactor()("(https://h/x?a=b), then") == "(https://h/x?[redacted]), then");
  CHECK(Redactor()("POST https://hooks.slack.com/services/T/B/x1: 404") ==
        "POST https://hooks.slack.com/services/[redacted]: 404");
}

TEST_CASE("a private key is taken out of many lines, line by line, and what follows it stays",
          "[report][secrets]") {
  const std::string body = "MIIEpAIBAAKCAQEA7bq5cJ0b4d2rXk3y9fZ0mN1pQ2sT4uV6wX8yZ0aB1cD2eF3g";
  const Redactor redact;
  CHECK(redact.lines("a\n-----BEGIN RSA PRIVATE KEY-----\n" + body + "\n" + body +
                     "\nabc=\n-----END RSA PRIVATE KEY-----\n503 Service Unavailable") ==
        "a\n-----BEGIN RSA PRIVATE KEY-----\n[redacted]\n[redacted]\n[redacted]\n"
        "-----END RSA PRIVATE KEY-----\n503 Service Unavailable");
  CHECK(redact.lines("-----BEGIN RSA PRIVATE KEY-----\n" + body + "\n503 Service Unavailable") ==
        "-----BEGIN RSA PRIVATE KEY-----\n[redacted]\n503 Service Unavailable");
  CHECK(redact.lines("  " + body + "\n  " + body + "\n  q2sT4=\nError: 503") ==
        "  [redacted]\n[redacted]\n[redacted]\nError: 503");
}

// After a change: look at each new line, and put it there.
TEST_CASE("what is hidden of the failures of the corpus is what was reviewed",
          "[report][secrets][corpus]") {
  const Redactor redact;
  std::string hidden;
  for (const char* name :
       {"errors", "packages", "containers", "reproduced", "worded", "field", "tools"}) {
    const std::string path = corpus + "/" + name + ".jsonl";
    const auto records = read_corpus(test::read_file(path), path);
    REQUIRE(records.has_value());
    for (const LabelledFailure& record : *records) {
      const std::string shown = redact.lines(record.text) + "\n";
      for (std::size_t at = 0, end = 0; at < shown.size(); at = end + 1) {
        end = shown.find('\n', at);
        const std::string line = shown.substr(at, end - at);
        if (line.find("[redacted]") != std::string::npos) hidden += record.id + ": " + line + "\n";
      }
    }
  }
  const std::string reviewed = corpus + "/hidden.txt";
  if (hidden != test::read_file(reviewed)) std::ofstream("hidden.txt") << hidden;
  INFO("compare hidden.txt, which lies here now, with " << reviewed);
  CHECK((hidden == test::read_file(reviewed)));
}

TEST_CASE("a mebibyte of output is searched for secrets in time that grows with its length",
          "[report][secrets]") {
  const std::array<const char*, 2> environment = {"A_TOKEN=\\\\%&hunter22", nullptr};
  const Redactor redact({}, environment.data());
  for (const std::string unit :
       {"Error: GET https://h/v2/a/manifests/1: 503 Service Unavailable\n", "login -p x '\n", "\\",
        "%25", "&#", "a 'b\n", "-----BEGIN PRIVATE KEY-----\n", "stdin <<EOF\n",
        "{\"a\":[\"-p\",\n", "$(`\"'\n", "[redacted]"}) {
    const auto seconds_for = [&](std::size_t bytes) {
      std::string text;
      while (text.size() < bytes) text += unit;
      const std::clock_t start = std::clock();
      CHECK_FALSE(redact.lines(text).empty());
      return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    };
    const double quarter = seconds_for(std::size_t{256} << 10);
    const double whole = seconds_for(std::size_t{1} << 20);
    INFO(unit << ": a quarter of it in " << quarter << " s, all in " << whole << " s");
    CHECK(whole < 8 * quarter + 0.2);
    if (std::getenv("TEST_INSTRUMENTED") == nullptr) CHECK(whole < 4);
  }
}
