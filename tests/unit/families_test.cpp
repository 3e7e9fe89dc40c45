#include "catch_shim.hpp"
#include "rules/retry_after.hpp"

#include <retry_exec/rules.hpp>

#include <array>
#include <functional>
#include <set>
#include <sstream>

using namespace retry_exec;

namespace {

// What stands around a command's output in a log, and what becomes of its lines.
struct Variation {
  const char* name;
  std::function<std::string(const std::string&)> apply;
};

std::string each_line(const std::string& text, const std::string& before,
                      const std::string& after = "") {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) result += before + line + after + "\n";
  return result;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string wrapped(const std::string& text) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line); result += '\n') {
    while (line.size() > 80 && line.front() != ' ') {
      std::size_t blank = line.rfind(' ', 80);
      if (blank == std::string::npos) blank = line.find(' ', 80);
      if (blank == std::string::npos || blank + 1 >= line.size()) break;
      // What begins with a capital or is a label may begin a message of its own.
      const std::string next = line.substr(blank + 1, line.find(' ', blank + 1) - blank - 1);
      if (next.front() < 'a' || next.front() > 'z' || next.back() == ':') break;
      result += line.substr(0, blank) + "\n";
      line.erase(0, blank + 1);
    }
    result += line;
  }
  return result;
}

const std::array variations = {
    Variation{"as it is", [](const std::string& text) { return text; }},
    Variation{
        "with a CI system's time stamps",
        [](const std::string& text) { return each_line(text, "2026-11-05T10:00:00.0000000Z "); }},
    Variation{"with GitLab's time stamps",
              [](const std::string& text) {
                return each_line(text, "2026-11-05T10:00:00.000000Z 00O ");
              }},
    Variation{
        "with a logger's time stamps",
        [](const std::string& text) { return each_line(text, "2026-11-05 10:00:00,123 | "); }},
    Variation{"with the time of day",
              [](const std::string& text) { return each_line(text, "10:00:00 "); }},
    Variation{"with the time of day in parentheses",
              [](const std::string& text) { return each_line(text, "(10:00:00.5) "); }},
    Variation{"with the time of day in brackets",
              [](const std::string& text) { return each_line(text, "[9:00:00 PM] "); }},
    Variation{"in a step of BuildKit",
              [](const std::string& text) { return each_line(text, "#12 1.234 "); }},
    Variation{"as an annotation",
              [](const std::string& text) { return each_line(text, "##[error]"); }},
    Variation{"in colour",
              [](const std::string& text) { return each_line(text, "\x1b[31m", "\x1b[0m"); }},
    Variation{"between section marks",
              [](const std::string& text) {
                return "section_start:1700000000:step_script\r\x1b[0K" + text +
                       "\nsection_end:1700000001:step_script\r\x1b[0K";
              }},
    Variation{"with line ends of Windows",
              [](const std::string& text) { return each_line(text, "", "\r"); }},
    Variation{"broken at 80 columns", [](const std::string& text) { return wrapped(text); }},
    Variation{"from another host",
              [](const std::string& text) {
                return replaced(replaced(text, "registry.example", "mirror.host.test"),
                                "sha256:5f7", "sha256:503");
              }},
};

std::string command_for(const RuleSet& set, const Rule& rule) {
  if (!rule.commands.empty()) return rule.commands.front();
  if (!set.serves.commands.empty()) return set.serves.commands.front();
  const auto& evidence = set.evidence;
  return evidence.empty() || evidence.front().commands.empty() ? ""
                                                               : evidence.front().commands.front();
}

std::string class_of(const Classifier& classifier, const std::string& command, const Rule& rule,
                     const std::string& text) {
  CapturedOutput output;
  const bool on_stdout = rule.stream == Stream::standard_output;
  (on_stdout ? output.standard_output : output.standard_error).tail = text;
  const std::vector<std::string> argv = {command};
  const int code = rule.codes.codes.empty() ? 1 : rule.codes.codes.front().first;
  Verdict verdict = classifier.classify({argv, Exited{code}, output});
  if (verdict.matched || rule.stream) return verdict.class_name;
  std::swap(output.standard_output, output.standard_error);
  return classifier.classify({argv, Exited{code}, output}).class_name;
}

}  // namespace

