#include "redact/known_secrets.hpp"
#include "redact/quoted_commands.hpp"
#include "redact/secret_patterns.hpp"
#include "redact/secret_places.hpp"

#include <retry_exec/redact.hpp>

#include <algorithm>
#include <optional>

namespace retry_exec::redact {

namespace {

constexpr const char* not_shown = "[not shown: it could not be searched for secrets in time]";
constexpr std::size_t longest_shown = 4096;
constexpr std::size_t longest_read = std::size_t{16} * longest_shown;

// The start of `text`, cut between words: half a token is a secret that no pattern knows.
std::string_view start_of(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return text;
  const std::size_t space = text.rfind(' ', longest);
  return space == std::string_view::npos ? std::string_view() : text.substr(0, space);
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
    known.learn_arguments(argv);
    for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
      known.learn_variable(*entry);
    }
    known.finish();
    return known;
  }

  const SecretPatterns& patterns() {
    return patterns_when_needed ? *patterns_when_needed : patterns_when_needed.emplace();
  }

  // `shown` is printable, and nothing known is left in it.
  std::string without_secrets_in_line(std::string shown, bool cut) {
    const std::string_view start = start_of(shown, longest_shown);
    cut = cut || start.size() < shown.size();
    shown.resize(start.size());
    take_out_of_commands(shown);
    if (!patterns().take_out_of(shown)) return not_shown;
    return cut ? shown + " …" : shown;
  }

  std::string without_secrets(std::string_view text) {
    std::string shown = text::printable(start_of(text, longest_read));
    known().take_out_of(shown);
    if (!patterns().take_out_of_lines(shown)) return not_shown;
    return without_secrets_in_line(std::move(shown), text.size() > longest_read);
  }

  std::string without_secrets_in_lines(std::string_view text) {
    std::string shown = printable_lines(text);
    known().take_out_of(shown);
    if (!patterns().take_out_of_lines(shown)) return not_shown;
    return text::with_each_line(shown, [this](std::string_view line) {
      return line.empty() ? std::string() : without_secrets_in_line(std::string(line), false);
    });
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
  return state_->without_secrets(text);
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
  for (std::string& argument : shown) argument = state_->without_secrets(argument);
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
