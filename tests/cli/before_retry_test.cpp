// --before-retry: what runs between attempts, and the class that is retried because of it.
#include "wrapped.hpp"

#include <csignal>

using namespace test;

namespace {

// A tool whose words the rules know, and which takes what it says and does from a script.
struct Scene {
  TemporaryFolder folder;
  std::string rules = folder.write("r.yaml", R"(
retry-rules: 1
name: t
rules:
  - {id: login, class: expired, match: '^token has expired'}
  - {id: flaky, class: transient, match: '^flaky'}
)");

  // Fails with `words` until the file `cure` is there.
  Program tool(std::vector<std::string> options, const std::string& words = "flaky") const {
    options.insert(options.end(), {"-r", rules, "-d", "0", "-j", "none"});
    return wrapping(options, {"/bin/sh", "-c",
                              "test -e " + (folder / "cure") + " && echo in || { echo '" + words +
                                  "' >&2; exit 5; }"});
  }
};

}  // namespace

TEST_CASE("--before-retry runs before each further attempt, and only there", "[before-retry]") {
  const Scene scene;
  const std::string note = scene.folder / "note";
  const Ended ended = run(
      scene.tool({"-q", "-a", "3", "--before-retry",
                  "echo \"$RETRY_EXEC_ATTEMPT/$RETRY_EXEC_MAX_ATTEMPTS after $RETRY_EXEC_LAST_EXIT "
                  "$RETRY_EXEC_LAST_RULE $RETRY_EXEC_LAST_CLASS\" >> " +
                      note}));
  CHECK(ended.exit_code() == 5);
  CHECK(read_file(note) == "2/3 after 5 t/flaky transient\n3/3 after 5 t/flaky transient\n");
}

TEST_CASE("what --before-retry prints goes to stderr, and it reads nothing", "[before-retry]") {
  const Scene scene;
  Program program =
      scene.tool({"-q", "--before-retry", "echo said; cat; touch " + (scene.folder / "cure")});
  program.input = std::string("for the command\n");
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 0);
  CHECK(ended.out == "in\n");
  CHECK(ended.err == "flaky\nsaid\n");
}

TEST_CASE("what a successful --before-retry leaves running is not ended with a failed attempt",
          "[before-retry]") {
  const Scene scene;
  const std::string pids = scene.folder / "pids";
  const std::string leave = "'" + helper() + "' leave-grandchild " + pids + " quiet";
  Program program = wrapping(at_once({"-q", "-a", "3", "--before-retry", leave + " setsid"}),
                             {"sh", "-c", leave + "; exit 7"});
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 7);
  // Of an attempt, of the script, of an attempt, …
  std::vector<bool> alive;
  for (const std::string& pid : lines_of(read_file(pids))) {
    alive.push_back(::kill(std::stoi(pid), 0) == 0);
    ::kill(std::stoi(pid), SIGKILL);
  }
  CHECK(alive == std::vector{false, true, false, true, false});
}

TEST_CASE("what a failed --before-retry leaves running is ended", "[before-retry]") {
  const Scene scene;
  const std::string pids = scene.folder / "pids";
  const std::string leave = "'" + helper() + "' leave-grandchild " + pids + " quiet setsid; exit 3";
  run(wrapping(at_once({"-q", "-a", "2", "--before-retry", leave}), {"sh", "-c", "exit 7"}));
  CHECK(::kill(std::stoi(read_file(pids)), 0) != 0);
}

TEST_CASE("--before-retry runs without a stderr, too", "[before-retry]") {
  const Scene scene;
  const std::string cure = scene.folder / "cure";
  Program program = wrapping(at_once({"-a", "2", "--before-retry", "echo said && touch " + cure}),
                             {"sh", "-c", "echo ran; test -e " + cure});
  program.standard_error = Closed{};
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 0);
  CHECK(ended.out == "ran\nran\n");
}

TEST_CASE("what --before-retry prints is no evidence", "[before-retry]") {
  const Scene scene;
  const Ended ended = run(scene.tool({"-a", "2", "--before-retry", "echo token has expired"}));
  CHECK(count(ended.err, "t/login") == 0);
}

