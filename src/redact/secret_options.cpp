#include "redact/secret_options.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>

namespace retry_exec::redact {

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// How an option holds its secret.
enum class Holds {
  all,
  no_word,
  no_address,
  behind_colon,
  behind_comma,
  behind_percent,
  behind_slash,
  cookie
};
// Where the value stands.
enum class Stands { next, attached, either };

struct ShortOption {
  std::string_view programs;  // or commands of theirs, between blanks
  std::string_view option;
  Stands stands = Stands::either;
  Holds holds = Holds::all;
};

constexpr std::array short_options = {
    ShortOption{" login ", "-p"},  // docker, oras, helm …; elsewhere -p is a port or a path
    ShortOption{" sshpass twine mongo mongosh mongodump mongorestore mongoexport mongoimport conan "
                "poetry nuget ncftp ncftpput ncftpget ncftpls ",
                "-p"},
    // Whose -p alone asks for it.
    ShortOption{" mysql mariadb mysqldump mysqladmin mariadb-dump mariadb-admin 7z 7za 7zr 7zz rar "
                "unrar ",
                "-p", Stands::attached},
    ShortOption{" curl ", "-b", Stands::either, Holds::cookie},
    ShortOption{" curl ", "-u", Stands::either, Holds::behind_colon},
    ShortOption{" curl ", "-U", Stands::either, Holds::behind_colon},
    ShortOption{" http https xh xhs ab hey ", "-a", Stands::next, Holds::behind_colon},
    ShortOption{" ab ", "-A", Stands::next, Holds::behind_colon},
    ShortOption{" smbclient ", "-U", Stands::next, Holds::behind_percent},
    ShortOption{" lftp ", "-u", Stands::next, Holds::behind_comma},
    ShortOption{" redis-cli valkey-cli keydb-cli ", "-a"},
    ShortOption{" zip unzip zipcloak sqlcmd bcp isql ", "-P"},
    ShortOption{" ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd ", "-w"},
    ShortOption{" plink pscp psftp ", "-pw", Stands::next},
    ShortOption{" nuget openssl ", "-k", Stands::next},
    ShortOption{" ssh-keygen ", "-N", Stands::next},
    ShortOption{" ssh-keygen ", "-P", Stands::next},
    ShortOption{" secret ", "-b", Stands::next},  // gh secret set NAME -b X
    ShortOption{" secret ", "--body"},
    ShortOption{" doctl vercel codecov fly flyctl ", "-t", Stands::next},
};

// Commands that take a secret as an operand.
struct Operand {
  std::string_view program;
  std::string_view command;
  Holds holds = Holds::all;
};
constexpr std::array operands = {
    Operand{" cargo ", " login "},
    Operand{" vault ", " login "},
    Operand{" snyk ", " auth "},
    Operand{" htpasswd ", " -nb -b -bc -cb -nbB -Bnb -bB "},
    Operand{" mc mcli ", " alias ", Holds::no_address},
    Operand{" bundle bundler ", " config ", Holds::behind_colon},
    Operand{" poetry composer ", " config ", Holds::no_word},
    Operand{" sqlplus sqlldr expdp impdp ", " sqlplus sqlldr expdp impdp ", Holds::behind_slash},
};

constexpr std::string_view naming = " config configure CONFIG setenv ENV AUTH set nmcli ";

// The bits of Programs, in the order of the tables.
constexpr std::size_t first_operand = short_options.size();
constexpr std::size_t naming_bit = first_operand + 2 * operands.size();
static_assert(naming_bit < 64);

// A list begins and ends with a blank, and so does each of its words.
bool is_listed(std::string_view list, std::string_view word) {
  if (word.find(' ') != std::string_view::npos) return false;
  for (std::size_t at = 0; (at = list.find(word, at)) != std::string_view::npos; ++at) {
    if (list[at - 1] == ' ' && list[at + word.size()] == ' ') return true;
  }
  return false;
}

// The name of a program, also as the first of a list: argv=['docker'.
std::string_view name_of(std::string_view word) {
  return word.substr(word.find_last_of("/])}[({=+`'\"") + 1);  // npos + 1 is 0
}

bool is_cookie_file(std::string_view value) {
  return value.find('=') == std::string_view::npos &&
         (is_a_file_name(value) || value.ends_with(".txt") || value.ends_with(".jar"));
}

// docker run --name mysql -p3306:3306
bool is_port(std::string_view value) {
  return is_number(value.substr(0, value.find(':'))) && value.find(':') != std::string_view::npos;
}

std::size_t behind(std::string_view value, char separator) {
  const std::size_t at = value.find(separator);
  return at == std::string_view::npos ? value.size() : at + 1;
}

// user:X, not docker's uid:gid, nor https://…
std::size_t behind_user(std::string_view value) {
  const std::size_t start = behind(value, ':');
  const bool group = is_number(value.substr(start)) && is_number(value.substr(0, start - 1));
  if (start > 1 && value.substr(0, start).find('.') != std::string_view::npos &&
      is_number(value.substr(start))) {
    return value.size();  // a host's port
  }
  return value.substr(start).starts_with("//") || group ? value.size() : start;
}

std::size_t start_within(Holds holds, std::string_view value) {
  switch (holds) {
    case Holds::all:
      return 0;
    case Holds::no_word:
      return text::is_no_word(value) ? 0 : value.size();
    case Holds::no_address:
      return value.find("://") == std::string_view::npos ? 0 : value.size();
    case Holds::behind_colon:
      return behind_user(value);
    case Holds::behind_comma:
      return behind(value, ',');
    case Holds::behind_percent:
      return behind(value, '%');
    case Holds::behind_slash:
      return value.find('@') < value.size() ? behind(value, '/') : value.size();
    case Holds::cookie:
      return is_cookie_file(value) ? value.size() : 0;
  }
  return value.size();
}

// curl's -fsSLu
bool is_option(std::string_view word, std::string_view option) {
  if (word == option) return true;
  const auto letter = [](char c) {
    return (text::upper_case(c) >= 'A' && text::upper_case(c) <= 'Z');
  };
  return (option == "-u" || option == "-U") && word.size() > 2 && word.size() <= 8 &&
         word[0] == '-' && word.back() == option[1] &&
         std::all_of(word.begin() + 1, word.end(), letter);
}

}  // namespace

