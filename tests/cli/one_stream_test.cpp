// Where our stdout and stderr are one file the order of what is written to both is the command's.
#include "wrapped.hpp"

using namespace test;

namespace {

const std::string both = "for i in {1..40}; do echo out$i; echo err$i >&2; done";

std::string ours(const std::string& options = {}) {
  return "'" + required("RETRY_EXEC") + "' -q -a 1 " + options + " -- ";
}

// What the script `both` leaves in $0 when it is run behind `prefix`, with these redirections.
std::string left_by(const std::string& prefix, const std::string& redirections) {
  const TemporaryFolder folder;
  const std::string file = folder / "file";
  const std::string line = prefix + "bash -c '" + both + "' " + redirections;
  run({.argv = {"bash", "-c", line, file}});
  return read_file(file);
}

}  // namespace

TEST_CASE("the order of two streams that go into one place is the command's own", "[one-stream]") {
  for (const char* redirections :
       {"2>&1 | cat > \"$0\"", "> \"$0\" 2>&1", ">> \"$0\" 2>> \"$0\""}) {
    INFO(redirections);
    const std::string bare = left_by("", redirections);
    CHECK(bare.starts_with("out1\nerr1\n"));
    for (int round = 0; round < 5; ++round) CHECK(left_by(ours(), redirections) == bare);
    CHECK(left_by(ours("-O -E"), redirections) == bare);
  }
}

TEST_CASE("a file that was opened twice is written at two positions, as without us",
          "[one-stream]") {
  const std::string command = "sh -c 'printf aaaa; sleep 0.3; printf bb >&2' > \"$0\" 2> \"$0\"";
  const TemporaryFolder folder;
  run({.argv = {"bash", "-c", ours() + command, folder / "file"}});
  CHECK(read_file(folder / "file") == "bbaa");
}

TEST_CASE("rules that ask for one stream look at the whole where both are one", "[one-stream]") {
  const TemporaryFolder folder;
  const std::string rules = folder.write("r.yaml", R"(
retry-rules: 1
name: t
rules:
  - {id: there, class: permanent, match: '^flaky$', stream: STREAM}
)");
  for (const char* stream : {"stdout", "stderr"}) {
    std::string text = read_file(rules);
    text.replace(text.find("STREAM"), 6, stream);
    const std::string chosen = folder.write("chosen.yaml", text);
    for (const char* to : {"", ">&2"}) {
      const std::string line = "'" + required("RETRY_EXEC") + "' -r '" + chosen +
                               "' -- sh -c 'echo flaky " + to + "; exit 1' 2>&1";
      CHECK_THAT(run({.argv = {"sh", "-c", line}}).out, ContainsSubstring("t/there"));
    }
  }
}

TEST_CASE("one stream alone that is held leaves the other on its own", "[one-stream]") {
  const std::string line =
      ours("-O") + "sh -c 'echo out; echo err >&2; exit 1' 2>&1 | tr '\\n' ' '";
  CHECK(run({.argv = {"sh", "-c", line}}).out == "err out ");
}

TEST_CASE("our lines begin on a line of their own and in no colour of the command's",
          "[one-stream]") {
  const auto said = [](const std::string& text) {
    const std::string line =
        "'" + required("RETRY_EXEC") + "' -a 1 -r ghcr -- sh -c '" + text + "; exit 1' 2>&1";
    return run({.argv = {"sh", "-c", line}}).out;
  };
  CHECK_THAT(said("printf \"\\033[1;31mred\\n\""), ContainsSubstring("red\n\033[0mretry-exec: "));
  CHECK_THAT(said("printf \"\\033[38;5;0mred\""), ContainsSubstring("red\033[0m\nretry-exec: "));
  CHECK_THAT(said("printf \"\\033[31mred\\033[39m\\n\""), ContainsSubstring("\nretry-exec: "));
  CHECK_THAT(said("printf \"\\033[1;31mred\\033[m\\n\""),
             ContainsSubstring("\033[m\nretry-exec: "));
}
