#include "redact/command_words.hpp"

#include "redact/secret_patterns.hpp"

#include <retry_exec/text.hpp>

#include <array>

namespace retry_exec::redact {

namespace {

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_letter_or_digit(char c) {
  return text::is_word_character(c) && c != '_';
}

bool is_one_of(char c, std::string_view characters) {
  return characters.find(c) != std::string_view::npos;
}

// The character so many before the last; a blank where there is none.
char end_of(std::string_view text, std::size_t before_last) {
  return before_last < text.size() ? text[text.size() - 1 - before_last] : ' ';
}

constexpr std::string_view quotes = "\"'`";
constexpr std::string_view openers = "[{(";
constexpr std::string_view closers = ")]},:.";

class WordReader {
 public:
  explicit WordReader(const Word& source) : source_(source), text_(source.text) {}

  std::vector<Word> words() {
    while (i_ < text_.size()) {
      const char c = text_[i_];
      if (is_blank(c) || is_one_of(c, ",)]}") || (is_one_of(c, openers) && !at_redacted())) {
        ++i_;
      } else if (at_list()) {
        i_ += 2;
      } else if (is_one_of(c, ";|&<")) {
        take_operator(c);
      } else {
        take_word();
      }
    }
    return std::move(words_);
  }

 private:
  bool at_redacted() const { return text_.substr(i_).starts_with(redacted); }

  // A list that stands in the same quotes as its words do: Command '['docker', 'login']'.
  bool at_list() const {
    return i_ + 2 < text_.size() && is_one_of(text_[i_], "\"'") &&
           is_one_of(text_[i_ + 1], openers) && text_[i_ + 2] == text_[i_];
  }

  void begin() {
    words_.emplace_back();
    words_.back().begin = source_.at[i_];
  }

  void end() {
    words_.back().end = i_ == 0 ? source_.begin : source_.at[i_ - 1] + 1;
    words_.back().at.push_back(source_.at[last_]);
  }

  void append() {
    words_.back().text += text_[i_];
    words_.back().at.push_back(source_.at[i_]);
    last_ = ++i_;
  }

  void take_operator(char c) {
    begin();
    while (i_ < text_.size() && text_[i_] == c) append();
    end();
  }

  void take_word() {
    begin();
    in_path_ = false;
    last_ = i_;
    const std::size_t first = i_;
    while (i_ < text_.size() && !ends_here(first)) {
      if (at_redacted()) {
        for (std::size_t n = redacted.size(); n > 0; --n) append();
      } else if (!take_quoted(first)) {
        if (text_[i_] == '\\' && i_ + 1 < text_.size() && !keeps_backslash()) ++i_;
        append();
      }
    }
    end();
    if (i_ > first) return;
    words_.pop_back();
    ++i_;
  }

  // A word ends at a blank or an operator, and where nothing but closing punctuation is left.
  bool ends_here(std::size_t first) const {
    const char c = text_[i_];
    if (is_blank(c) || is_one_of(c, ";|&")) return true;
    if (c == '<' && i_ == first) return true;
    if (!is_one_of(c, closers) || at_redacted()) return false;
    std::size_t next = i_;
    while (next < text_.size() && next < i_ + 8 && is_one_of(text_[next], closers)) ++next;
    if (c == ':' && next == i_ + 1) return false;  // "X-Key: value"
    return next == text_.size() || is_blank(text_[next]) || is_one_of(text_[next], "\"'`\\;|&[");
  }

  // Not an escape of a shell's: C:\Tools\nuget.exe, .\nuget.exe, expect's send X\r.
  bool keeps_backslash() {
    const std::string_view before = text_.substr(0, i_);
    const bool current = before.ends_with('.');
    const bool drive =
        before.size() > 1 && before.ends_with(':') && is_letter_or_digit(end_of(before, 1));
    const std::size_t start = current ? 1 : 2;
    if ((current || drive) && !is_letter_or_digit(end_of(before, start))) in_path_ = true;
    const bool ends =
        i_ + 2 == text_.size() || is_blank(text_[i_ + 2]) || is_one_of(text_[i_ + 2], ";|&\"'}]");
    return in_path_ || (ends && is_one_of(text_[i_ + 1], "rn"));
  }

  // Whether a quote may open here: not behind a letter, as in "don't", unless it is an option's.
  bool may_open(std::size_t first) const {
    if (i_ == first || !is_letter_or_digit(text_[i_ - 1])) return true;
    return text_[first] == '-' && i_ <= first + 3;
  }

  bool take_quoted(std::size_t first) {
    constexpr std::size_t most_escapes = 7;
    std::size_t escapes = 0;
    while (escapes < most_escapes && i_ + escapes + 1 < text_.size() &&
           text_[i_ + escapes] == '\\') {
      ++escapes;
    }
    const char quote = text_[i_ + escapes];
    const std::size_t kind = quotes.find(quote);
    if (kind == std::string_view::npos || !may_open(first)) return false;
    const std::string_view mark = text_.substr(i_, escapes + 1);
    const std::size_t close = closing(mark, kind * (most_escapes + 1) + escapes);
    if (close == std::string_view::npos) return false;
    i_ += mark.size();
    last_ = i_;
    while (i_ < close) {
      const std::string_view rest = text_.substr(i_);
      if (quote == '\'' && rest.starts_with("'\\''")) i_ += 2;
      if (quote == '"' && escapes == 0 && (rest.starts_with("\\\"") || rest.starts_with("\\\\")))
        ++i_;
      append();
      if (quote == '\'' && rest.starts_with("'\\''")) ++i_;
    }
    last_ = close;
    i_ = close + mark.size();
    return true;
  }

  // Where `mark` closes what it has opened at i_: before no letter, as in "isn't".
  std::size_t closing(std::string_view mark, std::size_t kind) {
    if (unclosed_[kind]) return std::string_view::npos;
    for (std::size_t at = i_ + mark.size(); (at = text_.find(mark, at)) != std::string_view::npos;
         ++at) {
      const std::size_t behind = at + mark.size();
      const bool escaped = text_[at - 1] == '\\' && mark.back() != '\'' && at > i_ + mark.size();
      if (escaped) continue;
      if (mark == "'" && text_.substr(at).starts_with("'\\''")) {
        at += 3;
        continue;
      }
      if (behind == text_.size() || !is_letter_or_digit(text_[behind])) return at;
    }
    unclosed_[kind] = true;
    return std::string_view::npos;
  }

  const Word& source_;
  std::string_view text_;
  std::size_t i_ = 0;
  bool in_path_ = false;             // of Windows
  std::size_t last_ = 0;             // the end of what was appended last
  std::array<bool, 24> unclosed_{};  // what opens from here on has nothing that closes it
  std::vector<Word> words_;
};

}  // namespace

Word whole(std::string_view text) {
  Word word{.text = std::string(text), .at = {}, .begin = 0, .end = text.size()};
  word.at.resize(text.size() + 1);
  for (std::size_t i = 0; i <= text.size(); ++i) word.at[i] = i;
  return word;
}

std::vector<Word> words_of(const Word& text) {
  return WordReader(text).words();
}

bool ends_a_command(std::string_view word) {
  return !word.empty() && (word[0] == ';' || word[0] == '|' || word[0] == '&');
}

}  // namespace retry_exec::redact
