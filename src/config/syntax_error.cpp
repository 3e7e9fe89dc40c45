// yaml-cpp names a rule of its grammar ("end of map not found"), and where it noticed. What a user
// needs to hear follows from what stands there and from what was being read.

#include "config/tree_builder.hpp"

#include <algorithm>
#include <array>

namespace retry_exec::config {

bool TreeBuilder::gap_at(std::size_t offset) const {
  const char c = at(offset);
  return c == '\0' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t TreeBuilder::line_start(std::size_t offset) const {
  const std::size_t end = source_.substr(0, offset).rfind('\n');
  return end == std::string_view::npos ? 0 : end + 1;
}

Position TreeBuilder::position(std::size_t offset) const {
  const auto lines =
      std::count(source_.begin(), source_.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  return {file_, static_cast<unsigned>(lines) + 1,
          static_cast<unsigned>(offset - line_start(offset)) + 1};
}

// Behind the last text before `mark`, blanks and comments left out.
Position TreeBuilder::behind_last_text(const YAML::Mark& mark) const {
  auto offset = static_cast<std::size_t>(mark.pos);
  for (auto line = static_cast<unsigned>(mark.line) + 1;; --line) {
    const std::size_t start = line_start(offset);
    std::string_view text = source_.substr(start, offset - start);
    text = text.substr(0, text.starts_with('#') ? 0 : std::min(text.find(" #"), text.find("\t#")));
    const std::size_t last = text.find_last_not_of(" \t\r");
    if (last != std::string_view::npos) return {file_, line, static_cast<unsigned>(last) + 2};
    if (start == 0) return {file_, line, 1};
    offset = start - 1;
  }
}

namespace {

constexpr std::string_view indented_by_tab = "a tab in the indentation; YAML indents with spaces";
constexpr std::string_view header_end =
    "after '|' or '>' comes the end of the line; a text that begins so needs quotes";

struct Wording {
  std::string_view theirs;
  std::string_view ours;
};

// What needs no look at what stands there.
const std::array wordings = {
    Wording{YAML::ErrorMsg::BLOCK_ENTRY, "a list after a key begins on its own line"},
    Wording{YAML::ErrorMsg::MAP_KEY, "a '?' that begins a key, inside a value"},
    Wording{YAML::ErrorMsg::CHAR_IN_BLOCK, header_end},
    Wording{YAML::ErrorMsg::ZERO_INDENT_IN_BLOCK, header_end},
    Wording{YAML::ErrorMsg::TAB_IN_INDENTATION, indented_by_tab},
};

const std::array escapes = {
    Wording{YAML::ErrorMsg::INVALID_HEX, "an escape that lacks hexadecimal digits"},
    Wording{YAML::ErrorMsg::INVALID_UNICODE, "an escape that is not a character"},
    Wording{YAML::ErrorMsg::INVALID_ESCAPE,
            "unknown escape in double quotes; single quotes take a backslash as it is"},
};

}  // namespace

Error TreeBuilder::explain(const YAML::ParserException& exception) const {
  const std::string_view theirs = exception.msg;
  const auto offset = std::min(static_cast<std::size_t>(std::max(exception.mark.pos, 0)), size_);
  for (const Wording& wording : escapes) {
    if (!theirs.starts_with(wording.theirs)) continue;
    const std::size_t backslash = source_.substr(0, offset).rfind('\\');
    return {position(std::min(backslash, offset)), std::string(wording.ours)};
  }
  const std::size_t start = line_start(offset);
  const std::string_view indentation =
      source_.substr(start, std::min(source_.find_first_not_of(" \t", start), offset) - start);
  if (indentation.find('\t') != std::string_view::npos) {
    return {position(start), std::string(indented_by_tab)};
  }
  for (const Wording& wording : wordings) {
    if (theirs == wording.theirs) return {position(offset), std::string(wording.ours)};
  }
  if (theirs == YAML::ErrorMsg::MAP_VALUE) return wrong_colon(offset);
  const bool flow = !open_.empty() && open_.back().flow;
  if (flow) return wrong_in_flow(open_.back(), offset);
  return wrong_in_block(open_.empty() ? nullptr : &open_.back(), offset);
}

Error TreeBuilder::wrong_colon(std::size_t offset) const {
  const std::size_t text = source_.find_first_not_of(" \t", line_start(offset));
  if (folded_ && text < offset) {
    return {position(text),
            "a key in the middle of a text; is the line indented too far, or a quote missing?"};
  }
  return {position(offset),
          "a ':' that begins a value, inside a value; a text with ': ' in it needs quotes"};
}

Error TreeBuilder::wrong_in_flow(const Open& around, std::size_t offset) const {
  const bool list = around.node.kind == Node::Kind::sequence;
  if (offset == size_) {
    return {around.node.where, std::string("this '") + (list ? '[' : '{') + "' is never closed"};
  }
  if (const std::string reserved = reserved_at(at(offset));
      !reserved.empty() && at(offset) != ']' && at(offset) != '}') {
    return {position(offset), reserved};
  }
  const Position here = position(offset);
  std::string what = std::string("',' or '") + (list ? ']' : '}') + "' was expected here";
  if (here.line != around.node.where.line) {
    what += std::string(", in the ") + (list ? "list" : "mapping") + " that begins on line " +
            std::to_string(around.node.where.line);
  }
  return {here, std::move(what)};
}

// `around` is nullptr behind the end of the outermost value.
Error TreeBuilder::wrong_in_block(const Open* around, std::size_t offset) const {
  const Position here = position(offset);
  if (const std::string reserved = reserved_at(at(offset)); !reserved.empty())
    return {here, reserved};
  const std::size_t start = line_start(offset);
  if (source_.substr(start, offset - start).find_first_not_of(" -\t") != std::string_view::npos) {
    return {here, "more text after the end of a value; a quote inside quotes is written twice"};
  }
  if (around == nullptr) {
    return {here, "the indentation of this line does not match what is above it"};
  }
  const bool mapping = around->node.kind == Node::Kind::mapping;
  if (here.column > around->node.where.column) {
    return {here, std::string("this is indented further than the ") +
                      (mapping ? "key" : "list item") + " above it"};
  }
  if (!mapping) return {here, "'- ' was expected here: the list above goes on"};
  if (at(offset) == '-' && gap_at(offset + 1)) {
    return {here, "a list item where a key was expected"};
  }
  return {here, "'key: value' was expected here"};
}

}  // namespace retry_exec::config
