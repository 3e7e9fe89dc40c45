// Filters between the command and our pipes, such as the tee of `exec > >(tee log) 2>&1`: what the
// command has said is in their hands when it ends.
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

namespace retry_exec {

// Which file a descriptor stands for.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;

  static FileId of(int fd);  // no file at all has inode 0
};

// Those of `processes` that read what `command` prints on either stream, or what another of them
// prints on stderr. They end by themselves once there is nobody who writes to them.
std::vector<pid_t> log_filters(pid_t command, std::span<const pid_t> processes);

// Whether one of `processes` prints to one of `outputs` and reads a pipe, other than
// `standard_input`, to which nobody writes any more: it is on its way to the end of its input, and
// has its last words to say there.
bool has_filter_at_work(std::span<const pid_t> processes, std::span<const FileId> outputs,
                        FileId standard_input);

}  // namespace retry_exec
