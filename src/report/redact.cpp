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

char upper_case(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool is_word_character(char c) {
  return (upper_case(c) >= 'A' && upper_case(c) <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = upper_case(c);
  return upper;
}

bool ends_with_one_of(std::string_view text, std::span<const std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return text.ends_with(ending); });
}

// SIGNING_KEY, STRIPE_KEY_BASE64; not PUBLIC_KEY, CACHE_KEY, GPG_KEY_ID.
bool names_a_key(std::string_view upper) {
  constexpr std::array<std::string_view, 4> forms = {"_KEY", "_KEY_BASE64", "_KEY_B64", "_KEY_PEM"};
  constexpr std::array<std::string_view, 3> harmless = {"PUBLIC", "PUB", "CACHE"};
  if (!ends_with_one_of(upper, forms)) return false;
  return !ends_with_one_of(upper.substr(0, upper.rfind("_KEY")), harmless);
}

// GITHUB_TOKEN, AWS_SECRET_ACCESS_KEY, REGISTRY_AUTH; not GIT_AUTHOR_NAME or SSH_AUTH_SOCK.
bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 10> anywhere = {
      "TOKEN",   "SECRET",     "PASSWORD",   "PASSWD",      "PASSPHRASE",
      "API_KEY", "ACCESS_KEY", "CREDENTIAL", "PRIVATE_KEY", "BEARER",
  };
  constexpr std::array<std::string_view, 6> whole_words = {"AUTH", "PAT",    "PASS",
                                                           "PWD",  "APIKEY", "JWT"};
  constexpr std::array<std::string_view, 6> about_it = {"_SOCK", "_FILE", "_PATH",
                                                        "_DIR",  "_URL",  "_HELPER"};
  if (name == "PWD" || name == "OLDPWD") return false;
  const std::string upper = upper_case(name);
  if (ends_with_one_of(upper, about_it)) return false;
  const auto holds = [&](std::string_view word) { return upper.find(word) != std::string::npos; };
  if (std::any_of(anywhere.begin(), anywhere.end(), holds) || names_a_key(upper)) return true;
  bool found = false;
  for_each_part(upper, '_', [&](std::string_view word) { found |= is_one_of(word, whole_words); });
  return found;
}