TEST_CASE("a --before-retry that fails is told and does not stop the run", "[before-retry]") {
  const Scene scene;
  const std::string report = scene.folder / "report.json";
  const Ended ended =
      run(scene.tool({"-R", report, "--before-retry",
                      "touch " + (scene.folder / "cure") + "; printf half; exit 9"}));
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.err, ContainsSubstring("half\nretry-exec: --before-retry failed in "));
  CHECK_THAT(ended.err, ContainsSubstring("s: exit 9\n"));
  CHECK_THAT(read_file(report), ContainsSubstring("\"before_retry\":{\"elapsed_ms\":"));
}

TEST_CASE("what a --before-retry leaves that holds our output is named", "[before-retry]") {
  const Scene scene;
  const Ended ended = run(scene.tool(
      {"--before-retry", "touch " + (scene.folder / "cure") + "; sleep 20 & printf half"}));
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.err,
             ContainsSubstring("half\nretry-exec: --before-retry: a background process ("));
}

TEST_CASE("the deadline and the time limit end a --before-retry", "[before-retry]") {
  const Scene scene;
  const Ended late = run(scene.tool({"--deadline", "1s", "--before-retry", "exec sleep 60"}));
  CHECK(late.exit_code() == 124);
  CHECK(late.survivors.empty());
  CHECK(count(late.err, "attempt 1") == 1);
  CHECK_THAT(late.err, ContainsSubstring("gave up at the deadline"));
  CHECK_THAT(late.err, ContainsSubstring("(--before-retry was still running then)"));
  const Ended limited = run(scene.tool({"-a", "2", "-t", "2s", "--before-retry", "sleep 60"}));
  CHECK(limited.exit_code() == 5);
  CHECK_THAT(limited.err, ContainsSubstring("s: timed out after "));
  CHECK(limited.survivors.empty());
}

TEST_CASE("a signal ends a --before-retry and the run", "[before-retry]") {
  const Scene scene;
  Running running(scene.tool({"-f", "--before-retry", "echo begun; exec sleep 60"}));
  REQUIRE(running.wait_for_err("begun"));
  running.send(SIGTERM);
  const Ended ended = running.wait();
  CHECK(ended.signal() == SIGTERM);
  CHECK(ended.survivors.empty());
}

TEST_CASE("a --before-retry that calls retry-exec does not call itself", "[before-retry]") {
  const Scene scene;
  Program program = scene.tool({"-a", "2"});
  const std::string note = scene.folder / "note";
  program.environment = {{"RETRY_EXEC_BEFORE_RETRY", "echo x >> " + note + "; " +
                                                         required("RETRY_EXEC") +
                                                         " -a2 -d0 --unmatched retry -- false"}};
  CHECK(run(program).exit_code() == 5);
  CHECK(read_file(note) == "x\n");
}

TEST_CASE("secrets of a --before-retry are not echoed", "[before-retry]") {
  const Scene scene;
  const std::string script = "echo hunter22hunter >&2; tool login --password hunter22hunter";
  const Ended plan = run(scene.tool({"-n", "--before-retry", script}));
  CHECK_THAT(plan.out, ContainsSubstring("--before-retry echo [redacted]"));
  CHECK(count(plan.out, "hunter22hunter >&2") + count(plan.out, "password hunter22hunter") == 0);
  const Ended ended =
      run(scene.tool({"-v", "-a", "2", "--before-retry", script}, "flaky hunter22hunter"));
  for (const std::string& line : lines_of(ended.err)) {
    if (line.starts_with("retry-exec: ")) CHECK(count(line, "hunter22hunter") == 0);
  }
}

TEST_CASE("credentials that ran out stop, unless something renews them", "[before-retry]") {
  const Scene scene;
  const Ended stopped = run(scene.tool({}, "token has expired"));
  CHECK(stopped.exit_code() == 5);
  CHECK(count(stopped.err, "waiting") == 0);
  CHECK_THAT(stopped.err, ContainsSubstring("expired (t/login)"));
  CHECK_THAT(stopped.err, ContainsSubstring("--before-retry"));
  const Ended in_vain = run(scene.tool({"--before-retry", "true"}, "token has expired"));
  CHECK(in_vain.exit_code() == 5);
  CHECK(count(in_vain.err, "waiting") == 1);
  const Ended renewed =
      run(scene.tool({"--before-retry", "touch " + (scene.folder / "cure")}, "token has expired"));
  CHECK(renewed.exit_code() == 0);
}
