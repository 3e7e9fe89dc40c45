// retry-rules, as a user of the command line has it.
#include "retry_rules_run.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using test::ContainsSubstring;
using test::Ended;
using test::EndsWith;
using test::TemporaryFolder;

namespace {

constexpr const char* not_found =
    "Error response from registry: failed to find \"ghcr.io/o/r:1\": ghcr.io/o/r:1: not found\n";

}  // namespace

TEST_CASE("each command answers, in words and as JSON", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string rules =
      folder.write("ours.yaml", rule("id: a, class: transient, match: flaky"));
  const std::string corpus = folder.write("c.jsonl", R"({"text": "flaky", "label": "transient"})");
  for (const std::vector<std::string>& words : {
           std::vector<std::string>{"list"},
           {"show", "ghcr"},
           {"show", "ghcr", "--resolved"},
           {"check", rules},
           {"explain", "-r", rules},
           {"suggest", "-r", rules},
           {"test", "-r", rules, corpus},
       }) {
    INFO(words.front());
    CHECK(run(words, "flaky\n").exit_code() == 0);
    std::vector<std::string> with_json = words;
    with_json.emplace_back("--json");
    const Ended json = run(with_json, "flaky\n");
    CHECK(json.exit_code() == 0);
    CHECK_THAT(json.out.substr(0, 1) + json.out.substr(json.out.size() - 2),
               ContainsSubstring("}\n") || ContainsSubstring("]\n"));
  }
}

TEST_CASE("explain shows the evidence, the masks, each rule tried, the verdict and the waits",
          "[retry-rules]") {
  const Ended ended = run({"explain", "-c", "oras cp ghcr.io/o/r:1 x"}, not_found);
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("rules: ghcr oras"));
  CHECK_THAT(ended.out, ContainsSubstring("failed to find …: …: not found"));
  CHECK_THAT(ended.out,
             ContainsSubstring("oras/layout-lacks-it (permanent): match: not in stderr"));
  CHECK_THAT(ended.out, ContainsSubstring("verdict: absent (oras/manifest-not-found), retried"));
  CHECK_THAT(ended.out, ContainsSubstring("waits    at most 2s 4s 8s 16s"));
}

TEST_CASE("explain has verdict, outcome and durations in the JSON of log and report",
          "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string rules = folder.write(
      "ours.yaml", rule("id: a, class: transient, match: 'wait (?<retry_after>[0-9]+)', policy: "
                        "{delay: 1500ms, attempts: 3}"));
  const Ended ended = run({"explain", "-r", rules, "--json"}, "wait 30\n");
  CHECK_THAT(ended.out,
             ContainsSubstring(R"("outcome":{"kind":"exited","code":1,"text":"exit 1"})"));
  CHECK_THAT(ended.out, ContainsSubstring(R"("verdict":{"class":"transient","rule":"ours/a")"));
  CHECK_THAT(ended.out, ContainsSubstring(R"("retry_after_ms":30000)"));
  CHECK_THAT(ended.out, ContainsSubstring(R"("waits_ms":[30000,30000])"));
  CHECK_THAT(ended.out, ContainsSubstring(R"("policy":{"attempts":3,"delay":1.5E0})"));
}

TEST_CASE("where nothing was just pushed an absent manifest stops", "[retry-rules]") {
  const Ended ended = run({"explain", "-c", "oras cp"}, not_found);
  CHECK_THAT(ended.out, ContainsSubstring("verdict: absent (oras/manifest-not-found), stops"));
}

TEST_CASE("explain and suggest keep secrets to themselves", "[retry-rules]") {
  const std::string log =
      "error: login --password hunter2hunter2 at https://me:hunter2hunter2@h/ is odd\n";
  for (const std::string command : {"explain", "suggest"}) {
    for (const std::string json : {"--json", "--"}) {
      const Ended ended = run({command, json}, log);
      INFO(ended.out);
      CHECK(ended.exit_code() == 0);
      CHECK_THAT(ended.out, ContainsSubstring("[redacted]"));
      CHECK_THAT(ended.out, !ContainsSubstring("hunter2"));
    }
  }
  const Ended named =
      run({"explain", "--json", "-c", "oras login -p hunter2hunter2"}, "hunter2hunter2\n");
  CHECK_THAT(named.out, !ContainsSubstring("hunter2"));
}

