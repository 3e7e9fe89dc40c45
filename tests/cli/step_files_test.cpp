// The files by which a step of GitHub Actions tells its results: $GITHUB_OUTPUT and its like.
#include "wrapped.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace test;

namespace {

// Attempts of a shell script, by default two, under these variables.
Program step(std::vector<std::string> options, const std::string& script,
             std::vector<std::pair<std::string, std::optional<std::string>>> variables) {
  Program program = wrapping(at_once({"-a", "2"}), {"/bin/sh", "-c", script});
  program.argv.insert(program.argv.begin() + 1, options.begin(), options.end());
  program.environment = std::move(variables);
  return program;
}

// Open for writing, under one more mode, as a shell's redirection has it.
struct OpenFile {
  OpenFile(const std::string& path, int mode)
      : fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | mode)) {
    REQUIRE(fd >= 0);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(fd); }
  const int fd;
};

constexpr const char* fails_first = "test $RETRY_EXEC_ATTEMPT = 2";

}  // namespace

TEST_CASE("what a failed attempt wrote into a step's files is taken back", "[step-files]") {
  for (const char* variable :
       {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"}) {
    INFO(variable);
    const TemporaryFolder folder;
    const std::string file = folder.write("f", "of an earlier step\n");
    const Ended ended =
        run(step({"-v"},
                 "echo attempt $RETRY_EXEC_ATTEMPT >> \"$" + std::string(variable) +
                     "\"; echo 'text<<END' >> \"$" + variable + "\"; " + fails_first,
                 {{variable, file}}));
    CHECK(ended.exit_code() == 0);
    CHECK_THAT(read_file(file), StartsWith("of an earlier step\nattempt 2\ntext<<END\n"));
    CHECK_THAT(ended.err, ContainsSubstring("removed 20 bytes that the failed attempt wrote to $" +
                                            std::string(variable)));
  }
}

TEST_CASE("one byte that is taken back is told in the singular", "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "");
  const Ended ended = run(step({"-v"}, "printf x >>\"$GITHUB_ENV\"; " + std::string(fails_first),
                               {{"GITHUB_ENV", file}}));
  CHECK_THAT(ended.err, ContainsSubstring("removed 1 byte that the failed attempt wrote"));
}

TEST_CASE("what the last attempt wrote into a step's files stays", "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "");
  CHECK(run(step({"-q"}, "echo $RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; exit 3",
                 {{"GITHUB_OUTPUT", file}}))
            .exit_code() == 3);
  CHECK(read_file(file) == "2\n");
}

TEST_CASE("what --before-retry writes into a step's files stays", "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "");
  run(step({"-q", "--before-retry", "echo token >> $GITHUB_ENV"},
           std::string("echo $RETRY_EXEC_ATTEMPT >> $GITHUB_ENV; ") + fails_first,
           {{"GITHUB_ENV", file}}));
  CHECK(read_file(file) == "token\n2\n");
}

TEST_CASE("a failed attempt's lines stay in a step's files where no other attempt begins",
          "[step-files]") {
  const std::string script =
      "echo failed=$RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; rm -f \"$0\"; exit 3";
  const std::vector<std::vector<std::string>> ends = {
      {"--deadline", "1s", "--before-retry", "echo token >> $GITHUB_OUTPUT; sleep 60"},
      {"--before-retry", "echo token >> $GITHUB_OUTPUT; kill -TERM $PPID; sleep 60"},
      {"--retry-on", "127", "--before-retry", "echo token >> $GITHUB_OUTPUT"},
  };
  for (const auto& options : ends) {
    INFO(options.front());
    const TemporaryFolder folder;
    const std::string file = folder.write("f", "before\n");
    const std::string program = folder.write("program", "#!/bin/sh\n" + script + "\n");
    ::chmod(program.c_str(), 0755);
    Program wrapper = wrapping(at_once({"-q", "-a", "2"}), {program});
    wrapper.argv.insert(wrapper.argv.begin() + 1, options.begin(), options.end());
    wrapper.environment = {{"GITHUB_OUTPUT", file}};
    const Ended ended = run(wrapper);
    INFO(ended.err);
    CHECK(ended.wall.count() < 20);
    CHECK(read_file(file) == "before\ntoken\nfailed=1\n");
  }
}

TEST_CASE("a retry-exec within an attempt takes back what its own attempts wrote", "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "");
  const std::string inner = "echo outer=$RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; " +
                            std::string(fails_first) + " || exit 1; '" + required("RETRY_EXEC") +
                            "' -a 2 -d 0 -- sh -c 'echo inner=$RETRY_EXEC_ATTEMPT >> "
                            "$GITHUB_OUTPUT; test $RETRY_EXEC_ATTEMPT = 2'";
  CHECK(run(step({}, inner, {{"GITHUB_OUTPUT", file}})).exit_code() == 0);
  CHECK(read_file(file) == "outer=2\ninner=2\n");
}

TEST_CASE(
    "what is put back into a step's file stands on lines of its own, in the file that is there",
    "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "A=1\n");
  Program program = step({"-q", "--deadline", "1s", "--before-retry",
                          "sed -i s/A=1/A=2/ $GITHUB_ENV; printf token=1 >> $GITHUB_ENV; sleep 60"},
                         "printf B=1 >> $GITHUB_ENV; exit 1", {{"GITHUB_ENV", file}});
  CHECK(run(program).exit_code() == 124);
  CHECK(read_file(file) == "A=2\ntoken=1\nB=1");
}

TEST_CASE("--keep-step-files leaves them alone", "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "");
  run(step({"-q", "--keep-step-files"}, "echo $RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; exit 3",
           {{"GITHUB_OUTPUT", file}}));
  CHECK(read_file(file) == "1\n2\n");
}

TEST_CASE("a step's file that is not ours to shorten stays as it is", "[step-files]") {
  const TemporaryFolder folder;
  const auto left_by = [&](const std::string& path, const std::string& script) {
    run(step({"-q"}, script + "; exit 3", {{"GITHUB_OUTPUT", path}}));
    return read_file(path);
  };
  // Another file of the name, and one that became shorter.
  const std::string replaced = folder.write("replaced", "old\n");
  CHECK(left_by(replaced,
                "echo longer than old > $GITHUB_OUTPUT.new; test -e $GITHUB_OUTPUT.2 || "
                "mv $GITHUB_OUTPUT.new $GITHUB_OUTPUT; touch $GITHUB_OUTPUT.2") ==
        "longer than old\n");
  const std::string shorter = folder.write("shorter", "a long line\n");
  CHECK(left_by(shorter, "echo x > $GITHUB_OUTPUT") == "x\n");
  // What is not a regular file, itself or behind a symbolic link.
  REQUIRE(::symlink("/dev/null", (folder / "to-null").c_str()) == 0);
  CHECK(left_by(folder / "to-null", "echo x >> $GITHUB_OUTPUT").empty());
  CHECK(run(step({"-q"}, "echo x >> $GITHUB_OUTPUT; exit 3", {{"GITHUB_OUTPUT", "/dev/null"}}))
            .exit_code() == 3);
}

TEST_CASE("what a failed attempt wrote is taken back from a file that it replaced by its copy, too",
          "[step-files]") {
  const TemporaryFolder folder;
  for (const std::string& old : {std::string(), std::string("of an earlier step\n")}) {
    const std::string file = folder.write("f", old);
    const Ended ended = run(step({"-v"},
                                 "echo $RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; "
                                 "sed -i s/x/y/ $GITHUB_OUTPUT; exit 3",
                                 {{"GITHUB_OUTPUT", file}}));
    struct statx status {};
    ::statx(AT_FDCWD, file.c_str(), 0, STATX_BTIME, &status);
    if ((status.stx_mask & STATX_BTIME) == 0) {  // nobody can say that it was made since
      CHECK_THAT(ended.err, ContainsSubstring("put another file in its place"));
      continue;
    }
    CHECK(read_file(file) == old + "2\n");
    CHECK_THAT(ended.err, ContainsSubstring("removed 2 bytes that the failed attempt wrote to "));
  }
}

TEST_CASE("that a failed attempt's lines stay in a step's file is told", "[step-files]") {
  const TemporaryFolder folder;
  const auto told = [&](const std::string& script) {
    const std::string file = folder.write("f", "of an earlier step\n");
    folder.write("precious", "of an earlier step\nand mine\n");
    return run(step({}, "test $RETRY_EXEC_ATTEMPT = 2 && exit; " + script + "; exit 3",
                    {{"GITHUB_OUTPUT", file}}))
        .err;
  };
  const std::string kept = "cannot remove what the failed attempt wrote to $GITHUB_OUTPUT: ";
  const std::string replaced = kept + "the attempt put another file in its place";
  CHECK_THAT(told("sed -i s/of/oh/ $GITHUB_OUTPUT"), ContainsSubstring(replaced));
  CHECK_THAT(told("echo x > $GITHUB_OUTPUT"),
             ContainsSubstring(kept + "it is shorter than it was before"));
  CHECK_THAT(told("mv $(dirname $GITHUB_OUTPUT)/precious $GITHUB_OUTPUT"),
             ContainsSubstring(replaced));
  CHECK_THAT(read_file(folder / "f"), ContainsSubstring("and mine"));
  CHECK_THAT(told("sed -i s/x/y/ $GITHUB_OUTPUT"), !ContainsSubstring("cannot remove"));
}

TEST_CASE(
    "a step's file that a failed attempt wrote anew is not cut in the middle of a line, and told",
    "[step-files]") {
  const TemporaryFolder folder;
  const std::string kept = "what the failed attempt wrote to $GITHUB_OUTPUT: it begins otherwise";
  for (const std::string wrote : {"version=1.2.3", "other1"}) {  // longer, and as long
    INFO(wrote);
    const std::string file = folder.write("f", "keep=1\n");
    const Ended ended =
        run(step({},
                 "test $RETRY_EXEC_ATTEMPT = 2 && { echo digest=abc >> $GITHUB_OUTPUT; exit 0; }; "
                 "echo " +
                     wrote + " > $GITHUB_OUTPUT; exit 3",
                 {{"GITHUB_OUTPUT", file}}));
    CHECK(read_file(file) == wrote + "\ndigest=abc\n");
    CHECK(count(ended.err, kept) == 1);
  }
  // Written anew with what was in it, then added to: that is what is taken back.
  const std::string file = folder.write("f", "keep=1\n");
  const Ended ended =
      run(step({}, "printf 'keep=1\\nmore' > $GITHUB_OUTPUT; exit 3", {{"GITHUB_OUTPUT", file}}));
  CHECK(count(ended.err, "cannot remove") == 0);
  CHECK(read_file(file) == "keep=1\nmore");
}

TEST_CASE("a step's file of more bytes than are compared is cut back like any other",
          "[step-files]") {
  const TemporaryFolder folder;
  const std::string old = std::string(3 << 20, 'a') + "\n";
  const std::string file = folder.write("f", old);
  run(step({}, "echo $RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; exit 3", {{"GITHUB_OUTPUT", file}}));
  CHECK(read_file(file) == old + "2\n");
}

TEST_CASE("a step's file behind a symbolic link is one like any other, unless it is another user's",
          "[step-files]") {
  const TemporaryFolder folder;
  const std::string target = folder.write("target", "of an earlier step\n");
  const std::string link = folder / "link";
  REQUIRE(::symlink("target", link.c_str()) == 0);
  const std::string script = "echo $RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; exit 3";
  run(step({}, script, {{"GITHUB_OUTPUT", link}}));
  CHECK(read_file(target) == "of an earlier step\n2\n");
  // Led elsewhere meanwhile.
  folder.write("other", "long enough to be shortened\n");
  run(step({}, "ln -sf other $GITHUB_OUTPUT; exit 3", {{"GITHUB_OUTPUT", link}}));
  CHECK(read_file(folder / "other") == "long enough to be shortened\n");
  if (::geteuid() != 0) return;  // nobody else can give a file away
  REQUIRE(::chown((folder / "other").c_str(), 65534, 65534) == 0);
  const Ended ended = run(step({}, script, {{"GITHUB_OUTPUT", link}}));
  CHECK(read_file(folder / "other") == "long enough to be shortened\n1\n2\n");
  CHECK(count(ended.err, "wrote to $GITHUB_OUTPUT: it is a symbolic link to another user's file") ==
        1);
}

TEST_CASE("what a failed attempt printed into a step's file that is our stdout is taken back",
          "[step-files]") {
  const TemporaryFolder folder;
  for (const int mode : {O_APPEND, O_TRUNC}) {
    INFO(mode);
    const std::string file = folder.write("f", mode == O_APPEND ? "before=1\n" : "");
    const std::string before = read_file(file);
    const OpenFile output(file, mode);
    Program program =
        step({"-v"}, "printf 'list<<E\\none\\n'; " + std::string(fails_first) + " && echo E",
             {{"GITHUB_OUTPUT", file}});
    program.standard_output = Descriptor{output.fd};
    const Ended ended = run(program);
    CHECK(ended.exit_code() == 0);
    CHECK(read_file(file) == before + "list<<E\none\nE\n");
    CHECK_THAT(ended.err, ContainsSubstring("removed 12 bytes that the failed attempt wrote to "));
    // Whoever opened it goes on behind that, as a group of commands does.
    REQUIRE(::write(output.fd, "x\n", 2) == 2);
    CHECK(read_file(file) == before + "list<<E\none\nE\nx\n");
  }
}

TEST_CASE("what was printed into a step's file is put back where no other attempt begins",
          "[step-files]") {
  const TemporaryFolder folder;
  for (const int mode : {O_APPEND, O_TRUNC}) {
    const std::string file = folder.write("f", "");
    const OpenFile output(file, mode);
    Program program = step({"-q", "--deadline", "1s", "--before-retry", "sleep 60"},
                           "echo a=1; exit 3", {{"GITHUB_OUTPUT", file}});
    program.standard_output = Descriptor{output.fd};
    CHECK(run(program).exit_code() == 124);
    REQUIRE(::write(output.fd, "b=2\n", 4) == 4);
    CHECK(read_file(file) == "a=1\nb=2\n");
  }
}

TEST_CASE("a step's file into which more goes than the attempt prints keeps it, which is told",
          "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "");
  const std::string told =
      "cannot remove what the failed attempt wrote to $GITHUB_OUTPUT: our own output goes there";
  const OpenFile output(file, O_APPEND);
  const std::string prints_nothing = "true";
  const auto left_by = [&](const std::string& path, const std::string& script, bool with_log) {
    Program program = step({}, script + "; exit 3", {{"GITHUB_OUTPUT", path}});
    program.standard_output = Descriptor{output.fd};
    if (with_log) program.standard_error = Descriptor{output.fd};
    folder.write("f", "");
    const Ended ended = run(program);
    const std::string left = read_file(file);
    CHECK(count(ended.err + (with_log ? left : ""), told) == (script == prints_nothing ? 0 : 1));
    return left;
  };
  const std::string printed = "echo $RETRY_EXEC_ATTEMPT";
  const std::string both = left_by(file, printed + "; echo direct >> $GITHUB_OUTPUT", false);
  CHECK(count(both, "direct\n") == 2);
  CHECK(both.size() == std::string("1\ndirect\n2\ndirect\n").size());
  CHECK(left_by("/dev/stdout", printed, false) == "1\n2\n");
  CHECK_THAT(left_by(file, printed, true), StartsWith("1\n") && ContainsSubstring("\n2\n"));
  CHECK_THAT(left_by(file, prints_nothing, true), ContainsSubstring("attempt 1"));
}

TEST_CASE("a step's file that is our stdout and another program's keeps what is in it",
          "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "");
  const OpenFile output(file, O_APPEND);
  const OpenFile other(file, 0);
  Program program = step({}, "echo $RETRY_EXEC_ATTEMPT; exit 3", {{"GITHUB_OUTPUT", file}});
  program.standard_output = Descriptor{output.fd};
  const Ended ended = run(program);
  CHECK(read_file(file) == "1\n2\n");
  CHECK_THAT(ended.err, ContainsSubstring("another process has the file open"));
}

TEST_CASE("a step's file that another process writes to keeps what is in it, which is told",
          "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "");
  const int other = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(other >= 0);
  const Ended ended = run(
      step({}, "echo $RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; exit 3", {{"GITHUB_OUTPUT", file}}));
  ::close(other);
  CHECK(read_file(file) == "1\n2\n");
  CHECK_THAT(ended.err,
             ContainsSubstring("wrote to $GITHUB_OUTPUT: another process has the file open"));
}

TEST_CASE("--github-output tells later steps how the run went", "[step-files]") {
  const TemporaryFolder folder;
  const std::string rules = folder.write(
      "r.yaml", "retry-rules: 1\nname: t\nrules: [{id: x, class: transient, match: flaky}]\n");
  const auto told = [&](std::vector<std::string> options, const std::string& script) {
    const std::string file = folder.write("f", "half a line");
    options.insert(options.end(), {"-q", "-r", rules, "--github-output", "retry-"});
    run(step(options, script, {{"GITHUB_OUTPUT", file}}));
    return read_file(file);
  };
  CHECK(told({}, std::string("echo flaky >&2; ") + fails_first) ==
        "half a line\nretry-attempts=2\nretry-reason=success\nretry-rule=t/x\n");
  CHECK(told({}, "exit 0") == "half a line\nretry-attempts=1\nretry-reason=success\nretry-rule=\n");
  CHECK(told({}, "echo flaky >&2; exit 3") ==
        "half a line\nretry-attempts=2\nretry-reason=exhausted\nretry-rule=t/x\n");
}

TEST_CASE("--github-output without a file to write to is told, and changes no exit code",
          "[step-files]") {
  const Ended ended = run(wrapped({"--github-output", "x", "-a", "1"}, {"exit", "3"}));
  CHECK(ended.exit_code() == 3);
  CHECK_THAT(ended.err, ContainsSubstring("GITHUB_OUTPUT is not set"));
  for (const char* wrong : {"a b", "1", "x=\n", "-x"}) {
    CHECK(run(wrapped({"--github-output", wrong}, {"exit", "3"})).exit_code() == 125);
  }
}

TEST_CASE("a step's file that a failed attempt made is emptied again", "[step-files]") {
  const TemporaryFolder folder;
  const std::string file = folder / "new";
  const Ended ended =
      run(step({"-v"}, "echo $RETRY_EXEC_ATTEMPT >> $GITHUB_OUTPUT; " + std::string(fails_first),
               {{"GITHUB_OUTPUT", file}}));
  CHECK(ended.exit_code() == 0);
  struct statx status {};
  ::statx(AT_FDCWD, file.c_str(), 0, STATX_BTIME, &status);
  if ((status.stx_mask & STATX_BTIME) == 0) {  // nobody can say that it was made since
    CHECK_THAT(ended.err, ContainsSubstring("it was not there before"));
    return;
  }
  CHECK(read_file(file) == "2\n");
  CHECK_THAT(ended.err, ContainsSubstring("removed 2 bytes that the failed attempt wrote"));
}

TEST_CASE("a file of somebody's that an attempt moved to a step's new name is left alone",
          "[step-files]") {
  const TemporaryFolder folder;
  const std::string old = folder.write("old", "precious\n");
  const std::string file = folder / "new";
  const Ended ended = run(step(
      {}, "[ ! -e '" + old + "' ] || mv '" + old + "' '" + file + "'; " + std::string(fails_first),
      {{"GITHUB_OUTPUT", file}}));
  CHECK(read_file(file) == "precious\n");
  CHECK_THAT(ended.err, ContainsSubstring("it was not there before"));
}
