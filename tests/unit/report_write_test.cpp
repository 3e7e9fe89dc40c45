// Where reports and summaries are written, whatever is there already.
#include "catch_shim.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/report.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

using retry_exec::append_summary;
using retry_exec::write_report;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

struct Pipe {
  explicit Pipe(int flags) { REQUIRE(::pipe2(ends.data(), flags | O_CLOEXEC) == 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int fd : ends) ::close(fd);
  }
  std::array<int, 2> ends{};
};

}  // namespace

TEST_CASE("a report keeps the mode of the file that it replaces", "[report]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("report", "old");
  for (const mode_t mode : {0600U, 0640U, 0666U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    CHECK(write_report(path, "new").has_value());
    CHECK(mode_of(path) == mode);
  }
}

TEST_CASE("a new report and a new summary have the mode that the umask leaves", "[report]") {
  const test::TemporaryFolder folder;
  const mode_t before = ::umask(027);
  CHECK(write_report(folder / "report", "x").has_value());
  CHECK(append_summary(folder / "summary", "x").has_value());
  ::umask(before);
  CHECK(mode_of(folder / "report") == 0640);
  CHECK(mode_of(folder / "summary") == 0640);
}

TEST_CASE("a report and a summary go where a symbolic link leads, even to nothing yet",
          "[report]") {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_symlink("sub/second", folder / "first");
  std::filesystem::create_symlink("target", folder / "sub/second");
  CHECK(write_report(folder / "first", "one\n").has_value());
  CHECK(test::read_file(folder / "sub/target") == "one\n");
  CHECK(append_summary(folder / "first", "two\n").has_value());
  CHECK(test::read_file(folder / "sub/target") == "one\ntwo\n");
  CHECK(std::filesystem::is_symlink(folder / "first"));
  CHECK(std::filesystem::is_symlink(folder / "sub/second"));
}

TEST_CASE("links that go round are an error", "[report]") {
  const test::TemporaryFolder folder;
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  CHECK(write_report(folder / "a", "x").has_error());
  CHECK(append_summary(folder / "a", "x").has_error());
  CHECK(std::filesystem::is_symlink(folder / "a"));
}

TEST_CASE("a report and a summary may have the longest name that there is", "[report]") {
  const test::TemporaryFolder folder;
  for (const std::size_t length : {244U, 245U, 250U, 255U}) {
    CAPTURE(length);
    const std::string path = folder / std::string(length, 'r');
    for (const char* text : {"one\n", "two\n"}) {
      CHECK(write_report(path, text).has_value());
      CHECK(test::read_file(path) == text);
    }
    CHECK(append_summary(path, "more\n").has_value());
    CHECK(test::read_file(path) == "two\nmore\n");
  }
  CHECK(write_report(folder / std::string(256, 'r'), "x").has_error());
}

// As another user, whom the kernel keeps from replacing a file, and from opening it with O_CREAT.
TEST_CASE("a file of another's that all may write is written in a sticky folder", "[report]") {
  if (::geteuid() != 0) return;  // nobody else can be asked
  const test::TemporaryFolder folder;
  constexpr uid_t owner = 4711;
  constexpr uid_t other = 4712;
  REQUIRE(::chmod((folder / ".").c_str(), 01777) == 0);
  const std::string path = folder.write("report", "something longer");
  REQUIRE(::chown(path.c_str(), owner, owner) == 0);
  REQUIRE(::chmod(path.c_str(), 0666) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool dropped =
        ::setresgid(other, other, other) == 0 && ::setresuid(other, other, other) == 0;
    const bool written = dropped && write_report(path, "new\n").has_value() &&
                         append_summary(path, "more\n").has_value();
    ::_exit(written ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(test::read_file(path) == "new\nmore\n");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a named pipe that nobody reads is an error that says so", "[report]") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  for (const auto& refused : {write_report(path, "x"), append_summary(path, "x")}) {
    REQUIRE(refused.has_error());
    CHECK(refused.error().what == "cannot open: it is a pipe without a reader");
  }
}

TEST_CASE("a named pipe with a reader gets all of the report", "[report]") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  // Also for writing: else it is at its end as long as nobody writes yet.
  const int reader = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(reader >= 0);
  const std::string text(300'000, 'x');  // more than a pipe holds
  std::string got;
  std::thread reading([&] {
    std::array<char, 4096> buffer{};
    for (ssize_t n = 1; n > 0 && got.size() < text.size();) {
      n = ::read(reader, buffer.data(), buffer.size());
      if (n > 0) got.append(buffer.data(), static_cast<std::size_t>(n));
    }
  });
  CHECK(write_report(path, text).has_value());
  reading.join();
  ::close(reader);
  CHECK(got == text);
}

TEST_CASE("a report waits for a full pipe that must not block", "[report]") {
  const Pipe pipe(O_NONBLOCK);
  const std::string text(300'000, 'x');
  std::size_t got = 0;
  std::thread reading([&] {
    std::array<char, 4096> buffer{};
    while (got < text.size()) {
      const ssize_t n = ::read(pipe.ends[0], buffer.data(), buffer.size());
      if (n > 0) got += static_cast<std::size_t>(n);
      if (n <= 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  CHECK(write_report("/dev/fd/" + std::to_string(pipe.ends[1]), text).has_value());
  reading.join();
}

TEST_CASE("a report to an open descriptor follows what was written there", "[report]") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "out";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(::write(fd, "output\n", 7) == 7);
  const std::string descriptor = "/dev/fd/" + std::to_string(fd);
  CHECK(write_report(descriptor, "report\n").has_value());
  CHECK(append_summary(descriptor, "summary\n").has_value());
  REQUIRE(::write(fd, "more", 4) == 4);
  ::close(fd);
  CHECK(test::read_file(path) == "output\nreport\nsummary\nmore");
}

TEST_CASE("what is added behind a line without an end stands on a line of its own", "[report]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("output", "version=1.0");
  CHECK(append_summary(path, "digests={}\n").has_value());
  CHECK(append_summary(path, "digest=x\n").has_value());
  CHECK(test::read_file(path) == "version=1.0\ndigests={}\ndigest=x\n");
  folder.write("output", "");
  CHECK(append_summary(path, "one\n").has_value());
  CHECK(test::read_file(path) == "one\n");
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  REQUIRE(::write(fd, "two", 3) == 3);
  CHECK(append_summary("/dev/fd/" + std::to_string(fd), "three\n").has_value());
  ::close(fd);
  CHECK(test::read_file(path) == "one\ntwo\nthree\n");
}

TEST_CASE("one file is known by what is there, and else by its name", "[report]") {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_symlink("x", folder / "link");
  const std::vector<retry_exec::FileInUse> files = {{"the plan", folder / "x"}};
  const auto is_another = [&](const std::string& path) {
    return retry_exec::is_none_of(path, files).has_value();
  };
  for (const bool there : {false, true}) {
    CAPTURE(there);
    if (there) folder.write("x", "");
    for (const char* name : {"x", "./x", "sub/../x", "link"})
      CHECK_FALSE(is_another(folder / name));
    CHECK(is_another(folder / "y"));
    CHECK(is_another(folder / "sub/x"));
  }
  std::filesystem::create_hard_link(folder / "x", folder / "hard");
  CHECK_FALSE(is_another(folder / "hard"));
  CHECK(retry_exec::is_none_of(folder / "x", files).error().what ==
        "this is the plan; write to another file");
  std::filesystem::remove(folder / "x");
  REQUIRE(::mkfifo((folder / "x").c_str(), 0600) == 0);
  CHECK(is_another(folder / "x"));  // it takes what several write
}

TEST_CASE("the name in a report's error forges no line and tells no secret", "[report]") {
  const auto refused = write_report("/no/such\n::error::/https://joe:hunter22@h/x?sig=abc", "x");
  REQUIRE(refused.has_error());
  CHECK(refused.error().where.file == "/no/such ::error::/https://[redacted]@h/x?[redacted]");
}

namespace {

// As on a full disk: no file gets longer than this.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &unlimited_) == 0);
    const rlimit limit{bytes, unlimited_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &unlimited_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  rlimit unlimited_{};
  void (*before_)(int);
};

}  // namespace

TEST_CASE("what a full disk does not take whole is taken back from the end of a file", "[report]") {
  const test::TemporaryFolder folder;
  const std::string output = folder.write("output", "before=1\n");
  const std::string nothing = folder / "nothing";
  bool failed = false;
  {
    const FullDisk disk(20);
    failed = append_summary(output, "digests={\"app\":\"sha256:00\"}\n").has_error() &&
             append_summary(nothing, std::string(30, 'x')).has_error();
  }
  CHECK(failed);
  CHECK(test::read_file(output) == "before=1\n");
  CHECK(test::read_file(nothing).empty());
}
