// Running one attempt of a command as if nobody stood in front of it.
//
// A Supervisor owns what exists once per process: the signals we were sent, the standard streams,
// the terminal, and the care for orphaned grandchildren. It runs attempts, any number side by side,
// on the io_context of one thread. It knows nothing of rules or retries.
//
// Rules of conduct, each with its test in tests/cli: see README.md, "What the command sees".
#pragma once

#include <retry_exec/captured.hpp>
#include <retry_exec/error.hpp>
#include <retry_exec/outcome.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retry_exec {

// What to run: an argv, never a shell line.
struct Command {
  std::vector<std::string> argv;  // not empty; argv[0] is looked up in PATH unless it has a '/'
  std::vector<std::pair<std::string, std::string>> environment;  // set on top of ours
  std::vector<std::string> unset = {};                           // what it shall not see of ours
};

// What happens to the bytes of one stream. In every case the end of it is kept as evidence.
enum class Handling {
  pass,     // to our own stream, as they come, unchanged
  hold,     // kept aside until the caller decides: Attempt::held
  discard,  // nowhere
};

// What the command reads.
enum class StandardInput {
  inherit,  // our own, untouched; rewound before each attempt when it is seekable
  replay,   // our own, recorded as the command reads it and given again to each later attempt
  null,     // /dev/null
};

struct AttemptOptions {
  Handling standard_output = Handling::pass;
  Handling standard_error = Handling::pass;
  StandardInput standard_input = StandardInput::inherit;
  bool pseudo_terminal = false;  // the command sees a terminal on both output streams
  bool own_group = false;        // even where we are in a terminal's foreground
  std::size_t capture_limit = std::size_t{1} << 20;

  std::optional<Duration> timeout;        // of this attempt
  std::optional<Duration> idle_timeout;   // without a byte on either stream
  std::optional<Duration> stall_timeout;  // in which nothing moves in all that it started
  std::optional<TimePoint> deadline;      // of the whole run
  int first_signal = 15;                  // SIGTERM: how a limit is announced to the command
  Duration kill_after = std::chrono::seconds(10);  // from that to SIGKILL
  // After the command's exit its output is read on until its end, or until nothing has come for
  // `drain_grace`; while bytes come, no longer than `drain_limit`.
  Duration drain_grace = std::chrono::milliseconds(200);
  Duration drain_limit = std::chrono::seconds(10);

  // Called for each chunk as it arrives; for status displays.
  std::function<void(std::string_view)> on_output;
  // Called once if the system does not tell what stall_timeout needs to know; nothing is then ended
  // on account of it.
  std::function<void(const std::string& why)> on_stall_unknown;
};

// Output that was held aside. Beyond a small buffer it lives in an unlinked file.
class HeldOutput {
 public:
  HeldOutput();
  HeldOutput(HeldOutput&&) noexcept;
  HeldOutput& operator=(HeldOutput&&) noexcept;
  ~HeldOutput();

  std::uint64_t size() const;
  struct State;
  std::unique_ptr<State> state;
};

// A process that an attempt started and that we could not end: it belongs to another user.
struct Survivor {
  int pid = 0;
  std::string name;  // as proc(5) has it in `comm`
  bool operator==(const Survivor&) const = default;
};

struct Attempt {
  Outcome outcome;
  // The signal that asked us to end while it ran, or that we passed on and that killed it. The
  // outcome is then final: never retried.
  std::optional<int> interrupted_by;
  // The reader of our output had gone away (EPIPE) before it had taken all: what it printed last is
  // lost, and nothing more would be read.
  bool reader_gone = false;
  // We could not do our part, as a clause: output could not be written or kept, so that what it
  // printed is not whole; our stdin could not be read, so that it had no end to see.
  std::optional<std::string> own_failure;
  // Something that it started could not be ended: nothing may be started beside it. Those that
  // could be found are named.
  bool has_survivors = false;
  std::vector<Survivor> survivors;
  // Output still came, or could, and was not waited for: what was or may be lost, for people.
  std::optional<std::string> cut_off;
  // It read from our standard input, a pipe or a socket that it inherited, what a later attempt
  // will not find there. False where that is not certain.
  bool input_taken = false;
  // Of input that is replayed: bytes of a pipe or a socket that we have read and it has not.
  std::uint64_t input_read_ahead = 0;
  CapturedOutput output;
  HeldOutput held_output;
  HeldOutput held_error;
  Duration elapsed{};  // to the command's end or to the limit that it ran into, without our ending
  // What the user should know and no rule needs: "a background process still holds stdout".
  std::vector<std::string> remarks;
};

class Supervisor {
 public:
  // Takes over signals and marks this process as the one that orphans come to. Once per process,
  // after protect_standard_streams().
  explicit Supervisor(boost::asio::io_context& context);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // Runs one attempt to its end: everything that a failed one had started is dead afterwards; what
  // a successful one left in the background is left alone.
  boost::asio::awaitable<Attempt> run(const Command& command, const AttemptOptions& options);

  // Waits, and returns the signal that cut the wait short, if one did.
  boost::asio::awaitable<std::optional<int>> wait(Duration duration);

  // From now on the end of the process that started us counts as a request to end: SIGTERM to
  // what runs, and KILL after AttemptOptions::kill_after. `parent` is getppid() at our start.
  void end_with_parent(pid_t parent);

  // Kills what still runs, with little memory: for a failure of ours after which no attempt is
  // brought to its end.
  void kill_all();

  // The first signal that asked us to end, if any has; also one that is still to be dealt with.
  std::optional<int> interrupted_by() const;

  // Writes held output to our own stream. Returns 0, or errno of what kept it from being written:
  // EPIPE when its reader has gone away, EINTR when a signal asked us to end while the reader let
  // us wait, ETIMEDOUT when the deadline passed meanwhile.
  boost::asio::awaitable<int> give_out(HeldOutput& held, int fd,
                                       std::optional<TimePoint> deadline = std::nullopt);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

// First lines of main: puts something on a closed 0, 1 or 2 that can neither be read nor written
// and that the command does not get, and lets a write to a closed pipe or beyond a limit of file
// size fail instead of killing us.
void protect_standard_streams();

// Ends this process the way `signal` would have, so that a shell loop around us stops too. Returns
// the exit code 128+n where that is impossible (process 1 of a container).
int die_by(int signal);

// Are our stdout and stderr one file, so that the order of what is written to both can be seen?
bool streams_are_one();

// Was this one of 0, 1 and 2 closed when we were started? See protect_standard_streams().
bool is_closed(int fd);

// Where execvp(3) would find `name`, or why not: ENOENT, EACCES, …
struct Found {
  std::string path;
  int error = 0;
};
Found find_executable(std::string_view name);

}  // namespace retry_exec
