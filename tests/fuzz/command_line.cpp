// A command line and, behind an empty line, an environment: whatever they say is taken or refused
// with a reason, the same each time; operands stay what they are.
#include "main/command_line.hpp"

#include "insist.hpp"

#include <retry_exec/quantity.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace retry_exec;
using fuzz::insist;

namespace {

struct Answer {
  std::string text;
  std::vector<std::string> operands;
};

Answer read(std::vector<std::string> words, CommandLine::Operands where) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  std::string name;
  std::vector<std::string> many;
  Duration limit{};
  bool flag = false;
  unsigned verbose = 0;
  CommandLine line("retry-exec", where);
  line.option("name,n", "NAME", "a name", into(name));
  line.option("max-delay,m", "DUR", "a duration", into(limit, parse_limit));
  line.repeatable("rules,r", "FILE", "a list", into(many));
  line.flag("forever,f", "a switch", into(flag));
  line.flag("verbose,v", "a switch that counts", how_often(verbose));
  line.alternatives({"name", "forever"});
  const auto result = line.read(pointers);
  Answer answer{name + text::joined(many) + exact_duration(limit) + std::to_string(verbose),
                line.operands};
  if (!result) {
    insist(!result.error().empty(), "refused without a reason", "");
    for (const Error& error : result.error()) answer.text += to_string(error) + "\n";
  }
  for (const std::string& note : line.notes()) answer.text += note + "\n";
  insist(!line.table().empty(), "no table", "");
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text = fuzz::text_of(data, size);
  std::replace(text.begin(), text.end(), '\0', ' ');
  std::vector<std::string> words = fuzz::lines_of(text);
  const auto gap = std::find(words.begin(), words.end(), "");
  std::vector<std::string> variables(gap == words.end() ? gap : gap + 1, words.end());
  words.erase(gap, words.end());
  std::vector<char*> pointers;
  for (std::string& variable : variables) {
    if (variable.find('=') != std::string::npos) pointers.push_back(variable.data());
  }
  pointers.push_back(nullptr);
  char** const ours = environ;
  environ = pointers.data();
  for (const auto where : {CommandLine::Operands::last, CommandLine::Operands::anywhere}) {
    const Answer once = read(words, where);
    const Answer twice = read(words, where);
    insist(once.text == twice.text && once.operands == twice.operands, "another answer", text);
    auto at = words.begin();
    for (const std::string& operand : once.operands) {
      at = std::find(at, words.end(), operand);
      insist(at != words.end(), "an operand that nobody gave", text);
      ++at;
    }
  }
  environ = ours;
  return 0;
}
