#include "redact/known_secrets.hpp"

#include "redact/command_words.hpp"
#include "redact/escapes.hpp"
#include "redact/secret_forms.hpp"
#include "redact/secret_patterns.hpp"
#include "redact/secret_places.hpp"
#include "redact/torn_secrets.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace retry_exec::redact {

namespace {

// A word of five letters is found in too many innocent places to count as a secret.
constexpr std::size_t shortest_secret = 6;
constexpr std::size_t longest_script = std::size_t{64} << 10;
constexpr std::size_t deepest_script = 3;
constexpr std::size_t longest_line = 4096;  // of a script, as of all that is shown
constexpr std::size_t most_values = 4096;   // that are learnt from patterns, with their forms

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

std::vector<std::string> texts_of(const std::vector<Word>& words) {
  std::vector<std::string> texts;
  texts.reserve(words.size());
  for (const Word& word : words) texts.push_back(word.text);
  return texts;
}

bool is_all_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

constexpr std::string_view digits = "0123456789";

// What a header says of content: Accept: application/vnd.oci.image.index.v1+json, text/html.
bool is_a_media_type(std::string_view text) {
  constexpr std::array<std::string_view, 5> starts = {"application/", "text/", "image/",
                                                      "multipart/", "*/*"};
  const auto begins = [&](std::string_view start) { return text.starts_with(start); };
  return std::any_of(starts.begin(), starts.end(), begins);
}

// What somebody may have set as a password, and what is in too many texts to be one: hidden
// wherever it stands, it would make them unreadable.
bool is_ordinary(std::string_view text) {
  constexpr std::array<std::string_view, 55> words = {
      "ALPINE",      "ANONYMOUS", "BEARER",     "BOOLEAN",    "CLIENT",   "CONNECTION", "DATABASE",
      "DEBIAN",      "DEFAULT",   "DEVELOP",    "DISABLED",   "DOCKER",   "ENABLED",    "EXAMPLE",
      "FAILED",      "FAILURE",   "GITHUB",     "GITLAB",     "HIDDEN",   "INVALID",    "LATEST",
      "LOCALHOST",   "MARIADB",   "MASTER",     "MISSING",    "MONGODB",  "NETWORK",    "NUMBER",
      "DEVELOPMENT", "OBJECT",    "OPTIONAL",   "PASSPHRASE", "PASSWD",   "PASSWORD",   "POSTGRES",
      "PRIVATE",     "PUBLIC",    "PRODUCTION", "RABBITMQ",   "REGISTRY", "RELEASE",    "REQUEST",
      "REQUIRED",    "SECRET",    "SERVER",     "SERVICE",    "STAGING",  "STRING",     "SUCCESS",
      "TIMEOUT",     "UNDEFINED", "UNKNOWN",    "USERNAME",   "VERSION",  "WINDOWS"};
  return text::is_one_of(text::upper_case(text), words) || is_all_of(text, text.substr(0, 1)) ||
         is_a_media_type(text);
}

// $PASSWORD, ${PASSWORD}, ${{ secrets.X }}, $(cat file): what a script has in the place of a
// secret.
bool is_a_variable(std::string_view text) {
  if (!text.starts_with('$') || text.size() < 2) return false;
  return text[1] == '{' || text[1] == '(' ||
         is_all_of(text.substr(1), "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
}

// Of the password of an address, what the program reads that it is given to.
std::string without_percents(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const std::string_view two = text.substr(at).starts_with('%') ? text.substr(at + 1, 2) : "";
    const auto [end, error] = std::from_chars(two.data(), two.data() + two.size(), value, 16);
    const bool escape = two.size() == 2 && error == std::errc() && end == two.data() + 2;
    plain += escape ? static_cast<char>(value) : text[at];
    if (escape) at += 2;
  }
  return plain;
}

std::string_view without_quotes(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of("\"'"), text.size());
  return text.substr(first, text.find_last_not_of("\"'") + 1 - first);
}

