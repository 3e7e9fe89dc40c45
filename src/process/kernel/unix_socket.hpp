// What lies unread in a UNIX socket of another process.
#pragma once

#include <sys/types.h>

#include <optional>

namespace retry_exec {

struct UnixSocket {
  ino_t peer = 0;          // the other end; 0: none
  bool has_input = false;  // bytes that have not been read, or the end
};

// Of the connected socket with this inode; nothing where it is another kind of socket, or the
// kernel does not tell: no sock_diag(7), Linux before 3.3, a sandbox.
std::optional<UnixSocket> unix_socket(ino_t socket);

}  // namespace retry_exec
