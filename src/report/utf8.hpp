// Just enough UTF-8: taking a text apart by code points, and how wide they are on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace retry_exec {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;  // in bytes; 1 where the bytes are no UTF-8
  bool valid = true;
};

// The code point at the start of `text`, which is not empty.
CodePoint first_code_point(std::string_view text);

// Controls and line breaks, and what hides or reorders the text around it (Unicode TR 36, "Trojan
// Source").
bool is_unseen(char32_t value);

// Terminal columns: East Asian wide characters and emoji take two, combining marks none.
std::size_t columns_of(std::string_view text);

// `text` when it fits into `columns`, else as much of its start as does with an ellipsis.
std::string fitted(std::string_view text, std::size_t columns);

// The same, but what is cut is the middle: error messages say where at the start and what at the
// end.
std::string fitted_in_the_middle(std::string_view text, std::size_t columns);

}  // namespace retry_exec
