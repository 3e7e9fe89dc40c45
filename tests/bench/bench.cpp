// The figures of README.md, all in one run, so that only ratios matter:
//
//   bench start [ROUNDS]     wall time around `true`, each wrapper in turn, round after round
//   bench flow [MEGABYTES]   a stream carried from pipe to pipe and to /dev/null, against cat
//   bench judge              megabytes of evidence, and hostile rules, against the shipped rules
//
// RETRY_EXEC and FLOOR name the programs; other wrappers are taken from PATH where they are.
#include "temporary_folder.hpp"

#include <retry_exec/process.hpp>
#include <retry_exec/rule_tools.hpp>
#include <retry_exec/rules.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Argv = std::vector<std::string>;
using SteadyClock = std::chrono::steady_clock;

std::string required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    std::fprintf(stderr, "bench: set %s\n", name);
    std::exit(125);
  }
  return value;
}

double milliseconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

struct Streams {
  int in = -1;
  int out = -1;
};

pid_t spawn(const Argv& argv, Streams streams) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (streams.in >= 0) posix_spawn_file_actions_adddup2(&actions, streams.in, 0);
  if (streams.out >= 0) posix_spawn_file_actions_adddup2(&actions, streams.out, 1);
  pid_t child = -1;
  const int error = posix_spawnp(&child, words.front(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    std::fprintf(stderr, "bench: cannot run %s\n", argv.front().c_str());
    std::exit(125);
  }
  return child;
}

struct Ended {
  bool well = false;
  double processor = 0;  // milliseconds, of the child and of its own children
};

Ended wait_for(pid_t child) {
  int status = 0;
  struct rusage usage {};
  while (::wait4(child, &status, 0, &usage) < 0) continue;
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0,
          milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)};
}

// ---- start -----------------------------------------------------------------------------------

struct Contestant {
  std::string name;
  Argv argv;
  std::vector<double> times = {};      // milliseconds on the wall
  std::vector<double> processor = {};  // milliseconds of processor time
};

// What a linker has just written lies in the page cache in small pieces, and each start pays for
// every one (4 % of it); an installed program is a copy, and so are its competitors.
std::string as_installed(const std::string& program) {
  static const test::TemporaryFolder folder;
  const std::string copy = folder / std::filesystem::path(program).filename().string();
  std::filesystem::copy_file(program, copy);
  return copy;
}

// Each has another program before it, so that none finds itself in the processor's caches.
std::vector<Contestant> contestants() {
  const std::string floor = as_installed(required("FLOOR"));
  const std::string ours = as_installed(required("RETRY_EXEC"));
  std::vector<Contestant> all = {
      {"true, bare", {"true"}},
      {"floor", {floor, "true"}},
      {"retry-exec -r ghcr", {ours, "-r", "ghcr", "--", "true"}},
  };
  const std::vector<Contestant> others = {
      {"retry (Debian)", {"retry", "--times=5", "--delay=2", "--", "true"}},
      {"attempt-cli", {"attempt", "true"}},
      {"eb", {"eb", "true"}},
      {"retry-cmd", {"retry-cmd", "--", "true"}},  // Cargo names it retry: rename it
      {"recur", {"recur", "true"}},
      {"timeout (coreutils)", {"timeout", "60", "true"}},
  };
  for (const Contestant& other : others) {
    if (retry_exec::find_executable(other.argv.front()).error == 0) all.push_back(other);
  }
  all.push_back({"retry-exec", {ours, "--", "true"}});
  return all;
}

int start(int rounds) {
  std::vector<Contestant> all = contestants();
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int round = -rounds / 10 - 1; round < rounds; ++round) {  // the first ones warm up
    for (Contestant& contestant : all) {
      const auto begin = SteadyClock::now();
      const Ended ended = wait_for(spawn(contestant.argv, {nowhere, nowhere}));
      if (!ended.well) {
        std::fprintf(stderr, "bench: %s failed\n", contestant.name.c_str());
        return 1;
      }
      if (round < 0) continue;
      contestant.times.push_back(milliseconds_since(begin));
      contestant.processor.push_back(ended.processor);
    }
  }
  const double floor = median(all[1].times);
  const double floor_processor = median(all[1].processor);
  std::printf("%-24s %9s %7s %9s %7s   (%d rounds, medians)\n", "around `true`", "wall ms", "floor",
              "cpu ms", "floor", rounds);
  for (const Contestant& contestant : all) {
    const double wall = median(contestant.times);
    const double processor = median(contestant.processor);
    std::printf("%-24s %9.3f %6.2fx %9.3f %6.2fx\n", contestant.name.c_str(), wall, wall / floor,
                processor, processor / floor_processor);
  }
  return 0;
}

