#include "yaml/reader.hpp"

namespace retry_exec::yaml {

bool Cursor::gap_at(std::size_t ahead) const {
  if (at_ + ahead >= text_.size()) return true;
  const char c = text_[at_ + ahead];
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool Cursor::at_marker() const {
  if (at_ != line_start_) return false;
  const std::string_view three = text_.substr(at_, 3);
  return (three == "---" || three == "...") && gap_at(3);
}

void Cursor::next_line() {
  if (peek() == '\r') ++at_;
  if (!at_end()) ++at_;
  line_start_ = at_;
  ++line_;
}

void Cursor::skip_spaces() {
  while (at_space()) ++at_;
}

bool Cursor::skip_to_content() {
  bool crossed = false;
  for (;;) {
    const bool at_line_start = at_ == line_start_;
    const std::size_t begin = at_;
    skip_spaces();
    if (peek() == '#' && (at_ == line_start_ || behind_blank())) {
      at_ += rest_of_line().size();
    }
    if (at_end() || !at_break()) {
      const bool indented_by_tab =
          at_line_start && from(begin).find('\t') != std::string_view::npos;
      if (indented_by_tab && !at_end() && peek() != ']' && peek() != '}') {
        refuse({file_, line_, 1}, "a tab in the indentation; YAML indents with spaces");
      }
      return crossed;
    }
    next_line();
    crossed = true;
    if (at_marker()) return crossed;
  }
}

Position Cursor::here() const {
  return {file_, line_, static_cast<unsigned>(column()) + 1};
}

void Cursor::restore(const State& state) {
  at_ = state.at;
  line_start_ = state.line_start;
  line_ = state.line;
}

}  // namespace retry_exec::yaml
