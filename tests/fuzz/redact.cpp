// A known secret does not come out, however it is surrounded; what is shown is printable, and no
// command of a CI's runner; to redact twice changes nothing.
#include "report/shown.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace retry_exec;

constexpr std::string_view secret = "s3cr/t+value";

void insist(bool holds, const char* what, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

void insist_on_printable(std::string_view text, bool lines) {
  const std::string_view whole = text;
  while (!text.empty()) {
    const text::CodePoint point = text::first_code_point(text);
    const bool kept = lines && (point.value == '\n' || point.value == '\t');
    insist(point.valid && (kept || !text::is_unseen(point.value)), "not printable", whole);
    text.remove_prefix(point.length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const char* const environment[] = {"API_TOKEN=s3cr/t+value", nullptr};
  static const Redactor redact({}, environment);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string half =
      text.substr(0, size / 2) + "\n" + std::string(secret) + "\n" + text.substr(size / 2);
  for (const std::string& input : {text, half}) {
    const std::string once = redact(input);
    insist(once.find(secret) == std::string::npos, "leaked", once);
    insist_on_printable(once, false);
    const std::string many = redact.lines(input);
    insist(many.find(secret) == std::string::npos, "leaked", many);
    insist_on_printable(many, true);
    const std::string safe = shown(many, Form::text, true);
    insist(safe.find("##[") == std::string::npos, "a command", safe);
    insist(!safe.starts_with("::") && safe.find("\n::") == std::string::npos, "a command", safe);
  }
  const std::string printable = text::printable(text);
  insist(text::printable(printable) == printable, "printable twice", printable);
  return 0;
}
