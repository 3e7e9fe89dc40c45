#include "redact/secret_places.hpp"

#include "redact/command_words.hpp"
#include "redact/secret_options.hpp"
#include "redact/secret_programs.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>

namespace retry_exec::redact {

namespace {

using Secret = std::function<void(std::size_t index, std::size_t start)>;
using Argv = std::span<const std::string>;

// docker login --password-stdin, gh auth login --with-token, chpasswd, sudo -S
bool reads_a_secret(Argv command) {
  constexpr std::array<std::string_view, 8> always = {
      "chpasswd",         "kinit",    "smbpasswd",  "--with-token",
      "--stdin-password", "luksOpen", "luksAddKey", "wrangler"};
  bool sudo = false;
  for (const std::string& word : command) {
    sudo = sudo || word == "sudo";
    if (text::is_one_of(word, always) || (sudo && word == "-S")) return true;
    if (word.starts_with('-') && (word.ends_with("-stdin") || word.ends_with("-fd"))) return true;
  }
  return false;
}

bool prints(std::string_view word) {
  return word == "echo" || word == "printf";
}

std::size_t end_of_command(Argv argv, std::size_t from) {
  while (from < argv.size() && !ends_a_command(argv[from])) ++from;
  return from;
}

// The words that echo or printf, at `from`, prints.
void all_printed(Argv argv, std::size_t from, std::size_t end, const Secret& f) {
  for (++from; from < end; ++from) {
    const bool format = argv[from].find('%') != std::string::npos && from + 1 < end;
    if (!argv[from].starts_with("-") && !format) f(from, 0);
  }
}

// What stands behind <<< or << in a command that reads a secret.
void all_redirected(Argv argv, std::size_t from, std::size_t end, const Secret& f) {
  for (; from < end; ++from) {
    if (argv[from] == "<<<" && from + 1 < end) f(from + 1, 0);
    if (argv[from] == "<") {
      const auto print = std::find_if(argv.begin() + static_cast<std::ptrdiff_t>(from),
                                      argv.begin() + static_cast<std::ptrdiff_t>(end), prints);
      const auto at = static_cast<std::size_t>(print - argv.begin());
      if (at < end) all_printed(argv, at, end, f);
      return;
    }
  }
}

// Commands that are given a secret on their standard input.
void for_each_on_standard_input(Argv argv, const Secret& f) {
  for (std::size_t start = 0; start < argv.size();) {
    const std::size_t end = end_of_command(argv, start);
    if (reads_a_secret(argv.subspan(start, end - start))) all_redirected(argv, start, end, f);
    const bool piped = end < argv.size() && argv[end] == "|";
    const std::size_t next = piped ? end_of_command(argv, end + 1) : end;
    if (piped && reads_a_secret(argv.subspan(end, next - end))) {
      for (std::size_t i = start; i < end; ++i) {
        if (!prints(argv[i])) continue;
        all_printed(argv, i, end, f);
        break;
      }
    }
    start = end + 1;
  }
}

bool is_a_scheme(std::string_view word) {
  constexpr std::array<std::string_view, 3> schemes = {"BEARER", "BASIC", "TOKEN"};
  return text::is_one_of(text::upper_case(word), schemes);
}

class Finder {
 public:
  Finder(Argv argv, Words kind, const Secret& f) : argv_(argv), kind_(kind), f_(f) {}

  void run() {
    for (std::size_t i = 0; i < argv_.size(); ++i) {
      if (ends_a_command(argv_[i])) {
        programs_ = {};
        continue;
      }
      const bool last = i + 1 == argv_.size() || ends_a_command(argv_[i + 1]);
      tell(i, programs_.start_in_operand(argv_, i, kind_));
      programs_.see(argv_[i]);
      own(i);
      if (!last) next(i, argv_[i + 1]);
    }
    for_each_on_standard_input(argv_, f_);
  }

 private:
  bool may_tell(std::string_view value) const {
    return kind_ == Words::command || text::is_no_word(value);
  }

  void tell(std::size_t i, std::size_t start) const {
    if (start < argv_[i].size()) f_(i, start);
  }

