// Our own descriptors 0, 1 and 2, as we were given them.
#pragma once

namespace retry_exec {

// Were two descriptors opened as one, so that where one reads or writes next is where the other
// does?
bool share_a_position(int a, int b);

// Are our stdout and stderr one file, so that the order of what is written to both can be seen?
bool streams_are_one();

}  // namespace retry_exec
