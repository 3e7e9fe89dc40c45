// Where secrets stand in a line of text.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace retry_exec::redact {

inline constexpr std::string_view redacted = "[redacted]";

// Makes a range of `text` hold whole marks only: half of one would stay beside its replacement.
void take_whole_marks(std::string_view text, std::size_t& begin, std::size_t& end);

// All patterns, compiled. Made when the first text is to be shown, never for a run that succeeds.
class SecretPatterns {
 public:
  SecretPatterns();
  ~SecretPatterns();
  SecretPatterns(const SecretPatterns&) = delete;
  SecretPatterns& operator=(const SecretPatterns&) = delete;

  // Replaces each secret in a line; false when that ran into a matching limit.
  bool take_out_of(std::string& line) const;

  // Replaces what takes several lines, or did before they were made one: private keys.
  bool take_out_of_lines(std::string& text) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace retry_exec::redact
