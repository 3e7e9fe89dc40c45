// Filters between the command and our pipes, such as the tee of `exec > >(tee log) 2>&1`: what the
// command has said is in their hands when it ends.
#pragma once

#include "process/kernel/open_files.hpp"

#include <sys/types.h>

#include <span>
#include <vector>

namespace retry_exec {

// Those of `processes` that read what `command` prints on either stream, or what another of them
// prints on stderr. They end by themselves once no process writes to them.
std::vector<pid_t> log_filters(pid_t command, std::span<const pid_t> processes);

// Those of `processes` that could still write to one of `outputs`.
std::vector<pid_t> writers_of(std::span<const FileId> outputs, std::span<const pid_t> processes);

// Those of `processes` that print to one of `outputs` and read a pipe or a socket.
std::vector<pid_t> filters_before(std::span<const FileId> outputs, std::span<const pid_t> processes,
                                  FileId standard_input);

// Whether one of `processes` has still to pass on what it is given: it writes to one of `outputs`,
// itself or by way of others, and in a pipe or a socket that it reads there is something, or the
// end. Also true where no process is seen to write to them, but one cannot be looked into.
//
// As what a filter reads, `standard_input` does not count, nor does what we have open ourselves:
// the command inherited it.
bool has_filter_at_work(std::span<const pid_t> processes, std::span<const FileId> outputs,
                        FileId standard_input);

}  // namespace retry_exec