void Programs::see(std::string_view word) {
  const std::string_view name = name_of(word);
  if (name.empty() || name.size() > 24) return;
  const auto note = [&](std::size_t bit, std::string_view list) {
    if (is_listed(list, name)) seen_ |= std::uint64_t{1} << bit;
  };
  for (std::size_t i = 0; i < short_options.size(); ++i) note(i, short_options[i].programs);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    note(first_operand + 2 * i, operands[i].program);
    note(first_operand + 2 * i + 1, operands[i].command);
  }
  note(naming_bit, naming);
}

std::size_t Programs::start_in_next(std::string_view option, std::string_view value) const {
  for (std::size_t i = 0; i < short_options.size(); ++i) {
    const ShortOption& row = short_options[i];
    if ((seen_ >> i & 1U) == 0 || row.stands == Stands::attached || !is_option(option, row.option))
      continue;
    return start_within(row.holds, value);
  }
  return value.size();
}

std::size_t Programs::start_in(std::string_view word) const {
  for (std::size_t i = 0; i < short_options.size(); ++i) {
    const ShortOption& row = short_options[i];
    if ((seen_ >> i & 1U) == 0 || row.stands == Stands::next || word.size() <= row.option.size() ||
        !word.starts_with(row.option)) {
      continue;
    }
    const std::size_t from = row.option.size() + (word[row.option.size()] == '=' ? 1 : 0);
    const std::string_view value = word.substr(from);
    if (row.option == "-p" && is_port(value)) return word.size();
    return from + start_within(row.holds, value);
  }
  return word.size();
}

