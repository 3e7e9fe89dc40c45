// Which options and operands of single programs hold a secret.
#include "redact/secret_programs.hpp"

#include "redact/command_words.hpp"
#include "redact/secret_options.hpp"
#include "redact/secret_program_rows.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <unordered_map>

namespace retry_exec::redact {

namespace {

constexpr std::string_view naming =
    " config configure CONFIG setenv ENV AUTH set nmcli set-env redis-cli ";
constexpr std::size_t naming_bit = 2 * rows.size();

using Bits = std::bitset<384>;
static_assert(naming_bit < Bits().size());

// Whether `list`, of words between blanks, has `word`.
bool has_word(std::string_view list, std::string_view word) {
  return !word.empty() && word.find(' ') == std::string_view::npos &&
         list.find(" " + std::string(word) + " ") != std::string_view::npos;
}

// Which bits a word sets.
using Index = std::unordered_map<std::string_view, Bits>;

Index index_of_rows() {
  Index index;
  const auto note = [&](std::string_view list, std::size_t bit) {
    text::for_each_part(list, ' ', [&](std::string_view word) {
      if (!word.empty()) index[word].set(bit);
    });
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    note(rows[i].programs, 2 * i);
    note(rows[i].commands, 2 * i + 1);
  }
  note(naming, naming_bit);
  return index;
}

// The rows that need no command.
Bits without_commands() {
  Bits bits;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].commands.empty()) bits.set(2 * i + 1);
  }
  return bits;
}

// The rows of a command, and none of a program.
Bits of_commands() {
  Bits bits;
  for (std::size_t i = 0; i < rows.size(); ++i) bits.set(2 * i + 1);
  return bits;
}

// The name of a program, also as the first of a list, argv=['docker', and as Windows has it:
// C:\Tools\NuGet.exe.
std::string name_of(std::string_view word) {
  const std::string_view name =
      word.substr(word.find_last_of("/\\])}[({=`'\"") + 1);  // npos + 1 is 0
  constexpr std::array<std::string_view, 4> endings = {".exe", ".cmd", ".bat", ".com"};
  std::string lower = text::lower_case(name);  // nuget takes setApiKey, SETAPIKEY and setapikey
  if (!text::ends_with_one_of(lower, endings)) return std::string(name);
  lower.resize(lower.size() - 4);
  return lower;
}

bool is_cookie_file(std::string_view value) {
  return value.find('=') == std::string_view::npos &&
         (is_a_file_name(value) || value.ends_with(".txt") || value.ends_with(".jar"));
}

// docker run --name mysql -p3306:3306
bool is_port(std::string_view value) {
  const std::string_view port = value.substr(0, value.find(':'));
  return port.size() < value.size() && is_number(port);
}

bool is_a_package(std::string_view value) {
  return value.find("://") != std::string_view::npos || value.ends_with("nupkg") ||
         is_a_file_name(value);
}

// me/X of sqlplus without a database; not control=dir/file, @script, dir/file.sql.
std::size_t behind_user_name(std::string_view value) {
  const std::size_t slash = value.find('/');
  const bool named = value.find('=') == std::string_view::npos || value.starts_with("userid=");
  const bool alone = slash != 0 && slash == value.rfind('/') &&
                     value.find_first_of("@:\\") == std::string_view::npos &&
                     value.substr(0, slash).find('.') == std::string_view::npos;
  return named && alone && slash != std::string_view::npos ? slash + 1 : value.size();
}

// /add of net, +quit of steamcmd
bool is_a_switch(std::string_view word) {
  return word.starts_with('/') || word.starts_with('+');
}

std::size_t start_within(Holds holds, std::string_view value) {
  switch (holds) {
    case all:
      return 0;
    case no_word:
      return text::is_no_word(value) && !value.starts_with('+') ? 0 : value.size();
    case no_address:
      return value.find("://") == std::string_view::npos ? 0 : value.size();
    case no_package:
      return is_a_package(value) ? value.size() : 0;
    case behind_colon:
      return behind_user(value);
    case user_at_host:
      return behind_user_at_host(value);
    case behind_comma:
      return behind(value, ',');
    case behind_equals:
      return behind(value, '=');
    case behind_percent:
      return behind(value, '%');
    case behind_slash:
      return value.find('@') < value.size() && value[0] != '@' ? behind(value, '/') : value.size();
    case behind_name:
      return behind_user_name(value);
    case no_switch:
    case behind_share:
      return is_a_switch(value) || value == "*" ? value.size() : 0;
    case cookie:
      return is_cookie_file(value) ? value.size() : 0;
  }
  return value.size();
}

