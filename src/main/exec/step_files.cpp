#include "main/exec/step_files.hpp"

#include "main/program.hpp"

#include <retry_exec/counted.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace retry_exec {

namespace {

constexpr const char* variables[] = {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE",
                                     "GITHUB_STEP_SUMMARY"};

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// A log that is called GITHUB_OUTPUT when a step is tried by hand: all output is in it.
bool takes_our_output(const struct stat& file) {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat status {};
    if (::fstat(fd, &status) == 0 && same_file(status, file)) return true;
  }
  return false;
}

// Does another process have the file open (`| tee $GITHUB_STEP_SUMMARY`)? It would go on writing
// where it was, behind a gap. Asking for a lease tells; where there are no leases, nothing does.
bool open_elsewhere(int fd) {
  ::fcntl(fd, F_SETSIG, SIGURG);  // what breaking it sends us: SIGIO would end us
  if (::fcntl(fd, F_SETLEASE, F_WRLCK) != 0) return errno == EAGAIN;
  ::fcntl(fd, F_SETLEASE, F_UNLCK);
  return false;
}

// What became of one file: bytes that were cut off, or why none were.
struct Cut {
  long long bytes = 0;
  std::string failure;
};

// Is `path` a symbolic link to this file of another user?
bool leads_to_a_stranger(const char* path, const struct stat& file) {
  struct stat link {};
  return file.st_uid != ::geteuid() && ::lstat(path, &link) == 0 && S_ISLNK(link.st_mode);
}

// `marked` is the file that was seen at `path` before.
Cut cut_back(const std::string& path, int marked, long long length) {
  struct stat then {};
  struct stat now {};
  if (::fstat(marked, &then) != 0 || then.st_size <= length) return {};
  if (leads_to_a_stranger(path.c_str(), then)) {
    return {.bytes = 0, .failure = "it is a symbolic link to another user's file"};
  }
  const auto message = [] { return std::generic_category().message(errno); };
  const int fd = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return {.bytes = 0, .failure = message()};
  Cut cut;
  if (::fstat(fd, &now) == 0 && same_file(then, now) && now.st_size > length) {
    if (open_elsewhere(fd)) {
      cut.failure = "another process has the file open";
    } else if (::ftruncate(fd, length) != 0) {
      cut.failure = message();
    } else {
      cut.bytes = now.st_size - length;
    }
  }
  ::close(fd);
  return cut;
}

}  // namespace

void StepFiles::mark() {
  forget();
  for (const char* variable : variables) {
    const char* path = from_environment(variable);
    if (path == nullptr || *path == '\0') continue;
    // O_PATH: neither the file nor a process that watches it notices.
    const int fd = ::open(path, O_PATH | O_CLOEXEC);
    struct stat status {};
    if (fd >= 0 && ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        !takes_our_output(status)) {
      marks_.push_back({variable, path, fd, status.st_size});
    } else if (fd >= 0) {
      ::close(fd);
    }
  }
}

std::vector<StepFiles::Note> StepFiles::take_back() {
  std::vector<Note> notes;
  for (const Mark& mark : marks_) {
    const Cut cut = cut_back(mark.path, mark.fd, mark.length);
    const std::string file = std::string("$") + mark.variable;
    if (!cut.failure.empty()) {
      notes.push_back(
          {"cannot remove what the failed attempt wrote to " + file + ": " + cut.failure, true});
    } else if (cut.bytes > 0) {
      notes.push_back({"removed " + text::counted(static_cast<std::uint64_t>(cut.bytes), "byte") +
                           " that the failed attempt wrote to " + file,
                       false});
    }
  }
  forget();
  return notes;
}

void StepFiles::forget() {
  for (const Mark& mark : marks_) ::close(mark.fd);
  marks_.clear();
}

}  // namespace retry_exec