std::size_t Programs::start_in_operand(std::string_view word, bool last, Words kind) const {
  const bool sure = last && kind == Words::command;
  if (word.starts_with('-') || (!sure && !text::is_no_word(word))) return word.size();
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if ((seen_ >> (first_operand + 2 * i) & 3U) != 3U) continue;
    if (operands[i].holds != Holds::all) return start_within(operands[i].holds, word);
    return word.starts_with("token=") ? 6 : 0;
  }
  return word.size();
}

bool Programs::takes_names() const {
  return (seen_ >> naming_bit & 1U) != 0;
}

namespace {

bool is_switched_off(std::string_view upper_option) {
  return upper_option.starts_with("--NO-") || upper_option.starts_with("--SKIP-");
}

// Options whose value is a password, whatever it looks like.
bool takes_a_password(std::string_view upper_option) {
  constexpr std::array<std::string_view, 9> endings = {"-PASSWORD",   "-PASSWD",  "-PASS",
                                                       "-PASSPHRASE", "-PWD",     "-PW",
                                                       "-STOREPASS",  "-KEYPASS", "-OTP"};
  return text::ends_with_one_of(upper_option, endings);
}

// Options whose value is a secret, or the name of the file that holds it.
bool takes_a_secret(std::string_view upper_option) {
  constexpr std::array<std::string_view, 15> endings = {
      "-CREDENTIALS", "-TOKEN", "-SECRET", "-API-KEY", "-APIKEY", "-CREDS", "-COOKIE",
      "-CREDENTIAL",  "-AUTH",  "-BEARER", "-WEBHOOK", "-KEY",    "-PAT",   "-CONNECTION-STRING",
      "-JWT"};
  constexpr std::array<std::string_view, 6> harmless = {"-PUBLIC-KEY", "-CACHE-KEY", "--KEY",
                                                        "-SSH-KEY",    "-SORT-KEY",  "-TLS-KEY"};
  if (!text::ends_with_one_of(upper_option, endings)) return false;
  if (!upper_option.ends_with("-KEY") || upper_option.ends_with("API-KEY")) return true;
  constexpr std::array<std::string_view, 7> keys = {"ACCESS-KEY",  "SECRET-KEY",     "PRIVATE-KEY",
                                                    "ACCOUNT-KEY", "ENCRYPTION-KEY", "SIGNING-KEY",
                                                    "DEPLOY-KEY"};
  return text::ends_with_one_of(upper_option, keys) &&
         !text::ends_with_one_of(upper_option, harmless);
}

bool is_header_option(std::string_view option) {
  return option == "-H" || option.ends_with("-header");
}

bool is_user_option(std::string_view option) {
  return option == "-u" || option.ends_with("-user") || option.ends_with("-username");
}

bool is_a_variable(std::string_view name) {
  return std::all_of(name.begin(), name.end(), text::is_word_character);
}

// The next word of a sentence: "--token is required".
bool is_prose(std::string_view word) {
  constexpr std::array<std::string_view, 35> words = {
      "is",       "was",     "are",  "were",  "must",   "can", "cannot", "or",   "and",
      "to",       "for",     "flag", "flags", "not",    "has", "have",   "will", "should",
      "requires", "in",      "on",   "as",    "the",    "a",   "an",     "from", "if",
      "when",     "without", "with", "of",    "option", "but", "via",    "given"};
  return text::is_one_of(word, words);
}

std::size_t behind_header_name(std::string_view value) {
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos || value.substr(colon).starts_with("://"))
    return value.size();
  return std::min(value.find_first_not_of(' ', colon + 1), value.size());
}

// pass:X of openssl, and the other places that it reads a password from.
std::size_t behind_pass(std::string_view value) {
  constexpr std::array<std::string_view, 4> elsewhere = {"file:", "env:", "fd:", "stdin"};
  const auto begins = [&](std::string_view start) { return value.starts_with(start); };
  if (std::any_of(elsewhere.begin(), elsewhere.end(), begins)) return value.size();
  return value.starts_with("pass:") ? 5 : 0;
}

