#include "catch_shim.hpp"

#include <retry_exec/rule_tools.hpp>

using namespace retry_exec;

namespace {

const std::vector<std::string> command = {"tool"};

Classifier no_rules() {
  return Classifier({*parse_rule_set("retry-rules: 1\nname: none\n", "none.yaml")});
}

std::optional<Suggestion> suggested(const std::string& log) {
  return suggest_rule(explain_text(no_rules(), command, Exited{1}, log, "stderr"));
}

}  // namespace

TEST_CASE("a suggested rule parses, passes its own example and knows its log", "[rules][suggest]") {
  for (const std::string log : {
           "fatal: it's (not) [there]: https://h/x?y=503 sha256:0123456789ab 10.0.0.1:443\n",
           "noise\nError: \"a: b\" # not a comment\nlast words\n",
           "\terror:\tcolumn 'x' {y} at 2026-11-23T06:59:19Z took 12.5ms\n",
           "plain\n",
           "error: --password [redacted] refused\n",
           "#12 1.234 2026-11-30T12:00:00Z ERROR frobnicator lost its hat\n",
           "[12:00:01] 2026-11-30T12:00:00Z ERROR frobnicator lost its hat\n",
           "#12 1.234 [12:00:01] ERROR frobnicator lost its hat\n",
           "2026-11-30T12:00:00.123456Z 01E 2026-11-30 12:00:00 ERROR frobnicator lost its hat\n",
           "#12 1.234 ##[error]│ 12:00:01 #7 0.1 ERROR frobnicator lost its hat\n",
           "error: \xe2\x80\x98quoted\xe2\x80\x99 caf\xc3\xa9 \\d+ $HOME ^ | ?\n",
       }) {
    INFO(log);
    const auto suggestion = suggested(log);
    REQUIRE(suggestion.has_value());
    const std::string yaml = "retry-rules: 1\nname: ours\nrules:\n" + suggestion->yaml();
    const auto set = parse_rule_set(yaml, "ours.yaml");
    INFO(yaml);
    REQUIRE(set.has_value());
    CHECK(check_examples(*set).empty());
    const Classifier classifier({*set});
    CHECK(explain_text(classifier, command, Exited{1}, log, "stderr").verdict.matched);
  }
}

TEST_CASE("what stands in brackets is found again by a suggested rule, in capitals too",
          "[rules][suggest]") {
  const auto suggestion = suggested("error[E0433]: failed to resolve the crate");
  REQUIRE(suggestion.has_value());
  const auto set = parse_rule_set("retry-rules: 1\nrules:\n" + suggestion->yaml(), "x.yaml");
  REQUIRE(set.has_value());
  CHECK(check_examples(*set).empty());
}

TEST_CASE("a suggested rule holds on a line that a rule file cannot hold", "[rules][suggest]") {
  for (const std::string log : {"mytool: fatal: no room on \xff\xfe volume",
                                "mytool: fatal: no\xe2\x80\x8b room on a volume",
                                "mytool: fatal: the volume h\xc3 is full (\xe2\x80\xae)",
                                "mytool: fatal: frob\xc2\x80nicate \xef\xbf\xbd \xc2\xad failed"}) {
    CAPTURE(log);
    const auto suggestion = suggested(log + "\n");
    REQUIRE(suggestion.has_value());
    const auto set = parse_rule_set("retry-rules: 1\nrules:\n" + suggestion->yaml(), "x.yaml");
    REQUIRE(set.has_value());
    CHECK(check_examples(*set).empty());
    const Explanation again =
        explain_text(Classifier({*set}), command, Exited{1}, log + "\n", "stderr");
    CHECK(again.verdict.matched);
  }
}

TEST_CASE("what was redacted may be anything in a suggested rule", "[rules][suggest]") {
  const auto suggestion = suggested("error: --password [redacted] refused\n");
  REQUIRE(suggestion.has_value());
  CHECK(suggestion->match == "^error: --password .* refused$");
}

TEST_CASE("a rule is suggested of the cause, not of the line that sums up", "[rules][suggest]") {
  const auto example = [](const std::string& log) {
    const auto suggestion = suggested(log);
    REQUIRE(suggestion.has_value());
    return suggestion->example;
  };
  CHECK(example("ERROR: Error downloading [https://h/x]: GET returned 502 Bad Gateway\n"
                "INFO: Elapsed time: 9.4s\nERROR: Build did NOT complete successfully\n") ==
        "ERROR: Error downloading [https://h/x]: GET returned 502 Bad Gateway");
  CHECK(
      example("sccache: error: Timed out waiting for server startup\n"
              "error: process didn't exit successfully: `sccache rustc -vV` (exit status: 2)\n") ==
      "sccache: error: Timed out waiting for server startup");
  CHECK(example("a.csproj : error NU1301: Unable to load the service index\n"
                "  Failed to restore a.csproj (in 2 sec).\n") ==
        "a.csproj : error NU1301: Unable to load the service index");
  CHECK(example("quux: flux is out of phase\nmake: *** [Makefile:3: all] Error 1\n") ==
        "quux: flux is out of phase");
}

