#include "redact/known_secrets.hpp"
#include "redact/quoted_commands.hpp"
#include "redact/secret_patterns.hpp"
#include "redact/secret_places.hpp"

#include <retry_exec/redact.hpp>

#include <algorithm>
#include <optional>

namespace retry_exec::redact {

namespace {

enum class Kind {
  whole,    // as an argument is
  excerpt,  // may have been cut in the middle of a secret
};

constexpr const char* not_shown = "[not shown: it could not be searched for secrets in time]";
constexpr std::string_view cut_mark = " …";
constexpr std::size_t longest_shown = 4096;
constexpr std::size_t longest_read = std::size_t{16} * longest_shown;

// Where the last value of minified JSON before `longest` ends: behind it stands the next one.
std::size_t end_of_value(std::string_view text, std::size_t longest) {
  constexpr std::string_view begins_a_value = "\"{[";
  for (std::size_t at = text.rfind(',', longest); at != std::string_view::npos && at > 0;
       at = text.rfind(',', at - 1)) {
    if (at + 1 < text.size() && begins_a_value.find(text[at + 1]) != std::string_view::npos)
      return at + 1;
  }
  return 0;
}

// The start of `text`, cut between words, and JSON between its values: half a token is a secret
// that no pattern knows.
std::string_view start_of(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return text;
  const std::size_t blank = text.rfind(' ', longest);
  const std::size_t space = blank == std::string_view::npos ? 0 : blank;
  return text.substr(0, std::max(space, end_of_value(text, longest - 1)));
}

// Cut, it is no longer than what is not: to cut it again changes nothing.
std::string cut_line(std::string line) {
  if (line.size() <= longest_shown) return line;
  line.resize(start_of(line, longest_shown - cut_mark.size()).size());
  return line.append(cut_mark);
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

// Line breaks, tabs and blanks at the ends of lines stay; all else is text::printable().
std::string printable_lines(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t blanks = std::min(text.find_first_not_of(" \t\n"), text.size());
    shown += text.substr(0, blanks);
    text.remove_prefix(blanks);
    const std::string_view part = text.substr(0, text.find_first_of("\t\n"));
    const std::size_t length = part.find_last_not_of(' ') + 1;
    if (length > 0) shown += text::printable(part.substr(0, length));
    text.remove_prefix(length);
  }
  return shown;
}

std::string quoted(const std::string& argument) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
  };
  std::string rest = argument;
  replace_all(rest, redacted, "x");
  if (!rest.empty() && std::all_of(rest.begin(), rest.end(), plain)) return argument;
  std::string text = argument;
  replace_all(text, "'", "'\\''");
  return "'" + text + "'";
}

}  // namespace

struct Redactor::State {
  std::span<const std::string> argv;
  const char* const* environment = nullptr;
  std::optional<KnownSecrets> known_when_needed;
  std::optional<SecretPatterns> patterns_when_needed;

  const KnownSecrets& known() {
    if (known_when_needed) return *known_when_needed;
    KnownSecrets& known = known_when_needed.emplace();
    if (!argv.empty()) known.learn_arguments(argv, patterns());
    for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
      known.learn_variable(*entry);
    }
    known.finish();
    return known;
  }

  const SecretPatterns& patterns() {
    return patterns_when_needed ? *patterns_when_needed : patterns_when_needed.emplace();
  }

  void take_known_out_of(std::string& shown, Kind kind) {
    known().take_out_of(shown);
    if (kind == Kind::excerpt) known().take_halves_out_of(shown);
  }

  // `shown` is printable. False where it could not be searched in time.
  bool take_out_of(std::string& shown, Kind kind) {
    take_known_out_of(shown, kind);
    return patterns().take_out_of_lines(shown);
  }

  std::string without_secrets_in_line(std::string line) {
    std::string shown = cut_line(std::move(line));
    take_out_of_commands(shown);
    return patterns().take_out_of(shown) ? shown : not_shown;
  }

  std::string once(std::string shown, Kind kind) {
    return take_out_of(shown, kind) ? without_secrets_in_line(std::move(shown)) : not_shown;
  }

  std::string once_in_lines(std::string shown) {
    if (!take_out_of(shown, Kind::excerpt)) return not_shown;
    return text::with_each_line(shown, [this](std::string_view line) {
      return line.empty() ? std::string() : without_secrets_in_line(std::string(line));
    });
  }

  // A mark in the place of a secret, or a cut, can make a secret of what stands beside it. So what
  // is shown is what nothing is taken out of any more; of a text that is made for it, and long,
  // what is left after some rounds.
  template <class Once>
  static std::string settled(std::string text, Once once) {
    constexpr std::size_t most_read = std::size_t{1} << 20;
    const std::size_t rounds = std::clamp<std::size_t>(most_read / (text.size() + 1), 1, 8);
    for (std::size_t n = 0; n < rounds; ++n) {
      std::string shown = once(text);
      const bool whole = shown.size() <= longest_shown && text.size() <= longest_shown;
      if (shown == text || (whole && shown.find(redacted) == std::string::npos)) return shown;
      text = std::move(shown);
    }
    return text;
  }

  std::string without_secrets(std::string_view text, Kind kind) {
    std::string start = printable_lines(start_of(text, longest_read));
    // As long as it is known where its lines begin.
    if (start.find('\n') != std::string::npos) take_known_out_of(start, kind);
    if (!patterns().take_out_below_names(start, {})) return not_shown;
    std::string shown = text::printable(start);
    if (text.size() > longest_read) shown += cut_mark;
    return settled(std::move(shown), [&](const std::string& s) { return once(s, kind); });
  }

  std::string without_secrets_in_lines(std::string_view text) {
    return settled(printable_lines(text),
                   [this](const std::string& s) { return once_in_lines(s); });
  }
};

Redactor::Redactor(std::span<const std::string> argv, const char* const* environment)
    : state_(std::make_unique<State>()) {
  state_->argv = argv;
  state_->environment = environment;
}
Redactor::Redactor(Redactor&&) noexcept = default;
Redactor& Redactor::operator=(Redactor&&) noexcept = default;
Redactor::~Redactor() = default;

std::string Redactor::operator()(std::string_view text) const {
  return state_->without_secrets(text, Kind::excerpt);
}

std::string Redactor::lines(std::string_view text) const {
  return state_->without_secrets_in_lines(text);
}

std::string Redactor::known(std::string_view text) const {
  std::string shown(text);
  state_->known().take_out_of(shown);
  return shown;
}

std::vector<std::string> Redactor::arguments(std::span<const std::string> argv) const {
  std::vector<std::string> shown(argv.begin(), argv.end());
  for_each_secret(argv, Words::command, [&](std::size_t i, std::size_t start) {
    shown[i] = argv[i].substr(0, start).append(redacted);
  });
  for (std::string& argument : shown) {
    argument = state_->without_secrets(argument, Kind::whole);
  }
  return shown;
}

std::string Redactor::command(std::span<const std::string> argv) const {
  std::string line;
  for (const std::string& argument : arguments(argv)) {
    if (!line.empty()) line += ' ';
    line += quoted(argument);
  }
  return line;
}

}  // namespace retry_exec::redact
