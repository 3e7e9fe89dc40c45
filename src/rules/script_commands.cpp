#include "rules/script_commands.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace retry_exec::rules {

namespace {

constexpr std::size_t longest_script = std::size_t{64} << 10;
constexpr std::size_t most_commands = 1000;

template <std::size_t n>
bool is_one_of(std::string_view word, const std::array<std::string_view, n>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Words behind which a command begins as if nothing stood there.
bool is_prefix(std::string_view word) {
  constexpr std::array<std::string_view, 12> keywords = {
      "if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "command", "exec"};
  if (is_one_of(word, keywords)) return true;
  const std::size_t equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         word.find_first_of("/-") > equals;  // FOO=/x, not --foo=x
}

// Words behind which nothing is a command up to the next separator.
bool is_no_command(std::string_view word) {
  constexpr std::array<std::string_view, 8> words = {"for",  "case", "esac", "fi",
                                                     "done", "in",   "}",    "function"};
  return is_one_of(word, words);
}

// Not a shell's grammar: enough of it to find names, and nothing depends on its being right.
class Lexer {
 public:
  explicit Lexer(std::string_view script) : rest_(script.substr(0, longest_script)) {}

  std::vector<std::vector<std::string>> run() {
    while (!rest_.empty() && commands_.size() < most_commands) {
      if (rest_.starts_with("$(")) {
        next();
        next();
        enter();
      } else if (here_.in_quotes) {
        take_quoted();
      } else {
        take_plain();
      }
    }
    while (!around_.empty()) leave();
    end_command();
    return std::move(commands_);
  }

 private:
  // What has been read of one command.
  struct Part {
    std::vector<std::string> words;
    std::string word;
    bool has_word = false;
    bool in_quotes = false;     // double ones
    bool is_target = false;     // the word is a redirection's
    bool is_delimiter = false;  // and ends a here-document
  };

  char next() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void skip(std::size_t size) { rest_.remove_prefix(std::min(size, rest_.size())); }

  void add(std::string_view text) {
    here_.word += text;
    here_.has_word = true;
  }

  void add_next() {
    add(rest_.substr(0, 1));
    skip(1);
  }

  // $(…) and (…) hold commands; the one around them goes on behind them.
  void enter() { around_.push_back(std::exchange(here_, {})); }

  void leave() {
    end_command();
    if (around_.empty()) return;
    here_ = std::move(around_.back());
    around_.pop_back();
  }

  void take_quoted() {
    if (rest_.front() == '"') {
      here_.in_quotes = false;
      return skip(1);
    }
    if (rest_.front() == '\\') skip(1);
    add_next();
  }

  void take_plain() {
    constexpr std::string_view special = " \t\n#\"'\\<>();&|`$";
    const std::size_t plain = std::min(rest_.find_first_of(special), rest_.size());
    if (plain > 0) {
      add(rest_.substr(0, plain));
      return skip(plain);
    }
    const char c = rest_.front();
    if (c == '$' || (c == '#' && here_.has_word)) return add_next();
    skip(1);
    if (c == '#') return skip(rest_.find('\n'));
    if (c == '"') {
      here_.in_quotes = here_.has_word = true;
    } else if (c == '\'') {
      const std::size_t end = rest_.find('\'');
      add(rest_.substr(0, end));
      skip(end == std::string_view::npos ? end : end + 1);
    } else if (c == '\\') {
      rest_.starts_with('\n') ? skip(1) : add_next();
    } else if (c == '<' || c == '>') {
      redirect(c);
    } else if (c == ' ' || c == '\t') {
      end_word();
    } else if (c == ')') {
      leave();
    } else {
      end_command();
      if (c == '(') enter();
      if (c == '\n') skip_here_documents();
    }
  }

  void redirect(char c) {
    // The 2 of 2>file.
    if (here_.word.find_first_not_of("0123456789") == std::string::npos) {
      here_.word.clear();
      here_.has_word = false;
    }
    end_word();
    here_.is_target = true;
    here_.is_delimiter = c == '<' && rest_.starts_with('<') && !rest_.starts_with("<<");
    skip(rest_.find_first_not_of(here_.is_delimiter ? "<-" : "<>&|"));
  }

  void skip_here_documents() {
    for (const std::string& delimiter : std::exchange(delimiters_, {})) {
      while (!rest_.empty()) {
        std::string_view line = rest_.substr(0, rest_.find('\n'));
        skip(line.size() + 1);
        line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
        if (line == delimiter) break;
      }
    }
  }

  void end_word() {
    if (!std::exchange(here_.has_word, false)) return;
    std::string word = std::exchange(here_.word, {});
    const bool is_delimiter = std::exchange(here_.is_delimiter, false);
    if (is_delimiter) delimiters_.push_back(word);
    if (std::exchange(here_.is_target, false)) return;
    if (here_.words.empty() && is_prefix(word)) return;
    here_.words.push_back(std::move(word));
  }

  void end_command() {
    end_word();
    Part part = std::exchange(here_, {});
    if (!part.words.empty() && !is_no_command(part.words.front())) {
      commands_.push_back(std::move(part.words));
    }
  }

  std::string_view rest_;
  Part here_;
  std::vector<Part> around_;
  std::vector<std::string> delimiters_;
  std::vector<std::vector<std::string>> commands_;
};

}  // namespace

std::optional<std::string_view> script_of(std::span<const std::string> command) {
  constexpr std::array<std::string_view, 6> shells = {"sh", "bash", "dash", "ash", "ksh", "zsh"};
  if (command.empty()) return std::nullopt;
  const std::string_view name = command.front();
  if (!is_one_of(name.substr(name.rfind('/') + 1), shells)) return std::nullopt;  // npos + 1 is 0
  bool has_script = false;
  for (std::size_t i = 1; i < command.size(); ++i) {
    const std::string_view word = command[i];
    if (word.size() < 2 || (word.front() != '-' && word.front() != '+')) {
      return has_script ? std::optional(word) : std::nullopt;
    }
    if (word.starts_with("--")) continue;
    has_script = has_script || word.find('c') != std::string_view::npos;
    if (word.find_first_of("oO") != std::string_view::npos) ++i;  // its value
  }
  return std::nullopt;
}

std::vector<std::vector<std::string>> simple_commands(std::string_view script) {
  return Lexer(script).run();
}

}  // namespace retry_exec::rules
