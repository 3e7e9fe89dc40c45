// What other processes have open, as /proc tells it.
#pragma once

#include "values/file_id.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace retry_exec {

// A descriptor of a process.
struct OpenFile {
  FileId id;
  int fd = -1;
  mode_t type = 0;  // S_IFIFO, S_IFSOCK, S_IFREG, …
  bool is_read = false;
  bool is_written = false;

  // A pipe, with a name or without, or a socket: what another process may be at the other end of.
  bool is_stream() const;
};

// Nothing where the system does not tell: a process of another user, or one that has ended.
std::optional<std::vector<OpenFile>> open_files(pid_t process);

// Opens it anew.
std::string path_of(pid_t process, int fd);

}  // namespace retry_exec
