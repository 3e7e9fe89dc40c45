// Lines that our programs write between those of a command.
#pragma once

#include <string_view>

namespace retry_exec::rules {

// Whether `line` is of a log of `program` in JSON, whose lines begin with the time and its name.
bool is_json_of(std::string_view program, std::string_view line);

// What a line, as seen, is that a retry-exec inside the command may have written.
enum class OwnLine {
  // The command's, or one by which the run itself is the cause: it could not run the command,
  // failed of its own, was not called right, or ended with an attempt at a limit.
  cause,
  // How the run goes: what its command said of that stands there, too, and what the run makes of it
  // is not a cause.
  of_a_run,
  attempt_at_limit,  // a cause, but where another attempt follows
  another_attempt,   // of a run, and one follows
  end_of_run,        // of a run, and none follows
};
OwnLine own_line(std::string_view line);

}  // namespace retry_exec::rules