// GOOGLE_APPLICATION_CREDENTIALS=/etc/key.json, SSH_KEY=/root/keys/id_rsa: the error that names the
// file should say its name. A secret in base64 has no dot, and hardly ever no capital.
bool is_a_file_name(std::string_view value) {
  constexpr std::array<std::string_view, 4> starts = {"/", "./", "../", "~/"};
  const auto begins = [&](std::string_view start) { return value.starts_with(start); };
  if (std::none_of(starts.begin(), starts.end(), begins)) return false;
  const auto of_a_path = [](char c) {
    return is_word_character(c) || std::string_view("~/.-+@: ").find(c) != std::string_view::npos;
  };
  if (!std::all_of(value.begin(), value.end(), of_a_path)) return false;
  const bool capital =
      std::any_of(value.begin(), value.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return value.find('.') != std::string_view::npos ||
         (!capital && std::count(value.begin(), value.end(), '/') > 1);
}

bool is_switched_off(std::string_view upper_option) {
  return upper_option.starts_with("--NO-") || upper_option.starts_with("--SKIP-");
}

// Options whose value is a password, whatever it looks like.
bool takes_a_password(std::string_view upper_option) {
  constexpr std::array<std::string_view, 6> endings = {"-PASSWORD",   "-PASSWD", "-PASS",
                                                       "-PASSPHRASE", "-PWD",    "-PW"};
  return ends_with_one_of(upper_option, endings);
}

// Options whose value is a secret, or the name of the file that holds it.
bool takes_a_secret(std::string_view upper_option) {
  constexpr std::array<std::string_view, 13> endings = {
      "-CREDENTIALS", "-TOKEN",      "-SECRET",     "-API-KEY", "-APIKEY",
      "-CREDS",       "-CREDENTIAL", "-COOKIE",     "-AUTH",    "-BEARER",
      "-ACCESS-KEY",  "-SECRET-KEY", "-PRIVATE-KEY"};
  return ends_with_one_of(upper_option, endings);
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

std::string_view name_of(std::string_view program) {
  return program.substr(program.rfind('/') + 1);  // npos + 1 is 0
}

// Which of the programs that a command line names give short options a meaning of their own.
class Programs {
 public:
  void see(std::string_view argument) {
    constexpr std::array<std::string_view, 6> mysqls = {
        "mysql", "mariadb", "mysqldump", "mysqladmin", "mariadb-dump", "mariadb-admin"};
    const std::string_view name = name_of(argument);
    login_ = login_ || argument == "login" || name == "sshpass";
    curl_ = curl_ || name == "curl";
    mysql_ = mysql_ || is_one_of(name, mysqls);
  }

  // login -p X, sshpass -p X, curl -b X
  bool next_is_secret(std::string_view option, std::string_view value) const {
    return (login_ && option == "-p") || (curl_ && option == "-b" && !is_cookie_file(value));
  }

  // login -pX, mysql -pX (whose -p alone asks for it), curl -bX
  bool has_secret(std::string_view option) const {
    if (option.size() <= 2) return false;
    const std::string_view value = option.substr(2);
    if (option.starts_with("-b")) return curl_ && !is_cookie_file(value);
    return option.starts_with("-p") && (login_ || (mysql_ && !is_port(value)));
  }

 private:
  static bool is_cookie_file(std::string_view value) {
    return value.find('=') == std::string_view::npos &&
           (is_a_file_name(value) || value.ends_with(".txt") || value.ends_with(".jar"));
  }

  // docker run --name mysql -p3306:3306
  static bool is_port(std::string_view value) {
    const std::size_t colon = value.find(':');
    return colon != std::string_view::npos && is_number(value.substr(0, colon));
  }

  bool login_ = false;
  bool curl_ = false;
  bool mysql_ = false;
};

// Where the secret begins in `value`, the argument that follows `option`; its size when it has
// none.
std::size_t secret_start(std::string_view option, std::string_view value) {
  if (!option.starts_with('-')) return value.size();
  const std::string upper = upper_case(option);
  if (is_switched_off(upper)) return value.size();
  if (takes_a_password(upper)) return 0;
  if (takes_a_secret(upper)) {
    const bool of_docker = value.starts_with("id=") || value.starts_with("type=");
    return of_docker || is_a_file_name(value) ? value.size() : 0;
  }
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

bool is_a_variable(std::string_view name) {
  return std::all_of(name.begin(), name.end(), is_word_character);
}

// Where the secret begins in an argument that is itself an option or an assignment.
std::size_t secret_start(std::string_view argument, const Programs& programs) {
  if (programs.has_secret(argument)) return 2;
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return argument.size();
  const std::string_view name = argument.substr(0, equals);
  const std::string_view value = argument.substr(equals + 1);
  if (!name.starts_with('-') && !is_a_variable(name)) return argument.size();
  if (name.starts_with('-')) return equals + 1 + secret_start(name, value);
  return names_a_secret(name) && !is_a_file_name(value) ? equals + 1 : argument.size();
}

// The rest of a shell's pipe into `docker login --password-stdin` or `gh auth login --with-token`.
bool reads_a_secret(std::span<const std::string> words) {
  for (const std::string& word : words) {
    if (word == "|" || word == "&" || word == ";") return false;
    if (word.starts_with('-') && (word.ends_with("-stdin") || word == "--with-token")) return true;
  }
  return false;
}

// Calls `f(index, start)` for each argument that carries a secret from `start` on.
template <class F>
void for_each_secret(std::span<const std::string> argv, F f) {
  Programs programs;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    programs.see(argv[i]);
    const std::size_t own = secret_start(argv[i], programs);
    if (own < argv[i].size()) f(i, own);
    if (i + 1 == argv.size()) return;
    const std::string& next = argv[i + 1];
    const std::size_t start =
        programs.next_is_secret(argv[i], next) ? 0 : secret_start(argv[i], next);
    if (start < next.size()) f(i + 1, start);
    const bool printed = i > 0 && (argv[i - 1] == "echo" || argv[i - 1] == "-n" ||
                                   argv[i - 1].find('%') != std::string::npos);
    if (printed && next == "|" && reads_a_secret(argv.subspan(i + 2))) f(i, std::size_t{0});
  }
}

// The words of a script such as `sh -c` is given, without their quotes. Near enough to a shell's to
// find secrets in.
std::vector<std::string> words_of(std::string_view script) {
  std::vector<std::string> words(1);
  char quote = '\0';
  for (std::size_t i = 0; i < script.size(); ++i) {
    const char c = script[i];
    if (c == '\\' && quote != '\'' && i + 1 < script.size()) {
      words.back() += script[++i];
    } else if (quote != '\0' ? c == quote : c == '"' || c == '\'') {
      quote = quote == '\0' ? c : '\0';
    } else if (quote != '\0' || std::string_view(" \t\n|;&()").find(c) == std::string_view::npos) {
      words.back() += c;
    } else {
      if (!words.back().empty()) words.emplace_back();
      if (c != '|' && c != ';' && c != '&') continue;
      words.back() = c;
      words.emplace_back();
    }
  }
  return words;
}

// ---- the forms that a secret is written in ----

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += digits[(bits >> (count - 6)) & 0x3fU];
  }
  if (count > 0) text += digits[(bits << (6 - count)) & 0x3fU];
  while (text.size() % 4 != 0) text += '=';
  return text;
}

