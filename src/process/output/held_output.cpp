#include "held_output.hpp"

namespace retry_exec {

HeldOutput::HeldOutput() = default;
HeldOutput::HeldOutput(HeldOutput&&) noexcept = default;
HeldOutput& HeldOutput::operator=(HeldOutput&&) noexcept = default;
HeldOutput::~HeldOutput() = default;

std::uint64_t HeldOutput::size() const {
  return state ? state->buffer.size() : 0;
}

}  // namespace retry_exec
