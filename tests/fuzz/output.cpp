// Whatever a command prints, it is judged within the limits of matching, and as if every pattern
// had been tried everywhere; what is shown of it is safe to print.
#include "insist.hpp"
#include "rules/judge.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/rules.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace retry_exec;
using fuzz::insist;

namespace {

struct Sets {
  Sets() {
    std::vector<std::string> names;
    for (const BuiltinSet& set : builtin_sets()) names.emplace_back(set.name);
    all = load_rule_sets(names).value();
    quick.push_back(rules::compile(all));
    slow.push_back(rules::compile(all));
    // An empty pattern is worth trying everywhere.
    slow.front().prefilter = rules::Prefilter(std::vector<std::string_view>(slow.front().patterns));
  }

  RuleSet all;
  std::vector<rules::CompiledSet> quick;
  std::vector<rules::CompiledSet> slow;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Sets sets;
  static const Redactor redact;
  static const std::vector<std::string> command{"oras", "cp", "a", "b"};
  CapturedOutput output;
  output.standard_error.tail = fuzz::text_of(data, size);
  const std::string& text = output.standard_error.tail;
  const Failure failure{command, Exited{1}, output};
  const Classifier::WallTime now(std::chrono::seconds(1'790'000'000));
  const Verdict verdict = rules::judge(sets.quick, failure, now, nullptr);
  fuzz::insist_on_printable(redact(verdict.line), false);
  insist(verdict.unevaluated.empty(), "not evaluated", text);
  const Verdict plain = rules::judge(sets.slow, failure, now, nullptr);
  if (!plain.unevaluated.empty()) return 0;  // without the prefilter all work is dearer
  insist(verdict.rule == plain.rule && verdict.line == plain.line, "left out by the prefilter",
         verdict.rule + " / " + plain.rule + ": " + text);
  insist(verdict.details == plain.details && verdict.retry_after == plain.retry_after,
         "details left out by the prefilter", text);
  return 0;
}
