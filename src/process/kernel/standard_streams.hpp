// Our own descriptors 0, 1 and 2, as we were given them; more of them in process.hpp.
#pragma once

namespace retry_exec {

// Were two descriptors opened as one, so that where one reads or writes next is where the other
// does?
bool share_a_position(int a, int b);

}  // namespace retry_exec