TEST_CASE("a suggested rule knows its log where that holds what nobody sees", "[retry-rules]") {
  const TemporaryFolder folder;
  for (const std::string unseen :
       {"\u200b", "\ufeff", "\u00ad", "\u2028", "\u202e", "\xc2\x80", "\u200b\u200b", "\xff\xfe"}) {
    const std::string log = folder.write(
        "log", "first\nError frob" + unseen + "nicate failed for '\u200b' \u200bat once\n");
    CAPTURE(test::read_file(log));
    const std::string rules = folder.write(
        "ours.yaml", "retry-rules: 1\nname: ours\nrules:\n" + run({"suggest", log}).out);
    CAPTURE(test::read_file(rules));
    CHECK(run({"check", rules}).exit_code() == 0);
    CHECK_THAT(run({"explain", "-r", rules, log}).out, ContainsSubstring("(ours/"));
  }
  // What nobody sees hides no secret.
  const std::string log =
      folder.write("log", "Error frob\u200bnicate: --password hunt\u200ber22 refused\n");
  const std::string said = run({"suggest", log}).out;
  CHECK(said.find("er22") == std::string::npos);
}

TEST_CASE("a suggested rule can be pasted, checked, and knows its log", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string log =
      folder.write("log", "noise\nfatal: 'x' is --password hunter2hunter2 [odd]\n");
  const Ended suggested = run({"suggest", log});
  const std::string rules = folder.write("ours.yaml", "retry-rules: 1\nrules:\n" + suggested.out);
  CHECK(run({"check", rules}).exit_code() == 0);
  CHECK_THAT(run({"explain", "-r", rules, log}).out, ContainsSubstring("verdict: suspect"));
}

TEST_CASE("test exits with 1 below --min-accuracy and tells each miss", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string rules =
      folder.write("ours.yaml", rule("id: a, class: transient, match: flaky"));
  const std::string corpus = folder.write(
      "c.jsonl",
      "{\"id\": \"one\", \"tool\": \"t\", \"text\": \"flaky\", \"label\": \"transient\"}\n"
      "{\"id\": \"two\", \"tool\": \"t\", \"text\": \"odd\", \"label\": \"transient\"}\n");
  const Ended half = run({"test", "-r", rules, corpus, "--min-accuracy", "50"});
  CHECK(half.exit_code() == 0);
  CHECK_THAT(half.out, ContainsSubstring("50.0 %  (1 of 2)"));
  CHECK_THAT(half.out,
             ContainsSubstring("c.jsonl:2:1: two is transient, but stopped as unmatched"));
  CHECK(half.err.empty());
  CHECK(run({"test", "-r", rules, corpus, "--min-accuracy", "50.1"}).exit_code() == 1);
  CHECK(run({"test", "-r", rules, corpus, "--min-accuracy", "much"}).exit_code() == 125);
}

TEST_CASE("test exits with 1 when a permanent failure was retried, however accurate the rest",
          "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string rules =
      folder.write("ours.yaml", rule("id: a, class: transient, match: flaky"));
  const std::string permanent = R"({"id": "x", "text": "flaky", "label": "permanent"})";
  const std::string one = folder.write(
      "one.jsonl", R"({"text": "flaky", "label": "transient"})" + ("\n" + permanent) + "\n");
  const Ended ended = run({"test", "-r", rules, one, "--min-accuracy", "50"});
  CHECK(ended.exit_code() == 1);
  CHECK(ended.err == "retry-rules: 1 permanent failure was retried\n");
  CHECK_THAT(ended.out,
             ContainsSubstring("one.jsonl:2:1: x is permanent, but retried as transient"));
  const std::string two = folder.write("two.jsonl", permanent + "\n" + permanent + "\n");
  const Ended json = run({"test", "-r", rules, two, "--json"});
  CHECK(json.exit_code() == 1);
  CHECK(json.err == "retry-rules: 2 permanent failures were retried\n");
}

