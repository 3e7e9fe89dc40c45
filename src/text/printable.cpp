#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec::text {

namespace {

constexpr char escape = '\x1b';
constexpr char bell = '\a';

bool between(char c, char first, char last) {
  return c >= first && c <= last;
}

// Parameters, intermediates and the final byte of a control sequence (ECMA-48, 5.4).
std::size_t length_of_csi_rest(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && between(text[n], '\x20', '\x3f')) ++n;
  return n < text.size() && between(text[n], '\x40', '\x7e') ? n + 1 : n;
}

class Cleaner {
 public:
  explicit Cleaner(std::string_view text) : text_(text) { clean_.reserve(text.size()); }

  std::string run() {
    while (at_ < text_.size()) step();
    while (clean_.ends_with(' ')) clean_.pop_back();
    return std::move(clean_);
  }

 private:
  void step() {
    const CodePoint point = first_code_point(text_.substr(at_));
    if (!point.valid) {
      clean_ += '?';
      at_ += 1;
    } else if (text_[at_] == escape) {
      skip_escape_sequence();
    } else {
      take(point);
    }
  }

  void take(const CodePoint& point) {
    const std::string_view bytes = text_.substr(at_, point.length);
    at_ += point.length;
    if (is_line_break_or_tab(point.value)) {
      if (!clean_.empty() && !clean_.ends_with(' ')) clean_ += ' ';
    } else if (point.value == 0x9b) {
      at_ += length_of_csi_rest(text_.substr(at_));
    } else if (!is_unseen(point.value)) {
      clean_ += bytes;
    }
  }

  static bool is_line_break_or_tab(char32_t value) {
    return (value >= '\t' && value <= '\r') || value == 0x85 || value == 0x2028 || value == 0x2029;
  }

  void skip_escape_sequence() {
    ++at_;
    if (at_ == text_.size()) return;
    const char kind = text_[at_];
    if (kind == '[') {
      ++at_;
      at_ += length_of_csi_rest(text_.substr(at_));
    } else if (std::string_view("]PX^_").find(kind) != std::string_view::npos) {
      ++at_;
      skip_string();
    } else {
      while (at_ < text_.size() && between(text_[at_], '\x20', '\x2f')) ++at_;
      if (at_ < text_.size() && between(text_[at_], '\x30', '\x7e')) ++at_;
    }
  }

  // The string of an OSC, DCS, SOS, PM or APC ends with BEL or ESC \. One that does not end on its
  // line is not such a string, or it could hide the rest of the output.
  void skip_string() {
    if (at_ < unended_until_) return;
    const std::size_t end = text_.find_first_of("\a\n\x1b", at_);
    if (end == std::string_view::npos || text_[end] == '\n') {
      unended_until_ = std::min(end, text_.size());
    } else if (text_[end] == bell) {
      at_ = end + 1;
    } else if (text_.substr(end).starts_with("\x1b\\")) {
      at_ = end + 2;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t unended_until_ = 0;  // no string ends before here
  std::string clean_;
};

}  // namespace

std::string printable(std::string_view text) {
  return Cleaner(text).run();
}

}  // namespace retry_exec::text
