#include "redact/secret_places.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>

namespace retry_exec::redact {

namespace {

// SIGNING_KEY, STRIPE_KEY_BASE64; not PUBLIC_KEY, CACHE_KEY, GPG_KEY_ID.
bool names_a_key(std::string_view upper) {
  constexpr std::array<std::string_view, 4> forms = {"_KEY", "_KEY_BASE64", "_KEY_B64", "_KEY_PEM"};
  constexpr std::array<std::string_view, 3> harmless = {"PUBLIC", "PUB", "CACHE"};
  if (!text::ends_with_one_of(upper, forms)) return false;
  return !text::ends_with_one_of(upper.substr(0, upper.rfind("_KEY")), harmless);
}

}  // namespace

bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 15> anywhere = {
      "TOKEN",   "SECRET",     "PASSWORD",   "PASSWD",      "PASSPHRASE",
      "API_KEY", "ACCESS_KEY", "CREDENTIAL", "PRIVATE_KEY", "REQUIREPASS",
      "BEARER",  "WEBHOOK",    "SSHPASS",    "MASTERAUTH",  "SMTPPASS",
  };
  constexpr std::array<std::string_view, 11> whole_words = {
      "AUTH", "PAT", "PASS", "PWD", "PW", "APIKEY", "JWT", "COOKIE", "COOKIES", "OAUTH", "PSK"};
  constexpr std::array<std::string_view, 7> about_it = {"_SOCK", "_FILE",   "_PATH", "_DIR",
                                                        "_URL",  "_HELPER", "_JAR"};
  if (name == "PWD" || name == "OLDPWD") return false;
  std::string upper = text::upper_case(name);
  std::replace_if(
      upper.begin(), upper.end(), [](char c) { return !text::is_word_character(c); }, '_');
  const auto holds = [&](std::string_view word) { return upper.find(word) != std::string::npos; };
  // The address of a webhook is the secret.
  if (text::ends_with_one_of(upper, about_it)) return holds("WEBHOOK_URL");
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

}  // namespace retry_exec::redact
