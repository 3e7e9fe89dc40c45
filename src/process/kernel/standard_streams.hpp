// Our own descriptors 0, 1 and 2, as we were given them.
#pragma once

namespace retry_exec {

// Are our stdout and stderr one file, so that the order of what is written to both can be seen?
bool streams_are_one();

}  // namespace retry_exec