TEST_CASE("a corpus in which nothing is scored does not pass a test", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string corpus = folder.write("c.jsonl", R"({"text": "x", "label": "either"})");
  const Ended ended = run({"test", corpus, "--min-accuracy", "99"});
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("no record was scored"));
  CHECK(run({"test", corpus}).exit_code() == 0);
}

TEST_CASE("a corpus without records is told as a mistake", "[retry-rules]") {
  const TemporaryFolder folder;
  for (const char* text : {"", "\n"}) {
    const Ended ended = run({"test", folder.write("empty.jsonl", text)});
    CHECK(ended.exit_code() == 125);
    CHECK_THAT(ended.err, ContainsSubstring("empty.jsonl: has no records\n"));
  }
}

TEST_CASE("the shipped rules judge the corpus as --rules auto picks them", "[retry-rules]") {
  const std::string folder = test::required("CORPUS");
  const Ended ended = run({"test", "-r", "auto", "--min-accuracy", "99", folder + "/errors.jsonl",
                           folder + "/packages.jsonl", folder + "/containers.jsonl"});
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("permanent            0"));
}

TEST_CASE("what is wrong with a rule file is told with its place, and fails the check",
          "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string bad = folder.write("bad.yaml", rule("id: a, class: transiant, match: '('"));
  const Ended ended = run({"check", bad});
  CHECK(ended.exit_code() == 1);
  CHECK_THAT(ended.err, ContainsSubstring("bad.yaml:4:20: unknown class 'transiant'"));
  CHECK_THAT(ended.err, ContainsSubstring("bad.yaml:4:"));
  CHECK_THAT(ended.out, ContainsSubstring("bad.yaml: 2 errors"));
  const Ended missing = run({"check", folder / "none.yaml"});
  CHECK(missing.exit_code() == 1);
  CHECK_THAT(missing.out, ContainsSubstring("none.yaml: 1 error\n"));
}

TEST_CASE("one of a thing is not told in the plural", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string one =
      folder.write("one.yaml",
                   "retry-rules: 1\nname: one\nclasses: {transient: {attempts: 1}}\nrules:\n"
                   "  - {id: a, class: transient, match: flaky, examples: {match: [flaky]}}\n");
  CHECK_THAT(run({"check", one}).out, EndsWith("one.yaml: good: 1 rule, 1 example\n"));
  CHECK_THAT(run({"show", "--resolved", one}).out, ContainsSubstring("retried: 1 attempt\n"));
  const std::string two =
      folder.write("two.yaml", rule("id: a, class: transient, match: flaky") +
                                   "  - {id: b, class: permanent, match: wrong}\n");
  CHECK_THAT(run({"check", two}).out, EndsWith("two.yaml: good: 2 rules, 0 examples\n"));
}

TEST_CASE("check warns of what is probably a mistake", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("ours.yaml",
                   "retry-rules: 1\nrules:\n  - {id: all, class: transient, exit-codes: '0-255'}\n"
                   "  - {id: never, class: permanent, match: x}\n");
  const Ended ended = run({"check", file});
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.err, ContainsSubstring("ours.yaml:4:"));
  CHECK_THAT(ended.err, ContainsSubstring("never"));
  CHECK_THAT(ended.err, ContainsSubstring("example"));
  const std::string empty = folder.write("e.yaml", rule("id: a, class: transient, match: 'x|'"));
  CHECK_THAT(run({"check", empty}).err, ContainsSubstring("the empty text"));
}