  void own(std::size_t i) const {
    const std::size_t start = programs_.start_in(argv_[i]);
    tell(i, start < argv_[i].size() ? start : secret_start(argv_[i], kind_));
  }

  void next(std::size_t i, const std::string& value) const {
    const std::string& option = argv_[i];
    const std::size_t start = programs_.start_in_next(option, value);
    tell(i + 1, start < value.size() ? start : secret_start(option, value, kind_));
    if (is_typed(i + 1)) return f_(i + 1, 0);
    header_in_words(i);
    if (!programs_.takes_names() || value.starts_with('-') || !may_tell(value)) return;
    if (text::upper_case(option).ends_with("EXTRAHEADER")) return tell(i + 1, value.find(' ') + 1);
    const bool named =
        text::upper_case(option) == "AUTH" || names_a_secret(option.substr(0, option.find('=')));
    if (named && !option.starts_with('-') && !is_a_file_name(value)) f_(i + 1, 0);
  }

  // What expect types: send "X\r", send -- "X\n"; not an answer, nor a command with blanks, but
  // where it was asked for.
  bool is_typed(std::size_t i) const {
    constexpr std::array<std::string_view, 8> answers = {"y",    "yes",  "n", "no",
                                                         "exit", "quit", "q", "logout"};
    const std::string_view value = argv_[i];
    const std::size_t send = sending(i);
    if (send == i || value.starts_with('$') || value.starts_with('-')) return false;
    const bool entered = value.ends_with("\\r") || value.ends_with("\\n");
    const std::string_view typed = value.substr(0, value.find('\\'));
    if (typed.empty()) return false;
    if (asked_before(send) && (entered || may_tell(value))) return true;
    return entered && typed.find(' ') == std::string_view::npos && !text::is_one_of(typed, answers);
  }

  // Where the command stands that types the word at `i`, also as expect -d shows it; else `i`.
  std::size_t sending(std::size_t i) const {
    constexpr std::array<std::string_view, 4> senders = {"send", "exp_send", "sending",
                                                         "send_slow"};
    constexpr std::size_t most_options = 4;
    for (std::size_t at = i; at-- > 0 && i - at <= most_options + 1;) {
      const std::string_view word = argv_[at];
      if (text::is_one_of(word, senders)) return at;
      const bool of_option = word.starts_with('$') && at > 0 && argv_[at - 1] == "-i";
      if (!word.starts_with('-') && !of_option) break;
    }
    return i;
  }

  // Whether a password was waited for before the word at `send`: expect "assword:".
  bool asked_before(std::size_t send) const {
    constexpr std::size_t farthest = 6;
    constexpr std::array<std::string_view, 4> prompts = {"ASSWORD", "ASSPHRASE", "ASSCODE", "PIN:"};
    bool prompt = false;
    for (std::size_t at = send; at-- > 0 && send - at <= farthest && sending(at + 1) == at + 1;) {
      const std::string upper = text::upper_case(argv_[at]);
      const auto asks = [&](std::string_view word) {
        return upper.find(word) != std::string::npos;
      };
      prompt = prompt || std::any_of(prompts.begin(), prompts.end(), asks);
      if (upper == "EXPECT" || upper == "-RE") return prompt;
    }
    return prompt && kind_ == Words::command;
  }

  // -H X-Key: X, where a list of arguments is printed without quotes.
  void header_in_words(std::size_t i) const {
    const bool header = argv_[i] == "-H" || argv_[i].ends_with("-header");
    const bool attached =
        argv_[i].starts_with("-H") || argv_[i].find("-header=") != std::string::npos;
    std::size_t at = i + (header ? 2 : 1);
    const bool open = (header || attached) && argv_[at - 1].ends_with(':');
    if (kind_ != Words::text || !open || at >= argv_.size()) return;
    if (is_a_scheme(argv_[at]) && at + 1 < argv_.size()) ++at;
    f_(at, 0);
  }

  Argv argv_;
  Words kind_;
  const Secret& f_;
  Programs programs_;
};

}  // namespace

void for_each_secret(std::span<const std::string> argv, Words kind,
                     const std::function<void(std::size_t index, std::size_t start)>& f) {
  Finder(argv, kind, f).run();
}

}  // namespace retry_exec::redact
