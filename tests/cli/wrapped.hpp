// Running retry-exec around the helper, for command-line tests.
#pragma once

#include "catch_shim.hpp"
#include "run.hpp"
#include "temporary_folder.hpp"

#include <string>
#include <utility>
#include <vector>

namespace test {

// A sanitizer takes many times the memory and the time of the program.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool instrumented = true;
#elif defined(__has_feature)
inline constexpr bool instrumented = __has_feature(address_sanitizer);
#else
inline constexpr bool instrumented = false;
#endif

inline std::string helper() {
  return required("HELPER");
}

// retry-exec OPTIONS -- helper WORDS
inline Program wrapped(std::vector<std::string> options, const std::vector<std::string>& words) {
  Program program;
  program.argv = {required("RETRY_EXEC")};
  for (std::string& option : options) program.argv.push_back(std::move(option));
  program.argv.push_back("--");
  program.argv.push_back(helper());
  program.argv.insert(program.argv.end(), words.begin(), words.end());
  return program;
}

// The same with another program in place of the helper.
inline Program wrapping(std::vector<std::string> options, const std::vector<std::string>& command) {
  Program program = wrapped(std::move(options), {});
  program.argv.pop_back();
  program.argv.insert(program.argv.end(), command.begin(), command.end());
  return program;
}

// Options under which every failure is retried at once.
inline std::vector<std::string> at_once(std::vector<std::string> more = {}) {
  std::vector<std::string> options = {"--delay", "0", "--unmatched", "retry"};
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace test