TEST_CASE("a suggested rule keeps the code that tells two failures apart", "[rules][suggest]") {
  CHECK(suggested("An unknown error has occurred. [code: 10013]\n")->match ==
        "^An unknown error has occurred\\. \\[code: 10013\\]$");
  CHECK(suggested("ERROR ORA-12541: no listener\n")->match == "^ERROR ORA-12541: no listener$");
  CHECK(suggested("ERROR 1205 (HY000) at line 14230: waited\n")->match ==
        "^ERROR 1205 \\(HY000\\) at line \\d+: waited$");
}

TEST_CASE("an address in memory and the seconds to wait vary in a suggested rule, a code does not",
          "[rules][suggest]") {
  CHECK(suggested("fatal: the blob at 0x7ffee3 is in a strange state\n")->match ==
        "^fatal: the blob at 0x[0-9a-fA-F]+ is in a strange state$");
  CHECK(suggested("Update failed with error (0x80070005)\n")->match ==
        R"(^Update failed with error \(0x80070005\)$)");
  CHECK(suggested("Error: mirror is broken, retry in 30\n")->match ==
        R"(^Error: mirror is broken, retry in \d+$)");
}

TEST_CASE("lines that only sum up make no rule", "[rules][suggest]") {
  CHECK_FALSE(suggested("make: *** [Makefile:12: deps] Error 52\n").has_value());
  CHECK_FALSE(suggested("npm error A complete log of this run can be found in: /root/x\n"));
}

TEST_CASE("a suggestion that would hold on a failure that stays says so", "[rules][suggest]") {
  const Suggestion wide{.id = "x", .match = "denied", .example = "denied"};
  CHECK_FALSE(permanent_look_alikes(wide).empty());
  const Suggestion narrow{.id = "x", .match = "^flux is out of phase$", .example = ""};
  CHECK(permanent_look_alikes(narrow).empty());
}

TEST_CASE("a log without a line makes no rule", "[rules][suggest]") {
  CHECK_FALSE(suggested("").has_value());
  CHECK_FALSE(suggested(" \n\t\n").has_value());
}

TEST_CASE("a line that leaves nothing to tell a failure by makes no rule", "[rules][suggest]") {
  CHECK_FALSE(suggested("Error: 'x'\n").has_value());
  CHECK_FALSE(suggested("Error: \"something\"\n").has_value());
  CHECK_FALSE(suggested("[redacted]\n").has_value());
}

TEST_CASE("of a long line of JSON the member that tells makes the rule", "[rules][suggest]") {
  std::string json = "{\"a\":\"b\"";
  for (int i = 0; i < 300; ++i) json += ",\"k" + std::to_string(i) + "\":\"value\"";
  json += ",\"error\":{\"code\":7,\"message\":\"upstream \\\"a\\\" is restarting\"},\"n\":1}\n";
  const auto suggestion = suggested(json);
  REQUIRE(suggestion.has_value());
  CHECK(suggestion->example == "\"message\":\"upstream \\\"a\\\" is restarting\"");
  const auto set =
      parse_rule_set("retry-rules: 1\nname: ours\nrules:\n" + suggestion->yaml(), "ours.yaml");
  REQUIRE(set.has_value());
  CHECK(check_examples(*set).empty());
  const Classifier classifier({*set});
  CHECK(explain_text(classifier, command, Exited{1}, json, "stderr").verdict.matched);
}

