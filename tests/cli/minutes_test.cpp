// The first minutes: what is said to who has given too little, and what a person sees at a
// terminal.
#include "terminal.hpp"
#include "wrapped.hpp"

#include <csignal>
#include <cstdio>

using namespace test;

namespace {

std::string told(const std::string& program, const std::vector<std::string>& words) {
  Program asked{.argv = {required(program.c_str())}};
  asked.argv.insert(asked.argv.end(), words.begin(), words.end());
  const Ended ended = run(asked);
  CHECK(ended.exit_code() == 125);
  CHECK(ended.out.empty());
  return ended.err;
}

Program retried(const TemporaryFolder& folder, std::vector<std::string> options,
                const std::string& delay = "1ms") {
  options.insert(options.end(), {"-d", delay, "-j", "none"});
  Program program = wrapped(options, {"fail-times", folder / "n", "1", "flaky", "7"});
  program.environment = {
      {"TERM", "xterm"}, {"NO_COLOR", std::nullopt}, {"CLICOLOR_FORCE", std::nullopt}};
  return program;
}

}  // namespace

TEST_CASE("no arguments, no plan and an unknown set say what to do next", "[minutes]") {
  CHECK_THAT(told("RETRY_EXEC", {}), ContainsSubstring("retry-exec -r auto -- "));
  CHECK_THAT(told("RETRY_EXEC", {"-r", "ghcr"}), ContainsSubstring("--help lists the options"));
  CHECK_THAT(told("RETRY_EXEC", {"-r", "ghrc", "--", "true"}),
             ContainsSubstring("did you mean 'ghcr'?"));
  CHECK_THAT(told("RETRY_EXEC", {"-r", "nothing-like-it", "--", "true"}),
             ContainsSubstring("'retry-rules list' shows the built-in sets"));
  CHECK_THAT(told("RETRY_PUBLISH", {}), ContainsSubstring("retry-publish --man 5"));
  CHECK_THAT(told("RETRY_PUBLISH", {}), ContainsSubstring("--print-plan"));
  CHECK_THAT(told("RETRY_RULES", {}), ContainsSubstring("list "));
  CHECK_THAT(told("RETRY_RULES", {"show", "nothing-like-it"}),
             ContainsSubstring("'retry-rules list'"));
}

TEST_CASE("the commands of retry-rules stand in columns, whatever letters they have", "[minutes]") {
  const std::string usage = told("RETRY_RULES", {});
  CHECK_THAT(usage, ContainsSubstring("\n  list                    the built-in rule sets\n"));
  CHECK_THAT(usage, ContainsSubstring("\n  check FILE…             validate rule files"));
}

TEST_CASE("colours are for terminals, unless the user says otherwise", "[minutes]") {
  const TemporaryFolder folder;
  using Environment = std::vector<std::pair<std::string, std::optional<std::string>>>;
  const auto coloured = [&](bool at_terminal, std::vector<std::string> options,
                            const Environment& more) {
    std::remove((folder / "n").c_str());
    Program program = retried(folder, std::move(options));
    program.environment.insert(program.environment.end(), more.begin(), more.end());
    if (!at_terminal) return run(program).err.find("\x1b[") != std::string::npos;
    Terminal terminal;
    Running running(terminal.at(program));
    REQUIRE(terminal.shows("succeeded on attempt 2"));
    running.wait();
    return terminal.seen().find("\x1b[3") != std::string::npos;
  };
  CHECK(coloured(true, {}, {}));
  CHECK_FALSE(coloured(false, {}, {}));
  CHECK_FALSE(coloured(true, {"--color", "never"}, {}));
  CHECK(coloured(false, {"--color", "always"}, {}));
  CHECK_FALSE(coloured(true, {}, {{"NO_COLOR", "1"}}));
  CHECK_FALSE(coloured(true, {}, {{"TERM", "dumb"}}));
  CHECK(coloured(false, {}, {{"CLICOLOR_FORCE", "1"}}));
  CHECK_FALSE(coloured(false, {}, {{"CLICOLOR_FORCE", "0"}}));
  CHECK_FALSE(coloured(false, {}, {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}));
  CHECK_FALSE(coloured(false, {"--color", "always", "--log", "json"}, {}));
  CHECK(coloured(false, {}, {{"RETRY_EXEC_COLOR", "always"}}));
}

TEST_CASE("at a terminal one line counts the wait down, and is gone behind it", "[minutes]") {
  const TemporaryFolder folder;
  Terminal terminal;
  Running running(terminal.at(retried(folder, {}, "2s")));
  REQUIRE(terminal.shows("succeeded on attempt 2"));
  running.wait();
  CHECK_THAT(terminal.seen(), ContainsSubstring("\r\x1b[Kretry-exec: next attempt in 2s"));
  CHECK_THAT(terminal.seen(), ContainsSubstring("\r\x1b[Kretry-exec: next attempt in 1s"));
  const std::size_t last = terminal.seen().rfind("next attempt in");
  CHECK(terminal.seen().substr(last + 18, 4) == "\r\x1b[K");
}

TEST_CASE("Ctrl-C during the countdown ends the run at once", "[minutes]") {
  const TemporaryFolder folder;
  Terminal terminal;
  Running running(terminal.at(retried(folder, {}, "1h")));
  REQUIRE(terminal.shows("next attempt in "));
  terminal.type("\x03");
  CHECK(running.wait().signal() == SIGINT);
}

TEST_CASE("a run in the background leaves the terminal to others", "[minutes]") {
  const TemporaryFolder folder;
  Program program = retried(folder, {}, "2s");
  std::string line;
  for (const std::string& word : program.argv) line += "'" + word + "' ";
  program.argv = {"bash", "-c", "set -m; " + line + "& wait; echo all do''ne"};
  Terminal terminal;
  Running running(terminal.at(program));
  CHECK(terminal.shows("all done"));
  CHECK_THAT(terminal.seen(), ContainsSubstring("succeeded on attempt 2"));
  CHECK_THAT(terminal.seen(), !ContainsSubstring("next attempt in"));
  running.wait();
}

TEST_CASE("no countdown gets into a pipe, a quiet run or a log for programs", "[minutes]") {
  const TemporaryFolder folder;
  CHECK_THAT(run(retried(folder, {}, "2s")).err, !ContainsSubstring("next attempt in"));
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"-q"}, {"--log", "json"}, {"--log", "github"}}) {
    std::remove((folder / "n").c_str());
    Terminal terminal;
    Running running(terminal.at(retried(folder, options, "2s")));
    CHECK(running.wait().exit_code() == 0);
    terminal.shows("flaky");
    CHECK_THAT(terminal.seen(), !ContainsSubstring("next attempt in"));
  }
  std::remove((folder / "n").c_str());
  Program in_ci = retried(folder, {}, "2s");
  in_ci.environment.push_back({"CI", "true"});
  Terminal terminal;
  Running running(terminal.at(in_ci));
  CHECK(terminal.shows("succeeded on attempt 2"));
  CHECK_THAT(terminal.seen(), !ContainsSubstring("next attempt in"));
  running.wait();
}
