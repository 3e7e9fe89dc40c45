#include "rules/evidence/json_member.hpp"

#include <algorithm>
#include <array>

namespace retry_exec::rules {

namespace {

constexpr std::size_t longest_name = 64;
constexpr std::string_view blanks = " \t";

std::size_t past_blanks(std::string_view line, std::size_t at) {
  return std::min(line.find_first_not_of(blanks, at), line.size());
}

// Behind the '"' that ends the string which begins at `at`; npos when none does.
std::size_t string_end(std::string_view line, std::size_t at) {
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\') ++at;
  }
  return at < line.size() ? at + 1 : std::string_view::npos;
}

// The name of the member that begins at `at`, and where its value begins; an empty name when none
// does.
struct Name {
  std::string_view text;
  std::size_t value = 0;
};
Name name_at(std::string_view line, std::size_t at) {
  if (at >= line.size() || line[at] != '"') return {};
  const std::size_t end = string_end(line.substr(0, at + longest_name), at);
  if (end == std::string_view::npos) return {};
  const std::size_t colon = past_blanks(line, end);
  if (colon == line.size() || line[colon] != ':') return {};
  return {line.substr(at + 1, end - at - 2), past_blanks(line, colon + 1)};
}

// The names under which servers say what is wrong, those first that say most.
constexpr std::array<std::array<std::string_view, 5>, 3> telling_names = {{
    {"message", "Message", "msg", "errorMessage", "error_description"},
    {"error", "Error", "reason", "detail", "cause"},
    {"details", "title", "description", "status", "code"},
}};

}  // namespace

bool begins_member(std::string_view line, std::size_t at) {
  const std::size_t before =
      at == 0 ? std::string_view::npos : line.find_last_not_of(blanks, at - 1);
  if (before == std::string_view::npos || (line[before] != '{' && line[before] != ','))
    return false;
  return !name_at(line, at).text.empty();
}

std::string_view telling_member(std::string_view line) {
  std::string_view best;
  std::size_t rank = telling_names.size();
  for (std::size_t at = line.rfind('"'); at != std::string_view::npos && at > 0;
       at = line.rfind('"', at - 1)) {
    const Name name = name_at(line, at);
    if (name.value >= line.size() || line[name.value] != '"' || !begins_member(line, at)) continue;
    const std::size_t end = string_end(line, name.value);
    if (end == std::string_view::npos || end - name.value <= 2) continue;
    for (std::size_t i = 0; i < rank; ++i) {
      const auto& names = telling_names[i];
      if (std::find(names.begin(), names.end(), name.text) == names.end()) continue;
      rank = i;
      best = line.substr(at, end - at);
    }
  }
  return best;
}

}  // namespace retry_exec::rules
