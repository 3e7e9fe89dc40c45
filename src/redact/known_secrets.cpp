#include "redact/known_secrets.hpp"

#include "redact/command_words.hpp"
#include "redact/escapes.hpp"
#include "redact/secret_forms.hpp"
#include "redact/secret_patterns.hpp"
#include "redact/secret_places.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <cstdint>

namespace retry_exec::redact {

namespace {

// A word of five letters is found in too many innocent places to count as a secret.
constexpr std::size_t shortest_secret = 6;
constexpr std::size_t longest_script = std::size_t{64} << 10;
constexpr std::size_t deepest_script = 3;

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

}  // namespace

void KnownSecrets::learn_arguments(std::span<const std::string> argv) {
  struct Level {
    std::vector<std::string> words;
    std::size_t depth;
  };
  std::vector<Level> levels = {{{argv.begin(), argv.end()}, 0}};
  while (!levels.empty()) {
    const Level level = std::move(levels.back());
    levels.pop_back();
    for_each_secret(level.words, Words::command, [&](std::size_t i, std::size_t start) {
      learn(std::string_view(level.words[i]).substr(start));
    });
    if (level.depth == deepest_script) continue;
    for (const std::string& word : level.words) {
      learn_inside(word);
      if (word.find_first_of(" \t\n") == std::string::npos) continue;
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
      learn(colon == std::string_view::npos ? user : user.substr(colon + 1));
    }
  }
  if (value.find_first_of(";&?") == std::string_view::npos) return;
  for (std::size_t start = 0; start < value.size();) {
    const std::size_t end = std::min(value.find_first_of(";&?", start), value.size());
    const std::string_view part = value.substr(start, end - start);
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos) {
      const std::string name(part.substr(0, equals));
      const bool key = text::upper_case(name).ends_with("KEY");
      if (key || names_a_secret(trimmed(name))) learn(part.substr(equals + 1));
    }
    start = end + 1;
  }
}

void KnownSecrets::learn(std::string_view secret) {
  secret = trimmed(secret);
  if (secret.ends_with("\\r") || secret.ends_with("\\n")) secret.remove_suffix(2);  // of expect
  if (text::printable(secret).size() < shortest_secret) return;  // nor are its forms worth a look
  add(secret);
  for_each_form(secret, [&](std::string_view form) { add(form); });
  learn_parts(secret);
  const std::size_t blank = secret.find(' ');
  if (blank == std::string_view::npos) return;
  constexpr std::array<std::string_view, 3> schemes = {"BEARER", "BASIC", "TOKEN"};
  if (text::is_one_of(text::upper_case(secret.substr(0, blank)), schemes))
    learn(secret.substr(blank + 1));
}

// Of cookies each value, of user:X the X, of a webhook's address each part, that nobody could
// guess.
void KnownSecrets::learn_parts(std::string_view secret) {
  const auto learn_part = [&](std::string_view part) {
    if (part.size() < secret.size() && text::is_no_word(part)) add(part);
  };
  const bool address = secret.find("://") != std::string_view::npos;
  if (secret.starts_with("https://")) text::for_each_part(secret.substr(8), '/', learn_part);
  if (address) return;
  learn_part(secret.substr(0, secret.rfind('@')));
  for (std::size_t start = 0; start <= secret.size();) {
    const std::size_t end = std::min(secret.find_first_of(",; ", start), secret.size());
    const std::string_view part = secret.substr(start, end - start);
    learn_part(part.substr(part.find_first_of("=:") + 1));  // npos + 1 is 0
    start = end + 1;
  }
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

}  // namespace retry_exec::redact
