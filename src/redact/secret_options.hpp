// What an option or an operand of a command says of a secret: one table for all programs.
#pragma once

#include "redact/secret_places.hpp"

#include <cstddef>
#include <cstdint>
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
  std::size_t start_in_operand(std::string_view word, bool last, Words kind) const;

  // Whether what follows a name is its value: npm config set NAME X.
  bool takes_names() const;

 private:
  std::uint64_t seen_ = 0;
};

// Where the secret begins in `value`, the word behind `option` of any program.
std::size_t secret_start(std::string_view option, std::string_view value, Words kind);

// The same of a word that is itself an option or an assignment.
std::size_t secret_start(std::string_view word, Words kind);

}  // namespace retry_exec::redact
