// Which options and operands of single programs hold a secret.
#pragma once

#include "redact/secret_places.hpp"

#include <bitset>
#include <cstddef>
#include <span>
#include <string>
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

  // The same of the operand at `i`: cargo login X.
  std::size_t start_in_operand(std::span<const std::string> argv, std::size_t i, Words kind) const;

  // Whether what follows a name is its value: npm config set NAME X.
  bool takes_names() const;

 private:
  bool is_seen(std::size_t row) const { return seen_[2 * row] && seen_[2 * row + 1]; }

  std::bitset<384> seen_;  // of each row its program, and its command
};

}  // namespace retry_exec::redact
