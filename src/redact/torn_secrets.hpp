// Halves of a secret that a cut or the end of a line has left of it.
#pragma once

#include <cstddef>
#include <string_view>

namespace retry_exec::redact {

// The length of the longest end of `secret` that `text` begins with, and of the longest start of it
// that `text` ends with; 0 where that is short, or may be a word or a number of its own.
std::size_t torn_at_start(std::string_view text, std::string_view secret);
std::size_t torn_at_end(std::string_view text, std::string_view secret);

}  // namespace retry_exec::redact
