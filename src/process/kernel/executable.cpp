// Looking a command up, and saying why it could not be started.
#include "executable.hpp"

#include "values/unique_fd.hpp"

#include <retry_exec/process.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace retry_exec {

namespace {

// 0 if `path` can be executed as far as can be told without trying, else the reason.
int executable_error(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  // Some C libraries pass on that a sandbox refuses faccessat2(2), which is not an answer; exec
  // gives it.
  const bool denied = ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0;
  return denied && errno != EPERM && errno != ENOSYS ? errno : 0;
}

std::string search_path() {
  if (const char* path = std::getenv("PATH")) return path;  // NOLINT(concurrency-mt-unsafe)
  std::array<char, 256> fallback{};
  ::confstr(_CS_PATH, fallback.data(), fallback.size());
  return fallback.data();
}

// The first line of a file, as far as the kernel reads it (BINPRM_BUF_SIZE).
std::string first_line(const std::string& path) {
  std::array<char, 256> buffer{};
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return {};
  const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
  const std::string_view text(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return std::string(text.substr(0, text.find('\n')));
}

// "#!/bin/bsh -e" names "/bin/bsh".
std::string interpreter_of(const std::string& line) {
  if (!line.starts_with("#!")) return {};
  const std::size_t start = line.find_first_not_of(" \t", 2);
  if (start == std::string::npos) return {};
  return line.substr(start, line.find_first_of(" \t", start) - start);
}

std::string missing_interpreter(const std::string& path) {
  std::string interpreter = interpreter_of(first_line(path));
  if (interpreter.empty()) {
    return "the file exists, but the loader that it was linked for does not (a program for another "
           "system or C library?)";
  }
  if (interpreter.ends_with('\r')) {
    interpreter.pop_back();
    return "its first line ends in a carriage return, so the kernel looks for '" + interpreter +
           "\\r'; save it with Unix line ends";
  }
  return "its interpreter '" + interpreter + "' does not exist";
}

std::string too_big(const std::vector<std::string>& argv) {
  // MAX_ARG_STRLEN of Linux: 32 pages, counted with the terminating zero.
  const auto longest_allowed = static_cast<std::size_t>(32 * ::sysconf(_SC_PAGESIZE));
  std::size_t total = 0;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    total += argv[i].size() + 1;
    if (argv[i].size() + 1 > longest_allowed) {
      return "argument " + std::to_string(i) + " is " + format_size(argv[i].size()) +
             " long; the system takes at most " + format_size(longest_allowed) +
             " for one argument";
    }
  }
  std::size_t environment = 0;
  for (char** entry = environ; *entry != nullptr; ++entry) environment += std::strlen(*entry) + 1;
  return "arguments of " + format_size(total) + " and an environment of " +
         format_size(environment) + " are more than the system takes (" +
         format_size(static_cast<std::size_t>(::sysconf(_SC_ARG_MAX))) + ")";
}

}  // namespace

Found find_executable(std::string_view name) {
  if (name.empty()) return {{}, ENOENT};
  if (name.find('/') != std::string_view::npos) {
    std::string path(name);
    const int error = executable_error(path);
    return {std::move(path), error};
  }
  const std::string directories = search_path();
  Found found{{}, ENOENT};
  for (std::size_t start = 0; start <= directories.size();) {
    const std::size_t end = std::min(directories.find(':', start), directories.size());
    const std::string directory = directories.substr(start, end - start);
    std::string path = directory.empty() ? std::string(name) : directory + "/" + std::string(name);
    const int error = executable_error(path);
    if (error == 0) return {std::move(path), 0};
    // What may not be run, and a directory, is remembered and passed over, as execvp does.
    if ((error == EACCES || error == EISDIR) && found.error == ENOENT) {
      found = {std::move(path), error};
    }
    start = end + 1;
  }
  return found;
}

NotStarted not_started(const std::vector<std::string>& argv, const Found& found, int error) {
  const std::string& name = argv.front();
  const std::string subject = (found.path.empty() ? name : found.path) + ": ";
  const bool by_path = name.find('/') != std::string::npos;
  switch (error) {
    case ENOENT:
      if (found.error == 0) return {error, subject + missing_interpreter(found.path)};
      if (name.empty()) return {error, "the command's name is empty (an unset variable?)"};
      return {error, name + ": " + (by_path ? "no such file" : "not found in PATH")};
    case EACCES: {
      struct stat status {};
      if (::stat(found.path.c_str(), &status) == 0 && (status.st_mode & 0111) == 0) {
        return {error,
                subject + "the file is not executable; chmod +x it, or name its interpreter"};
      }
      return {error, subject + "permission denied"};
    }
    case EISDIR:
      return {EACCES, subject + "is a directory"};
    case ENOTDIR:
      return {error, subject + "a part of the path is not a directory"};
    case ELOOP:
      return {error, subject + "too many symbolic links"};
    case ENOEXEC:
      return {error, subject + "not a program that this system can run"};
    case ETXTBSY:
      return {error, subject + "the file is still open for writing"};
    case E2BIG:
      return {error, subject + too_big(argv)};
    default:
      return {error, subject + std::strerror(error)};  // NOLINT(concurrency-mt-unsafe)
  }
}

NotStarted not_started(const std::vector<std::string>& argv, const Found& found,
                       const StartFailure& failure) {
  const std::string cause = std::strerror(failure.error);  // NOLINT(concurrency-mt-unsafe)
  switch (failure.step) {
    case StartFailure::Step::exec:
      return not_started(argv, found, failure.error);
    case StartFailure::Step::handle:
    case StartFailure::Step::fork:
      return {EAGAIN, "cannot create a process: " + cause};
    case StartFailure::Step::setup:
      return {EAGAIN, "cannot prepare the child process: " + cause};
  }
  return {failure.error, cause};
}

}  // namespace retry_exec
