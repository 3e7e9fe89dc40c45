// The processes below us: who they are, how to end them.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

namespace retry_exec {

// Makes us the process that orphaned grandchildren come to, wherever they hid (setsid, a double
// fork): prctl(2), PR_SET_CHILD_SUBREAPER.
void become_subreaper();

// Have we any child at all? One system call, so that the usual answer, no, costs nothing.
bool has_children();

// All processes below us, children first, without `spared` and what is below those. One that starts
// at the same time may be missing, and where /proc is not of our pid namespace none can be seen.
std::vector<pid_t> descendants(std::span<const pid_t> spared);

// Those below `pid`.
std::vector<pid_t> descendants_of(pid_t pid);

// Is `pid` below us, and not below one of `spared`? A dead one counts until it has been reaped.
bool is_descendant(pid_t pid, std::span<const pid_t> spared);

// Our own children alone: quicker than a process forks, which descendants() is not.
std::vector<pid_t> children();

// Is `pid` stopped (SIGSTOP, SIGTSTP)? It then acts on nothing but KILL and CONT.
bool is_stopped(pid_t pid);

// Is our process group orphaned: has none of its members a parent in another group of our session,
// who could continue it? False where /proc does not tell.
bool in_orphaned_group();

// What proc(5) calls it, printable; "?" where that is not told.
std::string name_of(pid_t pid);

// The living members of process group `group`.
std::vector<pid_t> group_members(pid_t group);

// Collects the children that have ended, except `awaited`, whose status is waited for elsewhere.
void reap_orphans(std::span<const pid_t> awaited);

}  // namespace retry_exec
