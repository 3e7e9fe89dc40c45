#include "redact/secret_options.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>

namespace retry_exec::redact {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
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

std::size_t behind_user_at_host(std::string_view value) {
  const std::size_t at = value.rfind('@');
  if (at == std::string_view::npos) return value.size();
  const std::size_t scheme = value.find("://");
  const std::size_t colon = value.find(':', scheme == std::string_view::npos ? 0 : scheme + 3);
  return colon < at ? colon + 1 : value.size();
}

namespace {

bool is_switched_off(std::string_view upper_option) {
  return upper_option.starts_with("--NO-") || upper_option.starts_with("--SKIP-");
}

// Options whose value is a password, whatever it looks like.
bool takes_a_password(std::string_view upper_option) {
  constexpr std::array<std::string_view, 12> endings = {
      "PASSWORD", "PASSWD", "PASSPHRASE", "STOREPASS", "KEYPASS",     "DBPASS",
      "-PASS",    "-PWD",   "-PW",        "-OTP",      "REQUIREPASS", "MASTERAUTH"};
  upper_option = upper_option.substr(0, upper_option.find_last_not_of("0123456789") + 1);
  return text::ends_with_one_of(upper_option, endings);
}

// Options whose value is a secret, or the name of the file that holds it.
bool takes_a_secret(std::string_view upper_option) {
  constexpr std::array<std::string_view, 22> endings = {"-CREDENTIALS",  "-TOKEN",
                                                        "-SECRET",       "-API-KEY",
                                                        "APIKEY",        "-CREDS",
                                                        "-COOKIE",       "-AUTHTOKEN",
                                                        "-CREDENTIAL",   "-AUTH",
                                                        "-REPOTOKEN",    "-BEARER",
                                                        "-WEBHOOK",      "-KEY",
                                                        "-SECRETSTRING", "-PAT",
                                                        "-PSK",          "-SECRET-STRING",
                                                        "-JWT",          "-AUTHKEY",
                                                        "LICENSEKEY",    "-CONNECTION-STRING"};
  constexpr std::array<std::string_view, 6> harmless = {"-PUBLIC-KEY", "-CACHE-KEY", "--KEY",
                                                        "-SSH-KEY",    "-SORT-KEY",  "-TLS-KEY"};
  if (!text::ends_with_one_of(upper_option, endings)) return false;
  if (!upper_option.ends_with("-KEY") || upper_option.ends_with("API-KEY")) return true;
  constexpr std::array<std::string_view, 12> keys = {
      "ACCESS-KEY",     "SECRET-KEY",  "PRIVATE-KEY",     "ACCOUNT-KEY",
      "ENCRYPTION-KEY", "SIGNING-KEY", "LICENSE-KEY",     "DEPLOY-KEY",
      "AUTH-KEY",       "GOSSIP-KEY",  "CERTIFICATE-KEY", "DECRYPTION-KEY"};
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
  std::replace_if(
      upper.begin(), upper.end(), [](char c) { return c == '_' || c == '.'; }, '-');
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
  if (upper.ends_with("PROXY")) return behind_user_at_host(value);
  if (is_header_option(option)) return behind_header_name(value);
  if (is_user_option(option)) return behind_user(value);
  return option.starts_with("--") && kind == Words::command ? behind_assignment(option, value)
         : option == "--from-literal"                       ? behind_assignment(option, value)
                                                            : value.size();
}

namespace {

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
  if (text::upper_case(variable).ends_with("_PROXY"))
    return equals + 1 + behind_user_at_host(value);
  const bool named = is_a_variable(variable) && names_a_secret(variable);
  return named && !is_a_file_name(value) ? equals + 1 : word.size();
}

// Of NAME:X: what git, httpie, curl, msbuild and jarsigner take.
std::size_t behind_colon(std::string_view word, std::size_t colon, Words kind) {
  const std::string_view name = word.substr(0, colon);
  for (const std::string_view property : {"/p:", "-p:", "/d:"}) {
    if (!word.starts_with(property)) continue;
    const std::string option = "-" + std::string(word.substr(property.size()));
    const std::size_t sign = option.find('=');
    return sign == std::string::npos ? word.size()
                                     : property.size() - 1 + behind_equals(option, sign, kind);
  }
  const std::string_view letters = name.substr(std::min<std::size_t>(name.size(), 1));
  const bool of_windows = name.starts_with('/') && letters.find('/') == std::string_view::npos;
  if (of_windows && takes_a_password("-" + text::upper_case(letters))) return colon + 1;
  if (name.starts_with("-H")) return behind_header_name(word);
  if (name.starts_with('-'))
    return takes_a_password(text::upper_case(name)) ? colon + 1 : word.size();
  const bool header = kind == Words::command && !word.substr(colon).starts_with("://") &&
                      (names_a_secret(name) || text::upper_case(name) == "AUTHORIZATION");
  return header && is_a_variable(name) ? behind_header_name(word) : word.size();
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
