#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <utility>

namespace retry_exec {

namespace {

constexpr std::string_view erase_to_line_end = "\x1b[K";
constexpr std::string_view erase_below = "\x1b[J";

// To the first column, so many lines up.
std::string up(std::size_t lines) {
  return lines == 0 ? "\r" : "\r\x1b[" + std::to_string(lines) + 'A';
}

}  // namespace

std::string StatusBlock::draw(std::span<const std::string> rows, std::size_t columns,
                              std::size_t lines) {
  // The line below the block is the cursor's; a row as wide as the terminal would wrap on some.
  const std::size_t room = lines > 1 ? lines - 1 : 1;
  const std::size_t width = columns > 1 ? columns - 1 : 1;
  const bool all = rows.size() <= room;
  const std::size_t shown = all ? rows.size() : room - 1;
  std::string text = drawn_ == 0 ? "" : up(drawn_);
  for (const std::string& row : rows.first(shown)) {
    text += text::fitted(text::printable(row), width);
    text.append(erase_to_line_end).append("\n");
  }
  if (!all) {
    text += text::fitted("… and " + std::to_string(rows.size() - shown) + " more", width);
    text.append(erase_to_line_end).append("\n");
  }
  drawn_ = all ? shown : room;
  return text.append(erase_below);
}

std::string StatusBlock::erase() {
  if (drawn_ == 0) return {};
  return up(std::exchange(drawn_, 0)).append(erase_below);
}

}  // namespace retry_exec
