// How programs write characters that mean something where they stand: in JSON, addresses, HTML,
// source text and shells.
#pragma once

#include <cstddef>
#include <string_view>

namespace retry_exec::redact {

// The length of what `text` begins with when that is `plain`, any of whose characters may be
// escaped, also where it was wrapped at the end of a line; else 0. `plain` is not empty.
std::size_t length_of_escaped(std::string_view text, std::string_view plain);

// Whether `text`, which is not empty, may begin with an escaped character.
bool may_begin_an_escape(std::string_view text);

}  // namespace retry_exec::redact
