// What the registry tests play in: a real registry, the proxy that spoils it, and real oras.
#pragma once

#include "catch_shim.hpp"
#include "registry.hpp"
#include "run.hpp"
#include "temporary_folder.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace test {

// The newest one, and one that words its errors differently.
inline const std::vector<std::string> oras_versions = {"1.3.6", "1.2.3"};

struct Scene {
  Registry registry;
  FlakyRegistry flaky{registry};
  TemporaryFolder folder;

  // "127.0.0.1:PORT/REPOSITORY", through the proxy.
  std::string reference(std::string_view repository) const;

  // The words of `oras cp` from and to repositories behind the proxy.
  std::vector<std::string> copy(std::string_view from, std::string_view to) const;

  // oras with an empty home: no login and no cache of the machine's plays in.
  Program oras(const std::string& version, std::vector<std::string> words) const;

  // The same under retry-exec with ghcr's rules and these options.
  Program retried(std::vector<std::string> options, Program program) const;
};

// The last line of a text that is not empty.
std::string last_line(const std::string& text);

std::string replaced(std::string text, std::string_view what, std::string_view with);

// Order does not matter where oras copies several things at once.
std::vector<std::string> sorted_lines(const std::string& text);

// How many attempts the log on stderr tells of.
std::size_t attempts_in(const std::string& log);

}  // namespace test
