#include "report/secret_patterns.hpp"

#include <retry_exec/redact.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace retry_exec {

namespace {

// A word of five letters is found in too many innocent places to be taken for somebody's secret.
constexpr std::size_t shortest_secret = 6;
constexpr std::size_t longest_shown = 4096;
constexpr std::size_t longest_read = std::size_t{16} * longest_shown;

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Calls `f` for each part of `text` between separators.
template <class F>
void for_each_part(std::string_view text, char separator, F f) {
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    f(text.substr(start, end - start));
    start = end + 1;
  }
}

// GITHUB_TOKEN, AWS_SECRET_ACCESS_KEY, REGISTRY_AUTH; not GIT_AUTHOR_NAME or SSH_AUTH_SOCK.
bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 9> anywhere = {
      "TOKEN",   "SECRET",     "PASSWORD",   "PASSWD",      "PASSPHRASE",
      "API_KEY", "ACCESS_KEY", "CREDENTIAL", "PRIVATE_KEY",
  };
  constexpr std::array<std::string_view, 5> whole_words = {"AUTH", "PAT", "PASS", "APIKEY", "PWD"};
  constexpr std::array<std::string_view, 6> about_it = {"_SOCK", "_FILE", "_PATH",
                                                        "_DIR",  "_URL",  "_HELPER"};
  if (name == "PWD" || name == "OLDPWD") return false;
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const auto ends = [&](std::string_view end) { return upper.ends_with(end); };
  if (std::any_of(about_it.begin(), about_it.end(), ends)) return false;
  const auto holds = [&](std::string_view word) { return upper.find(word) != std::string::npos; };
  if (std::any_of(anywhere.begin(), anywhere.end(), holds)) return true;
  bool found = false;
  for_each_part(upper, '_', [&](std::string_view word) { found |= is_one_of(word, whole_words); });
  return found;
}

// GOOGLE_APPLICATION_CREDENTIALS=/etc/key.json: the error that names the file should say its name.
bool is_a_file_name(std::string_view value) {
  return value.starts_with('/') && value.find('.') != std::string_view::npos;
}

// Options whose next argument is a secret as a whole.
bool takes_a_secret(std::string_view option) {
  constexpr std::array<std::string_view, 13> endings = {
      "-password",   "-passwd",     "-pass",        "-passphrase", "-token",
      "-secret",     "-api-key",    "-apikey",      "-creds",      "-credential",
      "-access-key", "-secret-key", "-private-key",
  };
  return option.starts_with('-') &&
         std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return option.ends_with(ending); });
}

bool is_header_option(std::string_view option) {
  return option == "-H" || option.ends_with("-header");
}

bool is_user_option(std::string_view option) {
  return option == "-u" || option.ends_with("-user") || option.ends_with("-username");
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Where the secret begins in `value`, the argument that follows `option`; its size when it has
// none.
std::size_t secret_start(std::string_view option, std::string_view value, bool logs_in) {
  if (takes_a_secret(option)) {
    return value.starts_with("id=") || value.starts_with("type=") ? value.size() : 0;
  }
  if (logs_in && option == "-p") return 0;
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos || value.substr(colon).starts_with("://"))
    return value.size();
  if (is_header_option(option)) {
    return std::min(value.find_first_not_of(' ', colon + 1), value.size());
  }
  const bool user_and_group =
      is_number(value.substr(0, colon)) && is_number(value.substr(colon + 1));
  return is_user_option(option) && !user_and_group ? colon + 1 : value.size();
}

// Calls `f(index, start)` for each argument that carries a secret from `start` on.
template <class F>
void for_each_secret(std::span<const std::string> argv, F f) {
  bool logs_in = false;
  for (std::size_t i = 0; i + 1 < argv.size(); ++i) {
    logs_in = logs_in || argv[i] == "login" || argv[i].ends_with("sshpass");
    const std::size_t start = secret_start(argv[i], argv[i + 1], logs_in);
    if (start < argv[i + 1].size()) f(i + 1, start);
  }
  for (std::size_t i = 0; i < argv.size(); ++i) {
    if (logs_in && argv[i].starts_with("-p") && argv[i].size() > 2) f(i, std::size_t{2});
    const std::size_t equals = argv[i].find('=');
    if (equals == std::string::npos || !argv[i].starts_with('-')) continue;
    const std::string_view option = std::string_view(argv[i]).substr(0, equals);
    const std::string_view value = std::string_view(argv[i]).substr(equals + 1);
    const std::size_t start = secret_start(option, value, false);
    if (start < value.size()) f(i, equals + 1 + start);
  }
}

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
    for_each_secret(argv, [&](std::size_t i, std::size_t start) {
      learn(std::string_view(argv[i]).substr(start));
    });
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

  void learn_variable(std::string_view entry) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos || !names_a_secret(entry.substr(0, equals))) return;
    const std::string_view value = entry.substr(equals + 1);
    if (is_a_file_name(value)) return;
    learn(value);
    if (value.find('\n') != std::string_view::npos) {
      for_each_part(value, '\n', [&](std::string_view line) {
        if (line.size() >= 2 * shortest_secret) learn(line);
      });
    }
  }

  void learn(std::string_view secret) {
    std::string shown = printable(secret);
    if (shown.size() >= shortest_secret) known_when_needed->values.push_back(std::move(shown));
  }

  std::string without_secrets(std::string_view text) {
    std::string shown = printable(start_of(text, longest_read));
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

}  // namespace retry_exec
