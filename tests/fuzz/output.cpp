// Whatever a command prints, it is judged in bounded time, and what is shown of it is safe to
// print.
#include <retry_exec/redact.hpp>
#include <retry_exec/rules.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

retry_exec::Classifier all_sets() {
  std::vector<std::string> names;
  for (const auto& set : retry_exec::builtin_sets()) names.emplace_back(set.name);
  std::vector<retry_exec::RuleSet> sets;
  sets.push_back(retry_exec::load_rule_sets(names).value());
  return retry_exec::Classifier{std::move(sets)};
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const retry_exec::Classifier classifier = all_sets();
  static const retry_exec::Redactor redact;
  static const std::vector<std::string> command{"oras", "cp", "a", "b"};

  retry_exec::CapturedOutput output;
  output.standard_error.tail.assign(data, data + size);
  const auto verdict = classifier.classify({command, retry_exec::Exited{1}, output});
  if (std::ranges::any_of(redact(verdict.line), is_control)) std::abort();
  return 0;
}
