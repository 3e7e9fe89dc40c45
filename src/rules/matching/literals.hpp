// What a text must contain for a pattern to match, read off the pattern.
#pragma once

#include "rules/matching/byte_set.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

// A text that bars a literal where it follows: the 503 of "503 bytes" is not a status. Letters are
// compared as they are, which under (?i) bars less than the pattern does.
struct Bar {
  std::string text;
  ByteSet after = ByteSet::all();
  bool operator==(const Bar&) const = default;
};
using Bars = std::shared_ptr<const std::vector<Bar>>;  // of many literals

// A text of three bytes or more, letters compared without case, and what stands around it: "503" is
// in any log, " 503" that no digit follows is not.
struct Literal {
  std::string text;
  ByteSet before = ByteSet::all();  // the byte before it, or the beginning of the text
  ByteSet after = ByteSet::all();   // the byte behind it, or the end of the text
  Bars bars = {};                   // nullptr: none are known
  std::uint32_t reach = 0;          // so many bytes before it a match may begin
};
inline constexpr std::uint32_t any_reach = UINT32_MAX;  // anywhere before it

// One way in which a pattern can match.
struct Need {
  std::vector<Literal> any_of;  // it holds one of these
  // And one of these, where there are any: common words and numbers tell little by themselves, but
  // both on one line do.
  std::vector<Literal> with;
};

struct Needs {
  // A match fits one of these. None: no such literals can be told, and it may be anywhere.
  std::vector<Need> any_of;
  // A match cannot hold a line break, so that all that it needs stands on one line.
  bool one_line = false;
};

Needs needs_of(std::string_view pattern);

}  // namespace retry_exec::rules
