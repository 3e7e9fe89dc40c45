#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace retry_exec::text {

namespace {

struct CodePoints {
  char32_t first;
  char32_t last;
};

// wcwidth(3) knows them only under a UTF-8 locale, which containers and CI often lack.
constexpr std::array combining = {
    CodePoints{0x0300, 0x036f}, CodePoints{0x0483, 0x0489}, CodePoints{0x0591, 0x05bd},
    CodePoints{0x0610, 0x061a}, CodePoints{0x064b, 0x065f}, CodePoints{0x0900, 0x0902},
    CodePoints{0x0e34, 0x0e3a}, CodePoints{0x1ab0, 0x1aff}, CodePoints{0x1dc0, 0x1dff},
    CodePoints{0x200b, 0x200f}, CodePoints{0x20d0, 0x20ff}, CodePoints{0xfe00, 0xfe0f},
    CodePoints{0xfe20, 0xfe2f},
};

constexpr std::array wide = {
    CodePoints{0x1100, 0x115f},   CodePoints{0x2e80, 0x303e},   CodePoints{0x3041, 0xa4cf},
    CodePoints{0xa960, 0xa97c},   CodePoints{0xac00, 0xd7a3},   CodePoints{0xf900, 0xfaff},
    CodePoints{0xfe30, 0xfe6f},   CodePoints{0xff00, 0xff60},   CodePoints{0xffe0, 0xffe6},
    CodePoints{0x1f300, 0x1f64f}, CodePoints{0x1f680, 0x1f6ff}, CodePoints{0x1f900, 0x1faff},
    CodePoints{0x20000, 0x3fffd},
};

// Unicode's Default_Ignorable_Code_Point, and what else a terminal or a page shows as nothing.
constexpr std::array unseen = {
    CodePoints{0x00, 0x1f},       CodePoints{0x7f, 0x9f},       CodePoints{0xad, 0xad},
    CodePoints{0x34f, 0x34f},     CodePoints{0x61c, 0x61c},     CodePoints{0x115f, 0x1160},
    CodePoints{0x17b4, 0x17b5},   CodePoints{0x180b, 0x180f},   CodePoints{0x200b, 0x200f},
    CodePoints{0x2028, 0x202e},   CodePoints{0x2060, 0x206f},   CodePoints{0x2800, 0x2800},
    CodePoints{0x3164, 0x3164},   CodePoints{0xfe00, 0xfe0f},   CodePoints{0xfeff, 0xfeff},
    CodePoints{0xffa0, 0xffa0},   CodePoints{0xfff0, 0xfffb},   CodePoints{0x1bca0, 0x1bca3},
    CodePoints{0x1d173, 0x1d17a}, CodePoints{0xe0000, 0xe0fff},
};

template <std::size_t N>
bool within(const std::array<CodePoints, N>& ranges, char32_t value) {
  return std::any_of(ranges.begin(), ranges.end(), [value](const CodePoints& range) {
    return value >= range.first && value <= range.last;
  });
}

std::size_t width_of(char32_t value) {
  if (within(combining, value)) return 0;
  return within(wide, value) ? 2 : 1;
}

// How many bytes of `text` fit into `columns`.
std::size_t bytes_within(std::string_view text, std::size_t columns) {
  std::size_t used = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const CodePoint point = first_code_point(text.substr(bytes));
    used += width_of(point.value);
    if (used > columns) break;
    bytes += point.length;
  }
  return bytes;
}

// Where the part of `text` begins that fits into `columns` at its end.
std::size_t start_of_last(std::string_view text, std::size_t columns) {
  const std::size_t all = columns_of(text);
  std::size_t before = 0;
  std::size_t start = 0;
  while (start < text.size() && all - before > columns) {
    const CodePoint point = first_code_point(text.substr(start));
    before += width_of(point.value);
    start += point.length;
  }
  return start;
}

constexpr std::string_view ellipsis = "…";

}  // namespace

CodePoint first_code_point(std::string_view text) {
  const auto byte = [text](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4) return {lead, 1, false};
  std::uint32_t value = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {lead, 1, false};
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[length] || value > 0x10ffff || surrogate) return {lead, 1, false};
  return {value, length, true};
}

bool is_unseen(char32_t value) {
  const bool plain = value >= 0x20 && value < 0x7f;
  return !plain && within(unseen, value);
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    columns += width_of(point.value);
    text.remove_prefix(point.length);
  }
  return columns;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (bytes_within(text, columns) == text.size()) return std::string(text);
  if (columns == 0) return {};
  return std::string(text.substr(0, bytes_within(text, columns - 1))).append(ellipsis);
}

std::string fitted_in_the_middle(std::string_view text, std::size_t columns) {
  if (bytes_within(text, columns) == text.size()) return std::string(text);
  if (columns == 0) return {};
  const std::size_t end = (columns - 1) / 2;
  const std::size_t start = columns - 1 - end;
  std::string cut(text.substr(0, bytes_within(text, start)));
  return cut.append(ellipsis).append(text.substr(start_of_last(text, end)));
}

}  // namespace retry_exec::text