// Whether a secret may stand behind `before`, as net use's and smbclient's does behind a share.
bool may_follow(const Row& row, std::string_view before) {
  if (row.nth > 0) return !has_word(row.valued, text::lower_case(before));
  if (row.holds != behind_share) return true;
  return before.find('\\') != std::string_view::npos || before.starts_with("//") ||
         before.find("://") != std::string_view::npos ||
         text::upper_case(before).starts_with("/USER:");
}

bool is_an_option(const Row& row, std::string_view word) {
  return word.starts_with('-') || (row.holds == no_switch && is_a_switch(word));
}

// Whether an operand is known by its form, wherever it stands: NAME=X, me/X@db.
bool tells_itself(Holds holds, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  const bool assigns =
      name.size() < word.size() && std::all_of(name.begin(), name.end(), text::is_word_character);
  return holds == behind_share || holds == behind_slash || (holds == behind_equals && assigns);
}

// Which operand behind its command, or else its program, the word at `i` is; 0 where there is none
// to count from.
std::size_t place_of(const Row& row, std::span<const std::string> argv, std::size_t i) {
  constexpr std::size_t farthest = 16;
  std::size_t place = 0;
  std::size_t count = 0;
  for (std::size_t at = i + 1; at-- > 0 && i - at < farthest && !ends_a_command(argv[at]);) {
    if (at < i && (row.commands.empty() ? has_word(row.programs, name_of(argv[at]))
                                        : has_word(row.commands, text::lower_case(argv[at]))))
      place = count;
    const std::string_view before = at == 0 ? std::string_view() : argv[at - 1];
    count += !is_an_option(row, argv[at]) && may_follow(row, before) ? 1 : 0;
  }
  return place;
}

// curl's -fsSLu, zip's -rP
bool is_option(std::string_view word, const Row& row) {
  const std::string_view option = row.option;
  if (word == option || (option[0] == '/' && text::lower_case(word) == option)) return true;
  const auto letter = [](char c) {
    return (text::upper_case(c) >= 'A' && text::upper_case(c) <= 'Z');
  };
  const bool bundled = option == "-u" || option == "-U" || has_word(row.programs, "zip") ||
                       row.holds == user_at_host;
  return bundled && word.size() > 2 && word.size() <= 8 && word[0] == '-' &&
         word.back() == option[1] && std::all_of(word.begin() + 1, word.end(), letter);
}

}  // namespace

void Programs::see(std::string_view word) {
  static const Index index = index_of_rows();
  static const Bits always = without_commands();
  static const Bits commands = of_commands();
  if (seen_.none()) seen_ = always;
  const auto bits_of = [&](std::string_view name) {
    const auto found = index.find(name);
    return found == index.end() ? Bits() : found->second;
  };
  seen_ |= bits_of(word) | bits_of(name_of(word)) | (bits_of(text::lower_case(word)) & commands);
}

std::size_t Programs::start_in_next(std::string_view option, std::string_view value) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (!is_seen(i) || (row.stands != next && row.stands != either) || !is_option(option, row))
      continue;
    return start_within(row.holds, value);
  }
  return value.size();
}

std::size_t Programs::start_in(std::string_view word) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (!is_seen(i) || (row.stands != attached && row.stands != either) ||
        word.size() <= row.option.size() || !word.starts_with(row.option)) {
      continue;
    }
    const bool sign = word[row.option.size()] == '=';
    if (row.option.starts_with("--") && !sign) continue;
    const std::size_t from = row.option.size() + (sign ? 1 : 0);
    const std::string_view value = word.substr(from);
    if (row.option == "-p" && is_port(value)) return word.size();
    return from + start_within(row.holds, value);
  }
  return word.size();
}

std::size_t Programs::start_in_operand(std::span<const std::string> argv, std::size_t i,
                                       Words kind) const {
  const std::string_view word = argv[i];
  const std::string_view before = i == 0 ? std::string_view() : argv[i - 1];
  const std::string_view after = i + 1 == argv.size() ? std::string_view() : argv[i + 1];
  if (word.starts_with('-')) return word.size();
  const bool last = i + 1 == argv.size() || ends_a_command(after);
  for (std::size_t n = 0; n < rows.size(); ++n) {
    const Row& row = rows[n];
    if (!is_seen(n) || row.stands != operand || !may_follow(row, before)) continue;
    const std::size_t place = row.nth == 0 ? 0 : place_of(row, argv, i);
    if (place < row.nth || (kind == Words::text && place > row.nth)) continue;
    const bool placed = place > 0 ? place == row.nth : tells_itself(row.holds, word);
    const bool sure = kind == Words::command ? last || placed : placed && is_an_option(row, after);
    if (!sure && !text::is_no_word(word)) continue;
    if (row.holds == all) return word.starts_with("token=") ? 6 : 0;
    const std::size_t start = start_within(row.holds, word);
    if (start < word.size()) return start;
  }
  return word.size();
}

bool Programs::takes_names() const {
  return seen_[naming_bit];
}

}  // namespace retry_exec::redact
