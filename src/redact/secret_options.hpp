// What an option or an assignment says of a secret, whatever program it is of.
#pragma once

#include "redact/secret_places.hpp"

#include <cstddef>
#include <string_view>

namespace retry_exec::redact {

// Digits, and nothing else.
bool is_number(std::string_view text);

// Where what is behind `separator` begins; of user:X where X does. The size of `value` without one.
std::size_t behind(std::string_view value, char separator);
// user:X@host, in whose place a text has no pattern where the host is a mere word.
std::size_t behind_user_at_host(std::string_view value);
std::size_t behind_user(std::string_view value);

// Where the secret begins in `value`, the word behind `option` of any program.
std::size_t secret_start(std::string_view option, std::string_view value, Words kind);

// The same of a word that is itself an option or an assignment.
std::size_t secret_start(std::string_view word, Words kind);

}  // namespace retry_exec::redact