TEST_CASE("of JSON in one line what failed makes the rule, wherever it stands",
          "[rules][suggest]") {
  const auto times = [](int count, const std::string& unit) {
    std::string text;
    for (int i = 0; i < count; ++i) text += unit;
    return text;
  };
  const std::string advisory =
      R"({"source":1,"name":"a","title":"A slow pattern in a","severity":"warning"},)";
  const std::string npm =
      R"({"auditReportVersion":2,"vulnerabilities":{"a":{"via":[)" + times(20, advisory) +
      R"({}]}},"error":{"code":"E503","summary":"503 Service Unavailable - POST audits/quick",)"
      R"("detail":""},"via":[)" +
      times(20, advisory) + "{}]}";
  const std::string put = R"({"SequenceNumber":"49543463","ShardId":"shardId-000000000000"},)";
  const std::string aws =
      R"({"FailedRecordCount":1,"Records":[)" + times(30, put) +
      R"({"ErrorCode":"InternalFailure","ErrorMessage":"Internal service failure of the shard."},)" +
      times(30, put) + R"({}],"EncryptionType":"NONE"})";
  const std::string access = R"({"Type":"repository","Class":"","Name":"o/r","Action":"pull"},)";
  const std::string registry =
      R"({"errors":[{"code":"UNKNOWN","message":"the quorum of the store is lost","detail":[)" +
      times(50, access) + "{}]}]}";
  const std::string commit = R"({"oid":"0123","message":"Merge request 503 that failed"},)";
  const std::string graphql =
      R"({"data":{"before":[)" + times(30, commit) +
      R"({}]},"errors":[{"path":["a",0],"message":"The ledger is being compacted"}],"more":[)" +
      times(30, commit) + "{}]}";
  const std::string condition = R"({"type":"Ready","status":"True","reason":"Unknown"},)";
  const std::string kubernetes =
      R"({"kind":"Status","status":"Failure","message":"the apiserver is draining","reason":)"
      R"("InternalError","details":{"causes":[{"message":"unknown"}]},"code":500,"conditions":[)" +
      times(60, condition) + "{}]}";
  const std::string worker =
      R"({"result":null,"messages":[)" + times(90, R"("retrying one of them",)") +
      R"(""],"errors":["the isolate was evicted","and more"],"success":false})";
  for (const auto& [json, example] : std::vector<std::pair<std::string, std::string>>{
           {npm, R"("summary":"503 Service Unavailable - POST audits/quick")"},
           {aws, R"("ErrorMessage":"Internal service failure of the shard.")"},
           {registry, R"("message":"the quorum of the store is lost")"},
           {graphql, R"("message":"The ledger is being compacted")"},
           {kubernetes, R"("message":"the apiserver is draining")"},
           {worker, R"("errors":["the isolate was evicted")"}}) {
    INFO(json);
    CHECK(json.size() > 1500);
    const auto suggestion = suggested("begun\n" + json + "\n");
    REQUIRE(suggestion.has_value());
    CHECK(suggestion->example == example);
    const auto set = parse_rule_set("retry-rules: 1\nrules:\n" + suggestion->yaml(), "o.yaml");
    REQUIRE(set.has_value());
    CHECK(check_examples(*set).empty());
    CHECK(explain_text(Classifier({*set}), command, Exited{1}, json, "stderr").verdict.matched);
  }
}

TEST_CASE("JSON that says nothing in words makes no rule, what stands before it does",
          "[rules][suggest]") {
  std::string json = R"({"ok":false,"count":503,"list":[)";
  for (int i = 0; i < 200; ++i) json += R"({"id":7,"kind":"error","tags":["failed at","x"]},)";
  json += R"({}],"status":"error","error":{"code":"unknown"}})";
  CHECK_FALSE(suggested(json).has_value());
  const auto suggestion = suggested("the pump is dry: " + json);
  REQUIRE(suggestion.has_value());
  CHECK(suggestion->match == "^the pump is dry:");
  CHECK(suggestion->example == "the pump is dry:");
}

TEST_CASE("an id that is no text to YAML is quoted", "[rules][suggest]") {
  const auto suggestion = suggested("Error: null\n");
  REQUIRE(suggestion.has_value());
  CHECK(suggestion->yaml().starts_with("  - id: 'null'\n"));
  CHECK(parse_rule_set("retry-rules: 1\nname: ours\nrules:\n" + suggestion->yaml(), "o.yaml")
            .has_value());
}

TEST_CASE("what is wrong with a corpus is told line by line", "[rules][corpus]") {
  const std::string text =
      "{\"text\": \"a\", \"label\": \"transient\"}\n\n{\"text\": \n[]\n{\"text\": \"b\"}\n"
      "{\"label\": \"either\"}\n";
  const auto records = read_corpus(text, "c.jsonl");
  REQUIRE_FALSE(records.has_value());
  std::vector<std::size_t> lines;
  for (const Error& error : records.error()) {
    CHECK(error.where.file == "c.jsonl");
    lines.push_back(error.where.line);
  }
  CHECK(lines == std::vector<std::size_t>{3, 4, 5, 6});
}

TEST_CASE("an empty corpus is all right, and no share of it is wrong", "[rules][corpus]") {
  const auto records = read_corpus("\n \n", "c.jsonl");
  REQUIRE(records.has_value());
  const auto score =
      score_corpus(*records, [](const LabelledFailure&) { return std::vector<std::string>(); });
  REQUIRE(score.has_value());
  CHECK(score->total.all == 0);
  CHECK(score->total.share() == 1);
}
