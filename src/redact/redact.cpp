#include "redact/secret_forms.hpp"
#include "redact/secret_patterns.hpp"
#include "redact/secret_places.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace retry_exec::redact {

namespace {

// A word of five letters is found in too many innocent places to count as a secret.
constexpr std::size_t shortest_secret = 6;
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
  struct Known {
    SecretPatterns patterns;
    std::vector<std::string> values;  // longest first: one may be part of another
  };
  std::optional<Known> known_when_needed;

  const Known& known() {
    if (known_when_needed) return *known_when_needed;
    known_when_needed.emplace();
    learn_arguments(argv);
    for (const std::string& argument : argv) {
      if (argument.find_first_of(" \t\n") == std::string::npos) continue;
      learn_arguments(words_of(std::string_view(argument).substr(0, longest_read)));
    }
    for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
      learn_variable(*entry);
    }
    std::vector<std::string>& values = known_when_needed->values;
    std::sort(values.begin(), values.end(), [](const std::string& a, const std::string& b) {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return *known_when_needed;
  }

  void learn_arguments(std::span<const std::string> arguments) {
    for_each_secret(arguments, [&](std::size_t i, std::size_t start) {
      const std::string_view secret = std::string_view(arguments[i]).substr(start);
      learn(secret);
      const std::string_view scheme = secret.substr(0, secret.find(' '));
      constexpr std::array<std::string_view, 3> schemes = {"BEARER", "BASIC", "TOKEN"};
      if (text::is_one_of(text::upper_case(scheme), schemes))
        learn(secret.substr(std::min(scheme.size() + 1, secret.size())));
    });
  }

  void learn_variable(std::string_view entry) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos || !names_a_secret(entry.substr(0, equals))) return;
    const std::string_view value = entry.substr(equals + 1);
    if (is_a_file_name(value)) return;
    learn(value);
    if (value.find('\n') != std::string_view::npos) {
      text::for_each_part(value, '\n', [&](std::string_view line) {
        if (line.size() >= 2 * shortest_secret) add(line);
      });
    }
  }

  void learn(std::string_view secret) {
    if (text::printable(secret).size() < shortest_secret) return;  // nor are its forms worth a look
    add(secret);
    for_each_form(secret, [&](std::string_view form) { add(form); });
  }

  void add(std::string_view text) {
    std::string shown = text::printable(text);
    if (shown.size() >= shortest_secret) known_when_needed->values.push_back(std::move(shown));
  }

  std::string without_secrets(std::string_view text) {
    std::string shown = text::printable(start_of(text, longest_read));
    for (const std::string& value : known().values) replace_all(shown, value, redacted);
    const std::string_view start = start_of(shown, longest_shown);
    const bool cut = start.size() < shown.size() || text.size() > longest_read;
    if (const auto clean = known().patterns.without_secrets(std::string(start))) {
      return cut ? *clean + " …" : *clean;
    }
    return "[not shown: it could not be searched for secrets in time]";
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
  // Blanks at either end of a line, and tabs, are not for printable() to tidy.
  std::string shown;
  while (!text.empty()) {
    const std::size_t blanks = std::min(text.find_first_not_of(" \t\n"), text.size());
    shown += text.substr(0, blanks);
    text.remove_prefix(blanks);
    const std::string_view part = text.substr(0, text.find_first_of("\t\n"));
    const std::size_t length = part.find_last_not_of(' ') + 1;
    if (length > 0) shown += state_->without_secrets(part.substr(0, length));
    text.remove_prefix(length);
  }
  return shown;
}

std::vector<std::string> Redactor::arguments(std::span<const std::string> argv) const {
  std::vector<std::string> shown(argv.begin(), argv.end());
  for_each_secret(argv, [&](std::size_t i, std::size_t start) {
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
