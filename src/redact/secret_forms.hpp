// The forms that a secret is written in.
#pragma once

#include <functional>
#include <string_view>

namespace retry_exec::redact {

// Calls `f` with what programs print in place of `secret`: base64 (also of something around it, and
// in lines), hexadecimal. Many are the same. How single characters are escaped: escapes.hpp.
void for_each_form(std::string_view secret, const std::function<void(std::string_view)>& f);

}  // namespace retry_exec::redact
