// Signals that ask us to end.
#pragma once

#include <optional>

namespace retry_exec {

// HUP, INT, QUIT and TERM do.
bool asks_to_end(int signal);

// nohup(1) and shells without job control start us with some of them ignored: they ask for nothing.
bool is_ignored(int signal);

// Was it blocked when we were started? The command's mask is the same: it is for the command to
// take it or to leave it.
bool was_blocked(int signal);

// The one that is blocked by us and waits to be dealt with, if any does.
std::optional<int> pending_end_request();

}  // namespace retry_exec