TEST_CASE("an answer that cannot be written fails", "[retry-rules]") {
  test::Program closed = retry_rules({"list"});
  closed.standard_output = test::Closed{};
  const Ended without = test::run(closed);
  CHECK(without.exit_code() == 125);
  CHECK_THAT(without.err, ContainsSubstring("standard output: "));

  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  test::Program to_full = retry_rules({"explain", "-c", "oras"}, not_found);
  to_full.standard_output = test::Descriptor{full};
  const Ended lost = test::run(to_full);
  ::close(full);
  CHECK(lost.exit_code() == 125);
  CHECK_THAT(lost.err, ContainsSubstring("No space left on device"));
}

TEST_CASE("what is no log, no corpus and no rule file is told, not stumbled over",
          "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string binary = folder.write("binary", std::string("\x7f"
                                                                "ELF\0\xff\xfe\r\b\x1b[2J\n\0",
                                                                15));
  CHECK(run({"explain", binary}).exit_code() == 0);
  CHECK_THAT(run({"explain", binary}).out, !ContainsSubstring("\x1b"));
  CHECK(run({"explain", folder / "."}).exit_code() == 125);
  CHECK(run({"explain", folder / "none"}).exit_code() == 125);
  CHECK(run({"suggest"}, " \n").exit_code() == 1);
  const std::string lines = folder.write(
      "c.jsonl",
      "{\"text\": \"x\", \"label\": \"either\"}\nnonsense\n{\"text\": 1, \"label\": \"either\"}\n");
  const Ended corpus = run({"test", lines});
  CHECK(corpus.exit_code() == 125);
  CHECK_THAT(corpus.err, ContainsSubstring("c.jsonl:2:1: "));
  CHECK_THAT(corpus.err, ContainsSubstring("c.jsonl:3:1: "));
}

TEST_CASE("a tool in the current folder is not read as the rule set of its name", "[retry-rules]") {
  const TemporaryFolder folder;
  folder.write("oras", "#!/bin/sh\n");
  test::Program program = retry_rules({"explain", "-c", "./oras cp ghcr.io/o/r:1 x"}, not_found);
  program.folder = folder / ".";
  const Ended ended = test::run(program);
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.out, ContainsSubstring("rules: ghcr oras"));
}

TEST_CASE("of a CI step's log, what retry-exec and the runner wrote is no evidence",
          "[retry-rules]") {
  const std::string log =
      "mytool: fatal: the moon is full\n"
      "retry-exec: not retried: exit 4, a failure that no rule knows: mytool: fatal\n"
      "##[error]Process completed with exit code 4.\n";
  CHECK_THAT(run({"suggest", "-"}, log).out, ContainsSubstring("the moon is full"));
  const std::string judged = run({"explain", "-"}, log).out;
  CHECK(judged.find("Process completed") == std::string::npos);
  CHECK(judged.find("no rule knows: mytool") == std::string::npos);
}

TEST_CASE("of a CI step's log, what a command or an action reported as an error is evidence",
          "[retry-rules]") {
  for (const std::string cause :
       {"##[error]buildx failed with: ERROR: read tcp 10.0.0.1:443: connection reset by peer",
        "##[warning]read tcp 10.0.0.1:443: connection reset by peer",
        "::error::read tcp 10.0.0.1:443: connection reset by peer"}) {
    const std::string log = "Run build\n" + cause +
                            "\n##[error]attempt 5/5 failed in 1s: exit 1, permanent: denied"
                            "\n::error title=retry-exec%3A build::not retried: unauthorized"
                            "\n##[error]Process completed with exit code 1.\n";
    INFO(log);
    CHECK_THAT(run({"explain", "-"}, log).out, ContainsSubstring("verdict: transient (go-net/"));
    CHECK_THAT(run({"suggest", "-"}, log).out, ContainsSubstring("connection reset by peer"));
  }
}