// The base64 digits that say `secret`, and nothing of what is around it, when `before` bytes (of
// three) are encoded before it: user:secret.
std::string base64_inside(std::string_view secret, std::size_t before) {
  constexpr std::array<std::size_t, 3> shared = {0, 2, 3};  // digits that tell of those bytes too
  const std::string text = base64(std::string(before, '\0').append(secret));
  const std::size_t whole = (before + secret.size()) * 8 / 6;
  return text.substr(shared[before], whole - shared[before]);
}

std::string for_url(std::string text) {
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string percent_encoded(std::string_view text, std::string_view kept, std::string_view digits,
                            std::string_view space) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_word_character(c) || kept.find(c) != std::string_view::npos) {
      encoded += c;
    } else if (c == ' ') {
      encoded += space;
    } else {
      encoded += {'%', digits[byte >> 4U], digits[byte & 0xfU]};
    }
  }
  return encoded;
}

// Inside the quotes of JSON; `for_html` as Go's encoder does unless it is told otherwise.
std::string json_escaped(std::string_view text, bool for_html) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::string_view escaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  std::string json;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (const std::size_t at = escaped.find(c); at != std::string_view::npos) {
      json += {'\\', letters[at]};
    } else if (byte < 0x20 || (for_html && (c == '<' || c == '>' || c == '&'))) {
      json.append("\\u00").append({digits[byte >> 4U], digits[byte & 0xfU]});
    } else {
      json += c;
    }
  }
  return json;
}

// Calls `f` with the forms of `secret` that programs print instead of it; many are the same.
template <class F>
void for_each_form(std::string_view secret, F f) {
  const std::string whole = base64(secret);
  const std::string unpadded = whole.substr(0, whole.find('='));
  for (const std::string& form : {whole, unpadded, for_url(whole), for_url(unpadded)}) f(form);
  for (std::size_t before = 0; before < 3; ++before) {
    f(base64_inside(secret, before));
    f(for_url(base64_inside(secret, before)));
  }
  // RFC 3986, encodeURIComponent, the user of a URL in Go
  for (const std::string_view kept : {"-.~", "-.~!*'()", "-.~$&+,;="}) {
    for (const std::string_view digits : {"0123456789ABCDEF", "0123456789abcdef"}) {
      for (const std::string_view space : {"%20", "+"}) {
        f(percent_encoded(secret, kept, digits, space));
      }
    }
  }
  for (const bool for_html : {false, true}) {
    f(json_escaped(secret, for_html));
    f(json_escaped(json_escaped(secret, for_html), false));  // JSON in a string of JSON
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
      if (is_one_of(upper_case(scheme), schemes))
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
      for_each_part(value, '\n', [&](std::string_view line) {
        if (line.size() >= 2 * shortest_secret) add(line);
      });
    }
  }

  void learn(std::string_view secret) {
    if (printable(secret).size() < shortest_secret) return;  // nor are its forms worth a look
    add(secret);
    for_each_form(secret, [&](std::string_view form) { add(form); });
  }

  void add(std::string_view text) {
    std::string shown = printable(text);
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
