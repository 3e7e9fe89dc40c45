#include "main/exec/before_retry.hpp"

#include <unistd.h>

namespace retry_exec {

boost::asio::awaitable<Attempt> run_before_retry(Supervisor& supervisor, const Settings& settings,
                                                 const Policy& policy, Assignments variables,
                                                 std::optional<TimePoint> deadline) {
  // Where there is no stderr, the redirection would fail, and end the shell.
  const std::string to_stderr = is_closed(STDERR_FILENO) ? "" : "exec >&2; ";
  const Command command{
      .argv = {"/bin/sh", "-c", to_stderr + *settings.before_retry},
      .environment = std::move(variables),
      // A retry-exec in the script would run the script, and so on.
      .unset = {"RETRY_EXEC_BEFORE_RETRY"},
  };
  constexpr std::size_t enough_to_see_the_last_line = 4096;
  const AttemptOptions options{
      .standard_output = Handling::discard,
      .standard_error = Handling::pass,
      .standard_input = StandardInput::null,
      .pseudo_terminal = settings.pseudo_terminal,
      .capture_limit = enough_to_see_the_last_line,
      .timeout = policy.timeout,
      .idle_timeout = {},  // waiting for something is what it may be there for
      .deadline = deadline,
      .first_signal = settings.signal,
      .kill_after = policy.kill_after,
      .drain_grace = settings.drain_grace,
      .drain_limit = settings.drain_limit,
      .on_output = {},
  };
  co_return co_await supervisor.run(command, options);
}

}  // namespace retry_exec