bool names_a_session(std::string_view name) {
  const std::string upper = text::upper_case(name);
  return upper.find("SESS") != std::string::npos || upper == "SID" || names_a_secret(name);
}

// What a server made up: state=X of an upload.
bool is_random(std::string_view text) {
  constexpr std::size_t shortest = 12;
  const auto has = [&](char first, char last) {
    return std::any_of(text.begin(), text.end(), [&](char c) { return c >= first && c <= last; });
  };
  return text.size() >= shortest && has('0', '9') && has('a', 'z') && has('A', 'Z') &&
         text.find(':') == std::string_view::npos;
}

}  // namespace

void KnownSecrets::learn_arguments(std::span<const std::string> argv,
                                   const SecretPatterns& patterns) {
  learn_places(argv);
  const auto found = [&](std::string_view before, std::string_view secret) {
    learn_found(before, secret);
  };
  std::size_t left = longest_script;
  for (const std::string& argument : argv) {
    const std::string_view read = std::string_view(argument).substr(0, left);
    left -= read.size();
    std::string shown = text::printable(read);
    patterns.take_out_of_lines(shown, found);
    std::string lines;
    text::for_each_part(read, '\n', [&](std::string_view line) {
      shown = text::printable(line.substr(0, longest_line));
      lines += shown + "\n";
      patterns.take_out_of(shown, found);
    });
    patterns.take_out_below_names(lines, [&](std::string_view before, std::string_view secret) {
      text::for_each_part(secret, '\n', [&](std::string_view line) {
        if (const std::string_view value = trimmed(line); !value.empty()) found(before, value);
      });
    });
  }
}

// What a pattern found is less sure to be a secret than what stands in the place of one, so a short
// word or number is not known everywhere for it.
void KnownSecrets::learn_found(std::string_view before, std::string_view secret) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_ ";
  constexpr std::size_t shortest_word = 8;
  const bool plain = is_all_of(secret, letters) || is_all_of(secret, digits);
  if (secret.find(redacted) != std::string_view::npos || values_.size() > most_values) return;
  if (plain && secret.size() < shortest_word) return;
  if (before.ends_with('?') && secret.find('=') != std::string_view::npos) {
    text::for_each_part(secret, '&', [&](std::string_view part) {
      const std::string_view value = part.substr(part.find('=') + 1);  // npos + 1 is 0
      if (is_random(value)) learn(value);
    });
    return learn_inside("?" + std::string(secret));
  }
  if (before.ends_with("KEY-----") || before.ends_with("BLOCK-----")) return learn_key(secret);
  learn(secret);
  constexpr std::string_view around = "\"'`<>()[]{}.,:;\\";
  const std::size_t first = secret.find_first_not_of(around);
  if (first == std::string_view::npos) return;
  learn(secret.substr(first, secret.find_last_not_of(around) + 1 - first));
  const bool of_address =
      before.substr(before.find_last_of(" \"'") + 1).find("://") != std::string_view::npos;
  if (of_address)
    text::for_each_part(secret, '/', [&](std::string_view part) { learn_part(part); });
}

// Each line of a private key, also of one whose line breaks are "\n".
void KnownSecrets::learn_key(std::string_view key) {
  for (std::size_t at = 0; at < key.size();) {
    const std::size_t end = std::min(key.find_first_of(" \\", at), key.size());
    std::string_view line = key.substr(at, end - at);
    if (at > 0 && key[at - 1] == '\\' && line.starts_with('n')) line.remove_prefix(1);
    if (line.size() >= 2 * shortest_secret) add(line);
    at = end + 1;
  }
}

