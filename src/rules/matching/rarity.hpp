#pragma once

#include <string_view>

namespace retry_exec::rules {

// How rare `literal` is in what commands print, in bits, roughly.
int rarity_of(std::string_view literal);

}  // namespace retry_exec::rules
