// What stands behind HeldOutput.
#pragma once

#include "spill_buffer.hpp"

#include <retry_exec/process.hpp>

namespace retry_exec {

struct HeldOutput::State {
  SpillBuffer buffer;
};

}  // namespace retry_exec