TEST_CASE("of a CI step's log, what only the runner knows of its job is no evidence",
          "[retry-rules]") {
  for (const std::string said :
       {"##[error]The operation was canceled.",
        "##[error]The action 'Test' has timed out after 10 minutes.",
        "##[error]The runner has received a shutdown signal: connection reset by peer",
        "##[error]The hosted runner lost communication with the server: timed out",
        "##[error]The job running on runner A has exceeded the maximum execution time: timed out",
        "##[error]The job was not started because recent account payments have failed: timed out",
        "##[warning]Failed to download action 'https://api.github.com/x'. Error: 503"}) {
    const std::string stamp = "2026-11-23T06:59:16.1234567Z ";
    const std::string log = stamp + said + "\n" + stamp + "make: *** [all] Error 1\n";
    INFO(log);
    CHECK_THAT(
        run({"explain", "-r", "generic", "-"}, log).out,
        ContainsSubstring("evidence, from stdout and stderr:\n    make: *** [all] Error 1\n"));
  }
  const std::string reported = "##[error]The action 'x' failed: connection reset by peer\n";
  CHECK_THAT(run({"explain", "-r", "generic", "-"}, reported).out, ContainsSubstring("transient"));
}

TEST_CASE("a saved log is judged the same, whatever form our own lines have in it",
          "[retry-rules]") {
  const std::string said =
      R"("event":"attempt-finished","verdict":{"class":"transient","line":"timed out"}})";
  for (const std::string& ours : {
           R"({"time":"2026-11-30T18:06:40.778Z","program":"retry-exec",)" + said,
           R"({"time":"2026-11-30T18:06:40.778Z","program":"retry-publish",)" + said,
           R"(2026-11-30T12:00:00.123456Z 01E {"time":"t","program":"retry-exec",)" + said,
           std::string("2026-11-30T12:00:00.123456Z 01E retry-exec: gave up: timed out"),
           std::string("\033[0mretry-exec: attempt 1/2 failed in 1s: timed out after 1s"),
           std::string("retry-publish: app: index: attempt 1/2 failed in 1s: timed out after 1s"),
       }) {
    const std::string log = "Error: frob lost its hat\n" + ours + "\n";
    INFO(log);
    CHECK_THAT(run({"explain", "-"}, log).out, ContainsSubstring("line     Error: frob lost its"));
    CHECK_THAT(run({"suggest", "-"}, log).err, !ContainsSubstring("knows this failure already"));
    CHECK_THAT(run({"suggest", "-"}, log).out, ContainsSubstring("frob lost its hat"));
  }
  // What only our own line says of the failure stays.
  for (const std::string failed :
       {R"({"time":"t","program":"retry-publish","event":"target-finished","why":"i/o timeout"})",
        "retry-publish: app: index: failed: dial tcp 10.0.0.1:443: i/o timeout",
        R"({"time":"t","program":"ours","msg":"dial tcp 10.0.0.1:443: i/o timeout"})"}) {
    INFO(failed);
    CHECK_THAT(run({"explain", "-"}, failed + "\n").out, ContainsSubstring("verdict: transient"));
  }
}

TEST_CASE("a named pipe is refused, not waited for, and standard input is read", "[retry-rules]") {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"check", pipe},
                                                {"show", pipe},
                                                {"explain", "-r", pipe},
                                                {"explain", pipe},
                                                {"suggest", pipe},
                                                {"test", pipe}}) {
    INFO(words.front());
    test::Program program = retry_rules(words);
    program.time_limit = std::chrono::seconds(10);
    const Ended ended = test::run(program);
    CHECK(!ended.over_time);
    CHECK_THAT(ended.err, ContainsSubstring("pipe: is a named pipe, not a regular file"));
  }
  const std::string rules = rule("id: a, class: transient, match: flaky");
  CHECK(run({"check", "/dev/stdin"}, rules).exit_code() == 0);
  CHECK(run({"explain", "-"}, "flaky\n").exit_code() == 0);
}
