// Writing a text whole, to a descriptor that may be slow, full or shared.
#pragma once

#include <retry_exec/quantity.hpp>

#include <string_view>

namespace retry_exec {

// Writes `text`, however slowly it is read and whether or not `fd` is non-blocking. Returns 0, or
// the errno of what kept it from being written: ETIMEDOUT at `give_up`, and EINTR when a signal
// that asks us to end is pending, so that a reader who does not read cannot hold us.
int write_all(int fd, std::string_view text, TimePoint give_up = TimePoint::max());

// The same; afterwards `rest` is what has not been written.
int write_rest(int fd, std::string_view& rest, TimePoint give_up);

// A new descriptor of the pipe or terminal behind `fd` with an open file description of its own
// that does not block: O_NONBLOCK on the description of `fd` would be felt by all who share it. -1
// where there can be none.
int open_non_blocking(int fd);

}  // namespace retry_exec