// ---- flow ------------------------------------------------------------------------------------

// producer | MIDDLE > sink, in milliseconds; the producer is `head -c BYTES /dev/zero`. retry-exec
// wraps the same cat's producer, so that both have the same work before and after them.
double flow_once(const Argv& middle, const std::string& bytes, bool to_pipe) {
  int into[2] = {-1, -1};
  int out_of[2] = {-1, -1};
  if (::pipe2(into, O_CLOEXEC) != 0 || ::pipe2(out_of, O_CLOEXEC) != 0) std::exit(125);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const auto begin = SteadyClock::now();
  std::vector<pid_t> children;
  const bool wraps = middle.size() > 1;
  if (!wraps) children.push_back(spawn({"head", "-c", bytes, "/dev/zero"}, {-1, into[1]}));
  Argv argv = middle;
  if (wraps) argv.insert(argv.end(), {"head", "-c", bytes, "/dev/zero"});
  children.push_back(spawn(argv, {wraps ? -1 : into[0], to_pipe ? out_of[1] : nowhere}));
  if (to_pipe) children.push_back(spawn({"cat"}, {out_of[0], nowhere}));
  for (const int fd : {into[0], into[1], out_of[0], out_of[1], nowhere}) ::close(fd);
  for (const pid_t child : children) wait_for(child);
  return milliseconds_since(begin);
}

int flow(long megabytes) {
  const std::string bytes = std::to_string(megabytes * 1'000'000);
  const Argv ours = {required("RETRY_EXEC"), "-r", "ghcr", "--"};
  std::printf("%-24s %10s %10s %8s   (%ld MB, medians of 5)\n", "carried", "cat ms", "ours ms",
              "rate", megabytes);
  for (const bool to_pipe : {true, false}) {
    std::vector<double> cat;
    std::vector<double> wrapped;
    for (int round = 0; round < 5; ++round) {
      cat.push_back(flow_once({"cat"}, bytes, to_pipe));
      wrapped.push_back(flow_once(ours, bytes, to_pipe));
    }
    std::printf("%-24s %10.0f %10.0f %7.2fx\n", to_pipe ? "to a pipe" : "to /dev/null", median(cat),
                median(wrapped), median(cat) / median(wrapped));
  }
  struct rusage usage {};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  std::printf("most memory of any child: %.1f MiB\n", static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}

// Time of our own processor, so that a busy machine does not tell.
double own_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// ---- judge -----------------------------------------------------------------------------------

double judge_once(const retry_exec::Classifier& classifier, const std::string& evidence,
                  const std::string& expected = {}) {
  const std::vector<std::string> command = {"oras"};
  retry_exec::CapturedOutput output;
  output.standard_error.tail = evidence;
  std::vector<double> times;
  for (int round = 0; round < 5; ++round) {
    const double begin = own_milliseconds();
    const auto verdict =
        classifier.classify({command, retry_exec::Outcome(retry_exec::Exited{1}), output});
    times.push_back(own_milliseconds() - begin);
    if (round == 0 && verdict.rule != expected) {
      std::string unevaluated;
      for (const std::string& rule : verdict.unevaluated) unevaluated += ", not evaluated: " + rule;
      std::printf("(judged %s%s)\n", verdict.rule.c_str(), unevaluated.c_str());
    }
  }
  return median(times);
}

// '#' stands for digits that differ from line to line.
std::string megabyte_of(const std::string& line) {
  std::string text;
  std::uint32_t number = 1;
  while (text.size() < (std::size_t{1} << 20)) {
    for (const char c : line) {
      number = number * 1664525 + 1013904223;
      text += c == '#' ? static_cast<char>('0' + (number >> 16) % 10) : c;
    }
  }
  return text;
}

// What an image's build, an installation and tests that pass print.
std::string ordinary_log() {
  std::string text;
  for (const char* name : {"docker.txt", "npm.txt", "packages.txt", "tests.txt"}) {
    std::ifstream file(std::string(BENCH_LOGS) + "/" + name);
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  if (text.empty()) throw std::runtime_error("no logs in " BENCH_LOGS);
  return text;
}

// Numbers everywhere, and the cause in the last line.
void judge_numbers(const retry_exec::Classifier& classifier) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"an access log",
       "10.0.3.# - - [28/Nov/2026:15:3#:4# +0000] \"GET /503.js HTTP/1.1\" 200 5#3# \"-\"\n"},
      {"CSV", "1,503,404,1##,500,3#,50#,429,8,###\n"},
      {"od", "0001220 155 503 404 3## 000 ### 502 143 062 040\n"},
      {"JSON arrays", "[503, 404, 1##, 50#, 3#, 502, 429, 8, 777],\n"},
      {"one line of JSON", "503, 404, 129, 500, 36, 502, 429, 8, 777, "},
      {"one line of 503", "503 "},
  };
  for (const auto& [what, unit] : kinds) {
    for (const int megabytes : {1, 4}) {
      std::string text;
      for (int i = 0; i < megabytes; ++i) text += megabyte_of(unit);
      text += "\nError response from registry: response status code 503\n";
      std::printf("%-44s %8.2f ms\n", (std::to_string(megabytes) + " MiB: " + what).c_str(),
                  judge_once(classifier, text, "http/server-error"));
    }
  }
}