// Of NAME=X inside a value: --env=TOKEN=X, --from-literal=key=X, -e NAME=X.
std::size_t behind_assignment(std::string_view option, std::string_view value) {
  const std::size_t start = behind(value, '=');
  const bool literal = option == "--from-literal";
  return start < value.size() && (literal || names_a_secret(value.substr(0, start - 1)))
             ? start
             : value.size();
}

}  // namespace

std::size_t secret_start(std::string_view option, std::string_view value, Words kind) {
  if (!option.starts_with('-')) return value.size();
  std::string upper = text::upper_case(option);
  std::replace(upper.begin(), upper.end(), '_', '-');
  const bool sentence = kind == Words::text && (is_prose(value) || value.starts_with("--"));
  if (is_switched_off(upper) || sentence) return value.size();
  if (takes_a_password(upper)) return behind_pass(value);
  if (upper == "-PASSIN" || upper == "-PASSOUT")
    return value.starts_with("pass:") ? 5 : value.size();
  if (takes_a_secret(upper)) {
    const bool of_docker = value.starts_with("id=") || value.starts_with("type=");
    if (of_docker || is_a_file_name(value)) return value.size();
    if (kind == Words::text && value.find('/') == std::string_view::npos &&
        is_a_file_name("./" + std::string(value))) {
      constexpr std::array<std::string_view, 10> kinds = {".json", ".pem", ".key",  ".txt", ".yaml",
                                                          ".yml",  ".cfg", ".conf", ".crt", ".p12"};
      if (text::ends_with_one_of(value, kinds)) return value.size();
    }
    return 0;
  }
  if (is_header_option(option)) return behind_header_name(value);
  if (is_user_option(option)) return behind_user(value);
  return option.starts_with("--") && kind == Words::command ? behind_assignment(option, value)
         : option == "--from-literal"                       ? behind_assignment(option, value)
                                                            : value.size();
}

namespace {

// Of NAME:X: what git, httpie, curl, msbuild and jarsigner take.
std::size_t behind_colon(std::string_view word, std::size_t colon, Words kind) {
  const std::string_view name = word.substr(0, colon);
  if (word.starts_with("/p:") || word.starts_with("-p:"))
    return 3 + secret_start(word.substr(3), kind);
  if (name.starts_with("-H")) return behind_header_name(word);
  if (name.starts_with('-'))
    return takes_a_password(text::upper_case(name)) ? colon + 1 : word.size();
  const bool header = kind == Words::command && !word.substr(colon).starts_with("://") &&
                      (names_a_secret(name) || text::upper_case(name) == "AUTHORIZATION");
  return header && is_a_variable(name) ? behind_header_name(word) : word.size();
}

// Of NAME=X. What a name has as its value in a text, patterns know better.
std::size_t behind_equals(std::string_view word, std::size_t equals, Words kind) {
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = word.substr(equals + 1);
  if (text::upper_case(name).ends_with("EXTRAHEADER"))
    return equals + 1 + behind_header_name(value);
  if (name.starts_with('-')) {
    const std::size_t start = secret_start(name, value, kind);
    if (start < value.size() || name.starts_with("--")) return equals + 1 + start;
    const bool named = names_a_secret(name.substr(1)) || name.ends_with("sonar.login");
    return named && !is_a_file_name(value) ? equals + 1 : word.size();
  }
  if (kind == Words::text) return word.size();
  const std::string_view variable = name.substr(name.find_last_of(",.:/") + 1);  // npos + 1 is 0
  const bool named = is_a_variable(variable) && names_a_secret(variable);
  return named && !is_a_file_name(value) ? equals + 1 : word.size();
}

}  // namespace

std::size_t secret_start(std::string_view word, Words kind) {
  const std::size_t colon = word.find(':');
  const std::size_t equals = word.find('=');
  if (colon < equals) {
    const std::size_t start = behind_colon(word, colon, kind);
    if (start < word.size()) return start;
  }
  return equals == std::string_view::npos ? word.size() : behind_equals(word, equals, kind);
}

}  // namespace retry_exec::redact
