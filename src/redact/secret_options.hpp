// What an option or an operand of a command says of a secret: one table for all programs.
#pragma once

#include "redact/secret_places.hpp"

#include <bitset>
#include <cstddef>
#include <string_view>

namespace retry_exec::redact {

// Which of the programs that a command names give short options a meaning of their own.
class Programs {
 public:
  void see(std::string_view word);

  // Where the secret begins in `value`, the word behind `option`; its size when it has none.
  std::size_t start_in_next(std::string_view option, std::string_view value) const;

  // The same of a word that holds option and value.
  std::size_t start_in(std::string_view word) const;

  // The same of an operand: cargo login X.
  std::size_t start_in_operand(std::string_view before, std::string_view word, bool last,
                               Words kind) const;

  // Whether what follows a name is its value: npm config set NAME X.
  bool takes_names() const;

 private:
  bool is_seen(std::size_t row) const { return seen_[2 * row] && seen_[2 * row + 1]; }

  std::bitset<320> seen_;  // of each row its program, and its command
};

// Where what is behind `separator` begins; of user:X where X does. The size of `value` without one.
std::size_t behind(std::string_view value, char separator);
std::size_t behind_user(std::string_view value);

// Where the secret begins in `value`, the word behind `option` of any program.
std::size_t secret_start(std::string_view option, std::string_view value, Words kind);

// The same of a word that is itself an option or an assignment.
std::size_t secret_start(std::string_view word, Words kind);

}  // namespace retry_exec::redact