TEST_CASE("what a log puts around a line changes no verdict on it", "[rules][families]") {
  for (const BuiltinSet& builtin : builtin_sets()) {
    const auto set = load_rule_set(std::string(builtin.name));
    REQUIRE(set.has_value());
    const Classifier classifier({*set});
    for (const Rule& rule : set->rules) {
      if (rule.set_name != set->name || rule.outcome != OutcomeKind::any) continue;
      const std::string command = command_for(*set, rule);
      for (const Example& example : rule.examples_match) {
        const std::string plain = class_of(classifier, command, rule, example.text);
        for (const Variation& variation : variations) {
          INFO(rule.full_id() << ", " << variation.name << ":\n" << variation.apply(example.text));
          CHECK(class_of(classifier, command, rule, variation.apply(example.text)) == plain);
        }
      }
    }
  }
}

TEST_CASE("a wait that a tool names in words is read, and one beyond a day is final",
          "[rules][families]") {
  const auto set = load_rule_set("generic");
  REQUIRE(set.has_value());
  const Classifier classifier({*set});
  const auto now = Classifier::WallTime(std::chrono::seconds(1'775'041'200));  // 2026-04-01 11:00
  const std::vector<std::string> command = {"tool"};
  const auto verdict = [&](const std::string& text) {
    CapturedOutput output;
    output.standard_error.tail = text;
    return classifier.classify({command, Exited{1}, output}, now);
  };
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  using std::chrono::seconds;
  const std::vector<std::pair<std::string, Duration>> waits = {
      {"error: Too many requests. Please retry in 52 seconds", seconds(52)},
      {"error: rate limit exceeded, try again in 2 minutes and 30 seconds", seconds(150)},
      {"error: 503 Service Unavailable, retry after 5 minutes", minutes(5)},
      {"error: API rate limit exceeded, resets at 11:05 UTC", minutes(5)},
      {"error: API rate limit exceeded\nRate limit reset at: 2026-04-01 11:30:00 UTC", minutes(30)},
      {"HTTP 429 Too Many Requests\nRetry-After: 120", seconds(120)},
      {"error: 403 API rate limit of 60 still exceeded until 2026-04-01 11:14:05 +0000 UTC",
       seconds(845)},
      // Just passed, to the hour; what lies further back is tomorrow's.
      {"error: API rate limit exceeded, resets at 10:59 UTC", seconds(0)},
      {"error: 503 Service Unavailable, retry after 10:00:00 UTC", seconds(0)},
      {"error: 503 Service Unavailable, retry after 09:59:59 utc", seconds(86400 - 3601)},
      // Dates as RFC 3339 has them, and people.
      {"HTTP 429 Too Many Requests\nRetry-After: 2026-04-01T11:00:05.5Z", milliseconds(5500)},
      {"HTTP 429 Too Many Requests\nRetry-After: 2026-04-01T13:05:00+02:00", minutes(5)},
      {"HTTP 429 Too Many Requests\nRetry-After: 2026-04-01T06:05:00.250-0500",
       milliseconds(300250)},
      {"HTTP 429 Too Many Requests\nRetry-After: 2026-04-01t11:05:00z", minutes(5)},
      {"error: rate limit exceeded, resets at 2026-04-01T11:05", minutes(5)},
      {"error: rate limit exceeded, resets at 2026-04-01 11:05:00", minutes(5)},
      {"error: rate limit exceeded, resets at 2026-04-01 13:05:00.123456789 +0200",
       milliseconds(300123)},
      {"error: rate limit exceeded, resets at 2026-04-01 11:05:00GMT.", minutes(5)},
      {"error: rate limit exceeded, try again after Wed, 01 Apr 2026 11:05:00 GMT and see",
       minutes(5)},
      {"error: rate limit exceeded, try again after wed, 01 apr 2026 11:05:00 gmt", minutes(5)},
      {"error: rate limit exceeded, try again in 5 Minutes", minutes(5)},
      {"error: rate limit exceeded, try again in 5M", minutes(5)},
      {"HTTP 429 Too Many Requests\nRetry-After: 1h 30m", minutes(90)},
      {"HTTP 429 Too Many Requests\nRetry-After: 1 h", minutes(60)},
      {"HTTP 429 Too Many Requests\nRetry-After: 500 milliseconds", milliseconds(500)},
      {"HTTP 429 Too Many Requests\nRetry-After: 1 minute, 2 s", seconds(62)},
      {"HTTP 429 Too Many Requests\nRetry-After: 1.5 hours", minutes(90)},
      {"HTTP 429 Too Many Requests\nRetry-After: 500 msec", milliseconds(500)},
  };
  for (const auto& [text, wait] : waits) {
    INFO(text);
    const Verdict read = verdict(text);
    CHECK(read.retry);
    CHECK(read.retry_after == wait);
  }
  CHECK_FALSE(verdict("Error! Rate limit exceeded error. Try again in 9 days").retry);
  // More nanoseconds than can be counted: 2^64 of them are 213503 days and an hour.
  CHECK_FALSE(verdict("Error! Rate limit exceeded error. Try again in 213504 days").retry);
  const Verdict long_wait = verdict("error: 503 Service Unavailable, retry after 30 hours");
  CHECK_FALSE(long_wait.retry);
}

TEST_CASE("a time of day that has just passed is now, also on the other side of midnight",
          "[rules][families]") {
  using std::chrono::seconds;
  constexpr long midnight = 1'775'088'000;  // 2026-04-02 00:00
  const auto waits_at = [](long now, std::string_view text) {
    return rules::parse_retry_after(text, Classifier::WallTime(seconds(now)));
  };
  CHECK(waits_at(midnight + 30, "23:59 UTC") == Duration(0));
  CHECK(waits_at(midnight + 30, "00:00:30 UTC") == Duration(0));
  CHECK(waits_at(midnight + 30, "00:01 UTC") == seconds(30));
  CHECK(waits_at(midnight + 3599, "23:59 UTC") == seconds(86400 - 3659));
  CHECK(waits_at(midnight - 30, "00:00 UTC") == seconds(30));
  CHECK(waits_at(midnight - 30, "02:05+02:00") == seconds(330));
  CHECK_FALSE(waits_at(midnight, "00:05"));  // of which zone?
}

TEST_CASE("a hiccup that a tool got over does not outweigh what fails behind it",
          "[rules][families]") {
  const auto retried = [](const std::vector<std::string>& command, const std::string& text) {
    const auto set = load_rule_sets(pick_rule_sets(command, text));
    REQUIRE(set.has_value());
    CapturedOutput output;
    output.standard_error.tail = text;
    return Classifier({*set}).classify({command, Exited{1}, output}).retry;
  };
  const std::string apt =
      "Err:1 http://deb.debian.org/debian bookworm InRelease\n"
      "  Connection timed out [IP: 192.0.2.10 80]\n";
  const std::string got = "Get:1 http://deb.debian.org/debian bookworm InRelease [151 kB]\n";
  const std::string curl = "curl: (56) Recv failure: Connection reset by peer\n";
  const std::string wget = "Connecting to h... failed: Connection timed out.\n";
  const std::string pip =
      "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) "
      "after "
      "connection broken by 'ReadTimeoutError(\"HTTPSConnectionPool(host='pypi.org', port=443): "
      "Read "
      "timed out. (read timeout=15)\")': /simple/foo/\n";
  const std::string npm =
      "npm http fetch GET https://registry.npmjs.org/x attempt 1 failed with ECONNRESET\n";
  const std::string again =
      "Warning: Problem : connection reset. Will retry in 1 seconds. 3 retries left.\n";
  const std::vector<std::string> script = {"bash", "build.sh"};
  for (const std::string end :
       {"x.c:1:1: error: unknown type name 'foo'\n", "=== 1 failed, 10 passed in 0.5s ===\n"}) {
    INFO(end);
    CHECK_FALSE(retried(script, apt + got + "Reading package lists...\n" + end));
    CHECK_FALSE(retried(script, curl + again + end));
    CHECK_FALSE(retried(script, wget + "Retrying.\n\n" + end));
    CHECK_FALSE(retried(script, pip + end));
    CHECK_FALSE(retried(script, npm + end));
  }
  CHECK_FALSE(retried({"pip", "install", "foo"},
                      pip + "      error: command '/usr/bin/gcc' failed with exit code 1\n"
                            "  ERROR: Failed building wheel for foo\n"));
  CHECK_FALSE(retried({"npm", "ci"}, npm + "npm error code 1\nnpm error gyp ERR! build error\n"));
  // Those that were not got over.
  CHECK(retried(script, apt + "Reading package lists...\nE: Failed to fetch "
                              "http://deb.debian.org/x  Connection timed out\n"));
  CHECK(retried(script, curl + again + curl));
  CHECK(retried(script, wget + "Retrying.\n\n" + wget + "Giving up.\n"));
  CHECK(retried({"pip", "install", "foo"},
                pip + "ERROR: Could not find a version that satisfies the requirement foo (from "
                      "versions: none)\n"));
  CHECK(retried({"npm", "ci"}, npm + "npm error code ECONNRESET\n"));
}

TEST_CASE("a 403 is a throttle by the host that says it", "[rules][families]") {
  const auto retried = [](const std::vector<std::string>& command, const std::string& text) {
    const auto set = load_rule_sets(pick_rule_sets(command, text));
    REQUIRE(set.has_value());
    CapturedOutput output;
    output.standard_error.tail = text;
    return Classifier({*set}).classify({command, Exited{1}, output}).retry;
  };
  for (const std::string tool : {"mvn", "gradle", "make", "pip", "npm"}) {
    INFO(tool);
    CHECK(retried({tool},
                  "Could not transfer artifact a:b:jar:1 from/to central "
                  "(https://repo.maven.apache.org/maven2): status code: 403, reason "
                  "phrase: Forbidden (403)\n"));
    CHECK_FALSE(retried({tool},
                        "Could not transfer artifact a:b:jar:1 from/to github "
                        "(https://maven.pkg.github.com/a/b): status code: 403, reason "
                        "phrase: Forbidden (403)\n"));
  }
}

TEST_CASE("a registry's words count under another tool's name", "[rules][families]") {
  const auto class_name = [](const std::vector<std::string>& command, const std::string& text) {
    const auto set = load_rule_sets(pick_rule_sets(command, text));
    REQUIRE(set.has_value());
    CapturedOutput output;
    output.standard_error.tail = text;
    return Classifier({*set}).classify({command, Exited{1}, output}).class_name;
  };
  const std::string denied =
      "ERROR: failed to push ghcr.io/a/b:1: failed to authorize: failed to fetch oauth token: "
      "denied: denied\n";
  for (const std::string tool : {"docker", "make", "npm", "bash", "cmake"}) {
    INFO(tool);
    CHECK(class_name({tool}, denied) == "suspect");
    CHECK(
        class_name({tool}, "PUT https://quay.io/v2/a/b/manifests/1: MANIFEST_BLOB_UNKNOWN: x\n") ==
        "transient");
    CHECK(class_name({tool}, "denied: permission_denied: write_package (ghcr.io/a/b)\n") ==
          "permanent");
  }
}

TEST_CASE("a tool's rule does not explain a line that a family knows, where the tool did not run",
          "[rules][families]") {
  const std::set<std::string> tools = {"git", "git-over-ssh", "curl",  "wget", "apt",
                                       "npm", "postgresql",   "mysql", "redis"};
  const auto generic = load_rule_set("generic");
  REQUIRE(generic.has_value());
  const Classifier classifier({*generic});
  const std::vector<std::string> command = {"tool"};
  const auto deciding_set = [&](const std::string& text) {
    CapturedOutput output;
    output.standard_error.tail = text;
    const std::string rule = classifier.classify({command, Exited{1}, output}).rule;
    return rule.substr(0, rule.find('/'));
  };
  for (const std::string line : {"Connection reset by peer",
                                 "error: Connection reset by peer",
                                 "Connection timed out",
                                 "Connection closed by foreign host",
                                 "Connection refused",
                                 "write: Broken pipe",
                                 "read: connection reset by peer",
                                 "unexpected EOF reading body: EOF",
                                 "Temporary failure in name resolution",
                                 "503 Service Unavailable",
                                 "x509: certificate signed by unknown authority",
                                 "i/o timeout",
                                 "TLS handshake timeout",
                                 "Operation timed out",
                                 "socket hang up",
                                 "Could not resolve host: h.test",
                                 "No route to host",
                                 "Too many requests",
                                 "Connection closed",
                                 "lost connection to peer"}) {
    INFO(line << ": " << deciding_set(line));
    CHECK_FALSE(tools.contains(deciding_set(line)));
  }
}
