// --accept-done: an upload whose answer was lost, and that is found there on the next attempt.
#include "wrapped.hpp"

using namespace test;

namespace {

// An upload that fails with `first`, and finds itself done ever after.
Ended upload(std::vector<std::string> options, const std::string& first,
             const TemporaryFolder& folder) {
  const std::string rules = folder.write("r.yaml", R"(
retry-rules: 1
name: t
rules:
  - {id: there, class: done, match: 'already exists'}
  - {id: reset, class: transient, match: 'connection reset'}
  - {id: limit, class: throttled, match: 'too many requests'}
)");
  options.insert(options.end(), {"-r", rules, "-d", "0", "-j", "none"});
  return run(wrapping(options, {"/bin/sh", "-c",
                                "test $RETRY_EXEC_ATTEMPT = 1 && echo '" + first +
                                    "' >&2 && exit 4; echo 'version 1.0 already exists' >&2; "
                                    "exit 5"}));
}

}  // namespace

TEST_CASE("--accept-done takes what is there behind a lost answer for success, and tells",
          "[done]") {
  const TemporaryFolder folder;
  const std::string report = folder / "report.json";
  const std::string summary = folder / "summary.md";
  const Ended ended = upload({"--accept-done", "-R", report, "--summary", summary},
                             "connection reset by peer", folder);
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.err, ContainsSubstring("retry-exec: succeeded after 2 attempts in "));
  CHECK_THAT(ended.err, ContainsSubstring("exit 5, done (t/there), after an attempt whose answer "
                                          "was lost: version 1.0 already exists"));
  CHECK_THAT(read_file(report), ContainsSubstring("\"reason\":\"done\",\"exit_code\":0"));
  CHECK_THAT(read_file(summary), ContainsSubstring("whose answer was lost"));
}

TEST_CASE("without --accept-done it is a failure that names the option", "[done]") {
  const TemporaryFolder folder;
  const Ended ended = upload({}, "connection reset by peer", folder);
  CHECK(ended.exit_code() == 5);
  CHECK_THAT(ended.err, ContainsSubstring("--accept-done"));
}

TEST_CASE("--accept-done takes nothing for success that no attempt can have done", "[done]") {
  const TemporaryFolder folder;
  CHECK(upload({"--accept-done"}, "too many requests", folder).exit_code() == 5);
  const Ended at_first = upload({"--accept-done"}, "already exists", folder);
  CHECK(at_first.exit_code() == 4);
  CHECK(count(at_first.err, "--accept-done") == 0);
}
