#include "values/overloaded.hpp"

#include <retry_exec/outcome.hpp>
#include <retry_exec/text.hpp>

#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>

namespace retry_exec {

namespace {

struct NamedSignal {
  int number;
  std::string_view name;
};

// Own table: sigabbrev_np(3) is missing from musl and from glibc before 2.32.
constexpr std::array named_signals = {
    NamedSignal{SIGHUP, "HUP"},   NamedSignal{SIGINT, "INT"},
    NamedSignal{SIGQUIT, "QUIT"}, NamedSignal{SIGILL, "ILL"},
    NamedSignal{SIGTRAP, "TRAP"}, NamedSignal{SIGABRT, "ABRT"},
    NamedSignal{SIGBUS, "BUS"},   NamedSignal{SIGFPE, "FPE"},
    NamedSignal{SIGKILL, "KILL"}, NamedSignal{SIGUSR1, "USR1"},
    NamedSignal{SIGSEGV, "SEGV"}, NamedSignal{SIGUSR2, "USR2"},
    NamedSignal{SIGPIPE, "PIPE"}, NamedSignal{SIGALRM, "ALRM"},
    NamedSignal{SIGTERM, "TERM"}, NamedSignal{SIGSTKFLT, "STKFLT"},
    NamedSignal{SIGCHLD, "CHLD"}, NamedSignal{SIGCONT, "CONT"},
    NamedSignal{SIGSTOP, "STOP"}, NamedSignal{SIGTSTP, "TSTP"},
    NamedSignal{SIGTTIN, "TTIN"}, NamedSignal{SIGTTOU, "TTOU"},
    NamedSignal{SIGURG, "URG"},   NamedSignal{SIGXCPU, "XCPU"},
    NamedSignal{SIGXFSZ, "XFSZ"}, NamedSignal{SIGVTALRM, "VTALRM"},
    NamedSignal{SIGPROF, "PROF"}, NamedSignal{SIGWINCH, "WINCH"},
    NamedSignal{SIGIO, "IO"},     NamedSignal{SIGPWR, "PWR"},
    NamedSignal{SIGSYS, "SYS"},
};

// "RTMIN", "RTMIN+2", "RTMAX", "RTMAX-1".
std::optional<int> real_time_signal(std::string_view name) {
  const bool from_least = name.starts_with("RTMIN");
  if (!from_least && !name.starts_with("RTMAX")) return std::nullopt;
  name.remove_prefix(5);
  int steps = 0;
  if (!name.empty()) {
    const auto number = text::number_from<int>(name.substr(1));
    if (name.front() != (from_least ? '+' : '-') || !number || *number < 0 ||
        *number > SIGRTMAX - SIGRTMIN) {
      return std::nullopt;
    }
    steps = *number;
  }
  return from_least ? SIGRTMIN + steps : SIGRTMAX - steps;
}

}  // namespace

bool succeeded(const Outcome& outcome) {
  const auto* exited = std::get_if<Exited>(&outcome);
  return exited != nullptr && exited->code == 0;
}

std::string_view to_string(TimeLimit limit) {
  switch (limit) {
    case TimeLimit::attempt:
      return "attempt";
    case TimeLimit::idle:
      return "idle";
    case TimeLimit::stalled:
      return "stalled";
    case TimeLimit::deadline:
      return "deadline";
  }
  return "";
}

std::string to_string(const Outcome& outcome) {
  return std::visit(
      Overloaded{
          [](const Exited& exited) { return "exit " + std::to_string(exited.code); },
          [](const Signalled& signalled) { return "killed by " + signal_name(signalled.signal); },
          [](const TimedOut& timed_out) {
            const std::string after = format_duration(timed_out.after);
            switch (timed_out.limit) {
              case TimeLimit::attempt:
                return "timed out after " + after;
              case TimeLimit::idle:
                return "printed nothing for " + after;
              case TimeLimit::stalled:
                return "stalled for " + after;
              case TimeLimit::deadline:
                return "deadline reached after " + after;
            }
            return std::string("timed out");
          },
          [](const NotStarted& not_started) { return "not started: " + not_started.reason; },
      },
      outcome);
}

int exit_code_of(const Outcome& outcome) {
  return std::visit(
      Overloaded{
          [](const Exited& exited) { return exited.code; },
          [](const Signalled& signalled) { return exit_code::signal_base + signalled.signal; },
          [](const TimedOut&) { return exit_code::timed_out; },
          [](const NotStarted& not_started) {
            switch (not_started.error) {
              case ENOENT:
                return exit_code::not_found;
              case EAGAIN:
              case ENOMEM:
              case EMFILE:
              case ENFILE:
                return exit_code::own_failure;  // fork or pipe failed: ours, not its
              default:
                return exit_code::cannot_run;
            }
          },
      },
      outcome);
}

std::string signal_name(int signal) {
  for (const NamedSignal& named : named_signals) {
    if (named.number == signal) return "SIG" + std::string(named.name);
  }
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    return signal == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  }
  return "signal " + std::to_string(signal);
}

std::optional<int> parse_signal(std::string_view text) {
  if (const auto number = text::number_from<int>(text)) {
    return *number >= 1 && *number <= SIGRTMAX ? number : std::nullopt;
  }
  const std::string upper = text::upper_case(text);
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const NamedSignal& named : named_signals) {
    if (named.name == name) return named.number;
  }
  return real_time_signal(name);
}

}  // namespace retry_exec
