#include "rules/evidence/own_lines.hpp"

#include <algorithm>

namespace retry_exec::rules {

bool is_json_of(std::string_view program, std::string_view line) {
  constexpr std::string_view time = R"({"time":")";
  constexpr std::string_view name = R"(","program":")";
  if (!line.starts_with(time)) return false;
  line.remove_prefix(std::min(line.find('"', time.size()), line.size()));
  if (!line.starts_with(name)) return false;
  line.remove_prefix(name.size());
  return line.starts_with(program) && line.substr(program.size()).starts_with('"');
}

}  // namespace retry_exec::rules
