// What may be shown of text that a command, a registry or the environment wrote.
//
// Such text is untrusted twice over: it can carry secrets, and it can carry bytes that forge log
// lines, move a terminal's cursor or reorder what is read. Everything that the programs echo goes
// through a Redactor, which does both; text::printable() alone is for text that holds no secrets.
#pragma once

#include <retry_exec/text.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::redact {

// Takes secrets out of text: options such as --password, credentials in URLs and headers, names
// like password with a value, tokens of known shapes, and, in any of the forms that programs print
// (as they are, base64, hexadecimal, escaped for JSON, addresses, HTML or shells), the secrets of
// the command line and of environment variables that are named like secrets.
class Redactor {
 public:
  // `environment` is laid out as environ(7) and, like the strings of `argv`, must live as long as
  // the Redactor. Neither is read before the first text is.
  explicit Redactor(std::span<const std::string> argv = {},
                    const char* const* environment = nullptr);
  Redactor(Redactor&&) noexcept;
  Redactor& operator=(Redactor&&) noexcept;
  ~Redactor();

  // The printable form with "[redacted]" in the place of each secret, cut to a few KiB.
  std::string operator()(std::string_view text) const;

  // The same of a text of many lines: line breaks, tabs and blanks at the ends of lines stay.
  std::string lines(std::string_view text) const;

  // `text` without the secrets of the command line and the environment, and else as it is: for what
  // is no output, such as a rule file, whose words only speak of secrets.
  std::string known(std::string_view text) const;

  // A command as one line that a person can read and, where nothing was redacted, paste into a
  // shell.
  std::string command(std::span<const std::string> argv) const;

  // The same, one string an argument.
  std::vector<std::string> arguments(std::span<const std::string> argv) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace retry_exec::redact

namespace retry_exec {
using redact::Redactor;
}
