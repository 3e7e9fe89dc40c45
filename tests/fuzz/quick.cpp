// Runs a fuzz target without libFuzzer: on the seeds in the files that it is given (each line of a
// .txt or .jsonl, or the whole), then on mutations of those, always the same.
//
//   fuzz-quick-redact EXECUTIONS FILE…
//
// An input may take 0.1 s of CPU, or 1 s with $TEST_INSTRUMENTED: sanitizers slow down what they
// watch.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t longest = 4096;

double seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double most_seconds_of_one() {
  return std::getenv("TEST_INSTRUMENTED") == nullptr ? 0.1 : 1;
}

// A slow input is tried again: what else the machine does counts only once.
void run(const std::string& input, double most_seconds) {
  double least = most_seconds;
  for (int tries = 0; tries < 3 && least >= most_seconds; ++tries) {
    const double start = seconds();
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    least = std::min(least, seconds() - start);
    if (seconds() - start < most_seconds) return;
  }
  std::fprintf(stderr, "slow: %s\n", input.c_str());
  std::abort();
}

std::string mutated(std::string input, const std::vector<std::string>& seeds,
                    std::mt19937& random) {
  constexpr std::string_view odd = "\n\t \"'`\\:=@/?&;,|<>()[]{}#%-+*\x1b\0\xff\xc3\xa9\r";
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (std::size_t n = below(4) + 1; n > 0; --n) {
    const std::size_t at = below(input.size() + 1);
    switch (below(6)) {
      case 0:
        input.insert(at, 1, odd[below(odd.size())]);
        break;
      case 1:
        input.erase(at, below(8));
        break;
      case 2: {
        const std::string& other = seeds[below(seeds.size())];
        const std::size_t from = below(other.size());
        input.insert(at, other.substr(from, below(40)));
        break;
      }
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(random());
        break;
      case 4:
        input.insert(at, input.substr(below(input.size() + 1), below(60)));
        break;
      default:
        input = input.substr(0, at);
        break;
    }
  }
  return input.substr(0, longest);
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  std::vector<std::string> seeds;
  for (int i = 2; i < count; ++i) {
    const std::string name = words[i];
    std::ifstream file(name);
    const char end = name.ends_with(".txt") || name.ends_with(".jsonl") ? '\n' : '\0';
    for (std::string one; std::getline(file, one, end);) seeds.push_back(one.substr(0, longest));
  }
  if (seeds.empty()) return 2;
  const double most_seconds = most_seconds_of_one();
  for (const std::string& seed : seeds) run(seed, most_seconds);
  std::mt19937 random(1);  // NOLINT: the same each time
  const unsigned long executions = std::strtoul(words[1], nullptr, 10);
  for (unsigned long n = seeds.size(); n < executions; ++n)
    run(mutated(seeds[random() % seeds.size()], seeds, random), most_seconds);
  return 0;
}
