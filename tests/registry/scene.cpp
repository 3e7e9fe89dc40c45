#include "scene.hpp"

#include <algorithm>
#include <sstream>

namespace test {

std::string Scene::reference(std::string_view repository) const {
  return flaky.address() + '/' + std::string(repository);
}

std::vector<std::string> Scene::copy(std::string_view from, std::string_view to) const {
  return {"cp", "--from-plain-http", "--to-plain-http", reference(from), reference(to)};
}

Program Scene::oras(const std::string& version, std::vector<std::string> words) const {
  Program program;
  program.argv = {required(("ORAS_" + replaced(version, ".", "_")).c_str())};
  program.argv.insert(program.argv.end(), words.begin(), words.end());
  program.environment = {
      {"HOME", folder.path()}, {"DOCKER_CONFIG", folder / "docker"}, {"ORAS_CACHE", std::nullopt}};
  program.folder = folder.path();
  program.time_limit = 60s;
  return program;
}

Program Scene::retried(std::vector<std::string> options, Program program) const {
  std::vector<std::string> argv = {required("RETRY_EXEC"), "--rules", "ghcr.yaml"};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.emplace_back("--");
  argv.insert(argv.end(), program.argv.begin(), program.argv.end());
  program.argv = std::move(argv);
  return program;
}

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string last_line(const std::string& text) {
  std::string last;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::size_t attempts_in(const std::string& log) {
  std::size_t waits = 0;
  for (const std::string& line : sorted_lines(log)) {
    if (line.starts_with("retry-exec: waiting ")) ++waits;
  }
  return waits + 1;
}

}  // namespace test