void KnownSecrets::learn_places(std::span<const std::string> argv) {
  struct Level {
    std::vector<std::string> words;
    std::size_t depth;
  };
  std::vector<Level> levels = {{{argv.begin(), argv.end()}, 0}};
  while (!levels.empty()) {
    const Level level = std::move(levels.back());
    levels.pop_back();
    for_each_secret(level.words, Words::command, [&](std::size_t i, std::size_t start) {
      const std::string_view secret = std::string_view(level.words[i]).substr(start);
      const bool user = level.words[i] == std::string(secret) + ":" + std::string(secret);
      if (!user) learn(secret);  // of docker run -u runner:runner it is the group
    });
    if (level.depth == deepest_script) continue;
    for (const std::string& word : level.words) {
      learn_inside(word);
      if (word.find_first_of(" \t\n\"'") == std::string::npos) continue;
      const Word script = whole(std::string_view(word).substr(0, longest_script));
      levels.push_back({texts_of(words_of(script)), level.depth + 1});
    }
  }
}

void KnownSecrets::learn_variable(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  if (equals == std::string_view::npos) return;
  const std::string_view value = entry.substr(equals + 1);
  if (value.size() < shortest_secret) return;
  learn_inside(value);
  if (!names_a_secret(entry.substr(0, equals)) || is_a_file_name(value)) return;
  learn(value);
  text::for_each_part(value, '\n', [&](std::string_view line) {
    if (line.size() >= 2 * shortest_secret && line.size() < value.size()) add(line);
  });
}

// What a value that is not a secret as a whole may hold: the password of a URL, or of a connection
// string.
void KnownSecrets::learn_inside(std::string_view value) {
  if (const std::size_t scheme = value.find("://"); scheme != std::string_view::npos) {
    const std::string_view rest = value.substr(scheme + 3);
    const std::size_t at = rest.substr(0, rest.find_first_of("/ \t\n\"'")).rfind('@');
    if (at != std::string_view::npos) {
      const std::string_view user = rest.substr(0, at);
      const std::size_t colon = user.find(':');
      const std::string_view secret = user.substr(colon + 1);  // npos + 1 is 0
      learn(secret);
      if (secret.find('%') != std::string_view::npos) learn(without_percents(secret));
    }
  }
  if (value.find_first_of(";&?") == std::string_view::npos) return;
  for (std::size_t start = 0; start < value.size();) {
    const std::size_t end = std::min(value.find_first_of(";&?", start), value.size());
    const std::string_view part = value.substr(start, end - start);
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos) {
      const std::string name(part.substr(0, equals));
      constexpr std::array<std::string_view, 3> endings = {"KEY", "SIG", "SIGNATURE"};
      const std::string_view secret = part.substr(equals + 1);
      const bool key = text::ends_with_one_of(text::upper_case(name), endings);
      if (key || names_a_secret(trimmed(name))) learn(secret);
    }
    start = end + 1;
  }
}

void KnownSecrets::learn(std::string_view secret) {
  secret = trimmed(secret);
  if (secret.ends_with("\\r") || secret.ends_with("\\n")) secret.remove_suffix(2);  // of expect
  if (text::printable(secret).size() < shortest_secret) return;  // nor are its forms worth a look
  if (is_ordinary(secret) || is_a_variable(secret)) return;
  add(secret);
  for_each_form(secret, [&](std::string_view form) { add(form); });
  learn_parts(secret);
  const std::size_t blank = secret.find(' ');
  if (blank == std::string_view::npos) return;
  constexpr std::array<std::string_view, 3> schemes = {"BEARER", "BASIC", "TOKEN"};
  if (text::is_one_of(text::upper_case(secret.substr(0, blank)), schemes))
    learn(secret.substr(blank + 1));
}

