// A known secret does not come out, however it is surrounded; what is shown is printable, and no
// command of a CI's runner; to redact twice changes nothing.
#include "insist.hpp"
#include "report/shown.hpp"

#include <retry_exec/redact.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace retry_exec;
using fuzz::insist;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view secret = "s3cr/t+value";
  static const char* const environment[] = {"API_TOKEN=s3cr/t+value", nullptr};
  static const Redactor redact({}, environment);
  const std::string text = fuzz::text_of(data, size);
  const std::string half =
      text.substr(0, size / 2) + "\n" + std::string(secret) + "\n" + text.substr(size / 2);
  for (const std::string& input : {text, half}) {
    const std::string once = redact(input);
    insist(once.find(secret) == std::string::npos, "leaked", once);
    fuzz::insist_on_printable(once, false);
    insist(redact(once) == once, "redacted twice", once);
    const std::string many = redact.lines(input);
    insist(many.find(secret) == std::string::npos, "leaked", many);
    fuzz::insist_on_printable(many, true);
    insist(redact.lines(many) == many, "lines redacted twice", many);
    const std::string safe = shown(many, Form::text, true);
    insist(safe.find("##[") == std::string::npos, "a command", safe);
    insist(!safe.starts_with("::") && safe.find("\n::") == std::string::npos, "a command", safe);
  }
  const std::string printable = text::printable(text);
  insist(text::printable(printable) == printable, "printable twice", printable);
  return 0;
}
