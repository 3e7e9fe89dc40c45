// How an attempt ended, and what that means for an exit code.
#pragma once

#include <retry_exec/quantity.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace retry_exec {

// The command ended by itself with this code, 0 to 255.
struct Exited {
  int code = 0;
  bool operator==(const Exited&) const = default;
};

// A signal that we did not send on account of a time limit ended the command.
struct Signalled {
  int signal = 0;
  bool operator==(const Signalled&) const = default;
};

// Which limit an attempt ran into: --timeout, --idle-timeout, --stall-timeout, or the --deadline of
// the whole run.
enum class TimeLimit { attempt, idle, stalled, deadline };

// We ended the command (and everything it had started) because of a time limit.
struct TimedOut {
  TimeLimit limit = TimeLimit::attempt;
  // How long the attempt had been running, silent or stalled, when the limit struck.
  Duration after{};
  bool operator==(const TimedOut&) const = default;
};

// The command never ran. `error` is the errno of the failing call; `reason` words it with its cause
// ("/x/run.sh: the interpreter '/bin/bsh' does not exist").
struct NotStarted {
  int error = 0;
  std::string reason;
  bool operator==(const NotStarted&) const = default;
};

using Outcome = std::variant<Exited, Signalled, TimedOut, NotStarted>;

bool succeeded(const Outcome& outcome);

// "exit 1", "killed by SIGKILL", "timed out after 30s", "printed nothing for 30s",
// "stalled for 30s", "deadline reached after 12s", "not started: oras: not found in PATH".
std::string to_string(const Outcome& outcome);

// "attempt", "idle", "stalled", "deadline".
std::string_view to_string(TimeLimit limit);

// Exit codes of the programs themselves, beside the command's own. The numbers are those of
// coreutils timeout(1), which users of wrappers know.
namespace exit_code {
inline constexpr int success = 0;
inline constexpr int timed_out = 124;    // the deciding attempt ran into a limit
inline constexpr int own_failure = 125;  // usage, rule file, internal error: nothing was run
inline constexpr int cannot_run = 126;   // found, but not runnable
inline constexpr int not_found = 127;    // not found
inline constexpr int signal_base = 128;  // 128+n: ended by signal n
}  // namespace exit_code

// The code that an outcome stands for: the command's own, 128+n, 124, 126 or 127.
int exit_code_of(const Outcome& outcome);

// "SIGTERM" for 15; "signal 99" for a number without a name. Real-time signals are "SIGRTMIN+n".
std::string signal_name(int signal);

// Takes "TERM", "SIGTERM", "sigterm", "15", "RTMIN+2" and "RTMAX-1".
std::optional<int> parse_signal(std::string_view text);

}  // namespace retry_exec