// Of cookies each value, of user:X and X@db the X, of a webhook's address each part.
void KnownSecrets::learn_parts(std::string_view secret) {
  if (secret.starts_with("https://")) {
    text::for_each_part(secret.substr(8), '/', [&](std::string_view part) { learn_part(part); });
  }
  if (secret.find("://") != std::string_view::npos) return;
  constexpr std::size_t shortest_word = 8;
  const auto learn_sure = [&](std::string_view part) {
    if (part.size() < secret.size() && part.size() >= shortest_word && !is_ordinary(part))
      add(part);
  };
  learn_sure(secret.substr(0, secret.rfind('@')));
  if (std::count(secret.begin(), secret.end(), ':') == 1 &&
      secret.find(' ') == std::string_view::npos)
    learn_sure(secret.substr(secret.find(':') + 1));
  if (std::count(secret.begin(), secret.end(), '/') == 1)
    learn_part(secret.substr(secret.find('/') + 1));
  for (std::size_t start = 0; start <= secret.size();) {
    const std::size_t end = std::min(secret.find_first_of(",; ", start), secret.size());
    const std::string_view part = secret.substr(start, end - start);
    const std::size_t sign = part.find_first_of("=:");
    const std::string_view value = without_quotes(part.substr(sign + 1));  // npos + 1 is 0
    const bool named = sign != std::string_view::npos && names_a_session(part.substr(0, sign));
    if (value.size() < secret.size()) named ? learn_sure(value) : learn_part(value);
    start = end + 1;
  }
}

// What nobody could guess; no version, date or host.
void KnownSecrets::learn_part(std::string_view part) {
  constexpr std::size_t longest_number = 16;
  const bool number = is_all_of(part, "0123456789.:-") && part.size() < longest_number;
  if (text::is_no_word(part) && !number) add(part);
}

void KnownSecrets::add(std::string_view text) {
  std::string shown = text::printable(trimmed(text));
  if (shown.size() >= shortest_secret) values_.push_back(std::move(shown));
}

void KnownSecrets::finish() {
  std::sort(values_.begin(), values_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
  for (std::uint32_t i = 0; i < values_.size(); ++i) {
    by_first_byte_[static_cast<unsigned char>(values_[i][0])].push_back(i);
  }
}

std::size_t KnownSecrets::length_at(std::string_view text, std::size_t at) const {
  const std::string_view rest = text.substr(at);
  for (const std::uint32_t i : by_first_byte_[static_cast<unsigned char>(text[at])]) {
    if (const std::size_t length = length_of_escaped(rest, values_[i])) return length;
  }
  if (!may_begin_an_escape(rest)) return 0;
  for (const std::string& value : values_) {
    if (const std::size_t length = length_of_escaped(rest, value)) return length;
  }
  return 0;
}

void KnownSecrets::take_out_of(std::string& text) const {
  if (values_.empty()) return;
  std::string result;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (std::string_view(text).substr(at).starts_with(redacted)) {
      at += redacted.size();
      continue;
    }
    const std::size_t length = length_at(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    result.append(text, done, at - done).append(redacted);
    done = at += length;
  }
  if (done > 0) text = result.append(text, done);
}

// Of a text of two lines the first one may only say what the second is: that begins anew. A mark
// says that a line was cut.
void KnownSecrets::take_halves_out_of(std::string& text) const {
  constexpr std::string_view mark = "…";
  const auto longest = [this](std::string_view part, auto length_of) {
    std::size_t length = 0;
    for (const std::string& value : values_) length = std::max(length, length_of(part, value));
    return length;
  };
  std::size_t end = text.rfind(mark);
  if (end == text.npos || text.find('\n', end) != text.npos) end = text.size();
  for (const std::size_t last : {text.size(), end}) {
    const std::string_view whole = std::string_view(text).substr(0, last);
    const std::string_view part = whole.substr(0, whole.find_last_not_of(" \t\n") + 1);
    if (const std::size_t length = longest(part, torn_at_end))
      text.replace(part.size() - length, length, redacted);
  }
  for (const std::size_t line : {text.find_last_of('\n') + 1, std::size_t{0}}) {
    std::size_t begin = std::min(text.find_first_not_of(" \t\n", line), text.size());
    if (std::string_view(text).substr(begin).starts_with(mark))
      begin = std::min(text.find_first_not_of(' ', begin + mark.size()), text.size());
    if (const std::size_t length = longest(std::string_view(text).substr(begin), torn_at_start))
      text.replace(begin, length, redacted);
  }
}

}  // namespace retry_exec::redact
