// Where secrets stand in a line of text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace retry_exec::redact {

inline constexpr std::string_view redacted = "[redacted]";

// All patterns, compiled. Made when the first text is to be shown, never for a run that succeeds.
class SecretPatterns {
 public:
  SecretPatterns();
  ~SecretPatterns();
  SecretPatterns(const SecretPatterns&) = delete;
  SecretPatterns& operator=(const SecretPatterns&) = delete;

  // `text` with each secret replaced; nothing when that ran into a matching limit.
  std::optional<std::string> without_secrets(std::string text) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace retry_exec::redact