// Rules that take forever on a text, as many as anybody likes.
void judge_hostile() {
  const std::string text = megabyte_of(std::string(16'000, 'a') + "\n");
  for (const std::string pattern : {"(?:(a+)+b?)+$c", ".*a.*9", "(a|b|ab)+[9]$"}) {
    for (const int times : {1, 100, 1000}) {
      std::string yaml = "retry-rules: 1\nrules:\n";
      for (int i = 0; i < times; ++i) {
        yaml +=
            "  - {id: x" + std::to_string(i) + ", class: transient, match: '" + pattern + "'}\n";
      }
      const retry_exec::Classifier trap(std::vector{*retry_exec::parse_rule_set(yaml, "hostile")});
      const std::string what = std::to_string(times) + " of " + pattern + ", 1 MiB";
      std::printf("%-44s %8.2f ms\n", what.c_str(),
                  judge_once(trap, text, "built-in/not-evaluated"));
    }
  }
}

int judge() {
  std::vector<std::string> names;
  for (const auto& builtin : retry_exec::builtin_sets()) names.emplace_back(builtin.name);
  const double loading = own_milliseconds();
  const auto together = retry_exec::load_rule_sets(names);
  std::printf("%-44s %8.2f ms\n", "all shipped sets together", own_milliseconds() - loading);
  std::vector<retry_exec::RuleSet> sets;
  for (const std::string& name : names) sets.push_back(*retry_exec::load_rule_set(name));
  const auto largest = std::max_element(sets.begin(), sets.end(), [](const auto& a, const auto& b) {
    return a.rules.size() < b.rules.size();
  });
  const std::string name = largest->name + " (" + std::to_string(largest->rules.size()) + " rules)";
  std::printf("largest set: %s\n", name.c_str());
  const double compiling = own_milliseconds();
  const retry_exec::Classifier classifier(std::vector{*largest});
  judge_once(classifier, "");
  std::printf("%-44s %8.2f ms\n", "compiled, and asked once", own_milliseconds() - compiling);
  const std::vector<std::pair<const char*, std::string>> evidence = {
      {"1 MiB of log lines", megabyte_of("2026-01-01T00:00:00Z pushing layer ## of 40: done\n")},
      {"1 MiB of error lines", megabyte_of("Error: dial tcp 10.0.#.#:4##: something else\n")},
      {"1 MiB of near misses",
       megabyte_of(
           "retrying HTTP 50#3 of timeout-service: error 503 bytes, connection kept: ok\n")},
      {"1 MiB of a build's log", megabyte_of(ordinary_log())},
      {"one line of 10 MB", std::string(10'000'000, 'a')},
      {"one line of 10 MB, near misses",
       [] {
         std::string text;
         while (text.size() < 10'000'000) text += "dial tcp Error: status code 50 ";
         return text;
       }()},
  };
  for (const auto& [what, text] : evidence) {
    std::printf("%-44s %8.2f ms\n", what, judge_once(classifier, text));
  }
  judge_numbers(classifier);
  judge_hostile();
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const std::string what = count > 1 ? words[1] : "";
  const long number = count > 2 ? std::atol(words[2]) : 0;
  if (what == "start") return start(number > 0 ? static_cast<int>(number) : 500);
  if (what == "flow") return flow(number > 0 ? number : 4000);
  if (what == "judge") return judge();
  std::fprintf(stderr, "usage: bench start [ROUNDS] | flow [MEGABYTES] | judge\n");
  return 125;
}
