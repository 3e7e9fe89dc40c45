// What processes have done so far, as the kernel counts it.
#pragma once

#include "stall.hpp"

#include <retry_exec/error.hpp>

#include <sys/types.h>

#include <vector>

namespace retry_exec {

// What counts: the bytes of read(2), write(2) and the like (/proc/PID/io), those of TCP connections
// (sock_diag(7): recv(2) and send(2) are in no file of /proc), and processor time. Not counted are
// datagrams and UNIX sockets that are read by recv(2).
//
// An error where something of it cannot be seen: a process of another user, or one in a network
// namespace of its own; no /proc; a sandbox. Processes that have ended are left out.
Result<Activity> activity_of(std::vector<pid_t> processes);

}  // namespace retry_exec
