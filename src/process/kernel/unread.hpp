// What lies unread in a pipe or a socket, and whether somebody has read from it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace retry_exec {

struct Unread {
  std::size_t size = 0;     // bytes that could be read now
  bool at_end = false;      // none, and nobody who could still write
  std::string beginning;    // of a pipe or of a message: the first of them, as many as fit
  bool is_message = false;  // of a datagram socket, which tells no more than its first message

  bool operator==(const Unread&) const = default;
};

// Nothing where `fd` is neither a pipe nor a socket. Reads nothing: of a pipe tee(2) copies the
// beginning, of a message recv(2) shows it.
std::optional<Unread> unread(int fd);

// Is it certain that bytes were read in between? Who writes meanwhile hides it from the sizes, but
// not from the beginning. Of messages that are all alike it is not.
bool taken_between(const Unread& before, const Unread& after);

}  // namespace retry_exec
