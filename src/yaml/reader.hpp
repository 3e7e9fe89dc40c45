// The recursive-descent reader behind yaml::parse.
#pragma once

#include <retry_exec/yaml.hpp>

namespace retry_exec::yaml {

// Where the reader stands in the text.
class Cursor {
 public:
  Cursor(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  bool at_end() const { return at_ >= text_.size(); }
  // '\0' past the end; NUL bytes are refused before reading begins.
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool at_break() const {
    return at_end() || peek() == '\n' || (peek() == '\r' && peek(1) == '\n');
  }
  bool behind_blank() const { return at_ > 0 && (text_[at_ - 1] == ' ' || text_[at_ - 1] == '\t'); }
  bool at_space() const { return peek() == ' ' || peek() == '\t'; }
  // A blank, a line break or the end, `ahead` bytes from here.
  bool gap_at(std::size_t ahead) const;
  // "---" or "..." alone at the start of a line.
  bool at_marker() const;
  bool finished() const { return at_end() || at_marker(); }

  // From here to before the line break.
  std::string_view rest_of_line() const {
    std::string_view rest = text_.substr(at_, text_.find('\n', at_) - at_);
    if (rest.ends_with('\r') && at_ + rest.size() < text_.size()) rest.remove_suffix(1);
    return rest;
  }
  void advance(std::size_t bytes = 1) { at_ += bytes; }
  void next_line();  // past the line break
  void skip_spaces();
  // Past blanks, comments and line breaks; true when a line break was among them.
  bool skip_to_content();

  int column() const { return static_cast<int>(at_ - line_start_); }
  unsigned line() const { return line_; }
  std::size_t offset() const { return at_; }
  std::string_view from(std::size_t begin) const { return text_.substr(begin, at_ - begin); }
  Position here() const;

  struct State {
    std::size_t at;
    std::size_t line_start;
    unsigned line;
  };
  State state() const { return {at_, line_start_, line_}; }
  void restore(const State& state);

 private:
  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  unsigned line_ = 1;
};

// Ends the reading. Thrown inside the reader only; outside it is a value.
[[noreturn]] void refuse(Position where, std::string what);

// Scalars: each reads one, from its first byte to behind its last. `indent` is the column of the
// block that the scalar stands in; lines that belong to the scalar are further in.
enum class Context { block, flow };
Node read_plain(Cursor& cursor, int indent, Context context);
Node read_single_quoted(Cursor& cursor, int indent);
Node read_double_quoted(Cursor& cursor, int indent);
Node read_block_scalar(Cursor& cursor, int indent);

}  // namespace retry_exec::yaml
