// Numbers of things, as people say them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace retry_exec::text {

// "1 rule", "2 rules".
inline std::string counted(std::uint64_t number, std::string_view thing) {
  return std::to_string(number) + ' ' + std::string(thing) + (number == 1 ? "" : "s");
}

}  // namespace retry_exec::text
