// Where secrets stand in a line of text.
#pragma once

#include <cstddef>
#include <functional>
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

  using Found = std::function<void(std::string_view before, std::string_view secret)>;

  // Replaces each secret in a line, and tells of it and of what stands before it; false when that
  // ran into a matching limit.
  bool take_out_of(std::string& line, const Found& found = {}) const;

  // Replaces what a line above it names ("password: |"), which cannot be told in one line.
  bool take_out_below_names(std::string& text, const Found& found = {}) const;

  // The same, and what takes several lines, or did before they were made one: private keys.
  bool take_out_of_lines(std::string& text, const Found& found = {}) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace retry_exec::redact
