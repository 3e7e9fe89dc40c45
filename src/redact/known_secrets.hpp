// The secrets that we are given, on the command line and in the environment, found in whatever form
// a program prints them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::redact {

class SecretPatterns;

class KnownSecrets {
 public:
  // Of the words of a command, and of those of the scripts among them: what stands where a secret
  // does, and what `patterns` find.
  void learn_arguments(std::span<const std::string> argv, const SecretPatterns& patterns);

  // Of "NAME=value": all of it when the name is one of a secret, else the passwords inside it.
  void learn_variable(std::string_view entry);

  // After the last of them.
  void finish();

  // Puts "[redacted]" into the place of each.
  void take_out_of(std::string& text) const;

  // And of the half of one at either end of a text that may have been cut there, as captured output
  // is. What nobody cut has no halves, and must not be searched for them.
  void take_halves_out_of(std::string& text) const;

 private:
  void learn_places(std::span<const std::string> argv);
  void learn_found(std::string_view before, std::string_view secret);
  void learn_key(std::string_view key);
  void learn(std::string_view secret);
  void learn_inside(std::string_view value);
  void learn_parts(std::string_view secret);
  void learn_part(std::string_view part);
  void add(std::string_view text);
  std::size_t length_at(std::string_view text, std::size_t at) const;

  std::vector<std::string> values_;  // longest first: one may be part of another
  std::array<std::vector<std::uint32_t>, 256> by_first_byte_;
};

}  // namespace retry_exec::redact
