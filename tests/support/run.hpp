// Runs a program for a test: what it is given is all named here, what it did comes back as a value.
//
//   const Ended ended = run({.argv = {"/bin/cat"}, .input = "hello"});
//   CHECK(ended.out == "hello");
//   CHECK(ended.exit_code() == 0);
//
// Every program gets a session of its own, with no terminal, default signal dispositions and an
// empty mask. Nothing outlives the test: what is still in that session when the program has ended
// is reported (`survivors`) and killed, and all of it dies with the test program too.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Where a standard stream of the program leads, apart from bytes and captured text.
struct Closed {};    // the descriptor does not exist
struct Null {};      // /dev/null
struct OpenPipe {};  // stdin only: a pipe that the test writes to, see Running::write
struct Descriptor {  // one that the test has open and keeps
  int fd = -1;
};
struct Captured {};  // stdout, stderr: kept for the test

using Input = std::variant<std::string, Null, Closed, OpenPipe, Descriptor>;
using Output = std::variant<Captured, Null, Closed, Descriptor>;

struct Program {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a '/'
  // Set, or, without a value, unset. The rest is the test's own environment, less RETRY_EXEC*,
  // GITHUB_* and CI, so that a test says the same everywhere; LC_ALL is C.
  std::vector<std::pair<std::string, std::optional<std::string>>> environment = {};
  std::string folder = {};  // to run in; empty: the test's own
  Input input = Null{};
  Output standard_output = Captured{};
  Output standard_error = Captured{};
  std::vector<std::pair<int, int>> descriptors = {};  // {number in the program, ours}
  std::optional<int> terminal = {};        // this descriptor becomes the controlling terminal
  std::function<void()> before_exec = {};  // last thing in the child: masks, limits, umask
  // Then the whole session is killed.
  std::chrono::milliseconds time_limit = std::getenv("TEST_INSTRUMENTED") == nullptr
                                             ? std::chrono::seconds(30)
                                             : std::chrono::minutes(3);
};

struct Ended {
  int wait_status = 0;
  bool over_time = false;  // the limit struck; wait_status tells of our SIGKILL
  std::string out;
  std::string err;
  std::chrono::duration<double> wall{};
  std::vector<std::string> survivors;  // command lines of what the program left running

  std::optional<int> exit_code() const;
  std::optional<int> signal() const;
};

// A program on its way. The destructor ends it and all that it started.
class Running {
 public:
  explicit Running(const Program& program);
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();

  pid_t pid() const { return pid_; }
  std::chrono::duration<double> processor_time() const;  // of the program alone, so far
  void send(int signal) const;                           // to the program alone
  void write(std::string_view bytes);                    // to an OpenPipe
  void close_input();
  // Reads until the captured stream holds `text`; false when the limit or the program's end comes
  // first.
  bool wait_for_out(std::string_view text, std::chrono::milliseconds limit = 10s);
  bool wait_for_err(std::string_view text, std::chrono::milliseconds limit = 10s);
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }
  Ended wait();

 private:
  bool pump_until(const std::function<bool()>& done, Clock::time_point limit);
  void pump(std::chrono::milliseconds at_most);
  void feed();
  bool has_ended() const;
  void end_session();

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int input_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  bool keep_input_ = false;
  std::string pending_;
  std::string out_;
  std::string err_;
  Clock::time_point started_;
  Clock::time_point limit_;
};

Ended run(const Program& program);

// Asks again every few milliseconds until it is so; false when it is not in time.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = 10s);

// What the environment variable `name` says; a test that needs it fails without it, it never skips.
std::string required(const char* name);

// Every process of the session `leader`, zombies left out.
std::vector<pid_t> session_members(pid_t leader);

std::string command_line(pid_t pid);

}  // namespace test
