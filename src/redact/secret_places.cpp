#include "redact/secret_places.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>

namespace retry_exec::redact {

namespace {

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

}  // namespace

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
  const std::string upper = text::upper_case(name);
  if (ends_with_one_of(upper, about_it)) return false;
  const auto holds = [&](std::string_view word) { return upper.find(word) != std::string::npos; };
  if (std::any_of(anywhere.begin(), anywhere.end(), holds) || names_a_key(upper)) return true;
  bool found = false;
  text::for_each_part(upper, '_',
                      [&](std::string_view word) { found |= text::is_one_of(word, whole_words); });
  return found;
}

bool is_a_file_name(std::string_view value) {
  constexpr std::array<std::string_view, 4> starts = {"/", "./", "../", "~/"};
  const auto begins = [&](std::string_view start) { return value.starts_with(start); };
  if (std::none_of(starts.begin(), starts.end(), begins)) return false;
  const auto of_a_path = [](char c) {
    return text::is_word_character(c) ||
           std::string_view("~/.-+@: ").find(c) != std::string_view::npos;
  };
  if (!std::all_of(value.begin(), value.end(), of_a_path)) return false;
  const bool capital =
      std::any_of(value.begin(), value.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return value.find('.') != std::string_view::npos ||
         (!capital && std::count(value.begin(), value.end(), '/') > 1);
}

namespace {

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
    mysql_ = mysql_ || text::is_one_of(name, mysqls);
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
  const std::string upper = text::upper_case(option);
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
  return std::all_of(name.begin(), name.end(), text::is_word_character);
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

}  // namespace

void for_each_secret(std::span<const std::string> argv,
                     const std::function<void(std::size_t index, std::size_t start)>& f) {
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

}  // namespace retry_exec::redact
