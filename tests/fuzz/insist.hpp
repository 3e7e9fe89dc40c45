// What all fuzz targets share: how they say what does not hold, and what may be printed.
#pragma once

#include <retry_exec/text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

inline void insist(bool holds, const char* what, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  retry_exec::text::for_each_part(text, '\n',
                                  [&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

// Valid UTF-8 that hides nothing; with `lines`, line breaks and tabs are as good.
inline void insist_on_printable(std::string_view text, bool lines) {
  const std::string_view whole = text;
  while (!text.empty()) {
    const auto point = retry_exec::text::first_code_point(text);
    const bool kept = lines && (point.value == '\n' || point.value == '\t');
    insist(point.valid && (kept || !retry_exec::text::is_unseen(point.value)), "not printable",
           whole);
    text.remove_prefix(point.length);
  }
}

}  // namespace fuzz
