#include "main/exec/step_files.hpp"

#include "main/program.hpp"
#include "values/file_id.hpp"
#include "values/unique_fd.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/report.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace retry_exec {

namespace {

using OwnOutput = StepFiles::OwnOutput;

// `>> $GITHUB_OUTPUT` makes it our stdout. It is a log, with all output in it, where our stderr
// goes there too, or where it is called by a descriptor, as when a step is tried by hand.
OwnOutput own_output(std::string_view path, const struct stat& file) {
  const FileId id = FileId::of(file);
  const bool standard_output = id == FileId::of(STDOUT_FILENO);
  const bool standard_error = id == FileId::of(STDERR_FILENO);
  if (!standard_output && !standard_error) return OwnOutput::none;
  const bool is_log = standard_error || path.starts_with("/dev/") || path.starts_with("/proc/");
  return is_log ? OwnOutput::log : OwnOutput::standard_output;
}

// Does another process have the file open (`| tee $GITHUB_STEP_SUMMARY`)? It would go on writing
// where it was, behind a gap. Asking for a lease tells; where there are no leases, nothing does.
bool open_elsewhere(int fd) {
  const int signal = ::fcntl(fd, F_GETSIG);
  ::fcntl(fd, F_SETSIG, SIGURG);  // what breaking it sends us: SIGIO would end us
  const bool leased = ::fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
  const bool elsewhere = !leased && errno == EAGAIN;
  if (leased) ::fcntl(fd, F_SETLEASE, F_UNLCK);
  ::fcntl(fd, F_SETSIG, signal);  // our stdout is others' too
  return elsewhere;
}

// Will what is printed next stand where the file ends now, at `size`?
bool prints_at(long long size) {
  return (::fcntl(STDOUT_FILENO, F_GETFL) & O_APPEND) != 0 ||
         ::lseek(STDOUT_FILENO, 0, SEEK_CUR) == size;
}

// What became of one file: bytes that were cut off, or why none were.
struct Cut {
  long long bytes = 0;
  std::string failure;
  std::optional<StepFiles::Taken> taken;
};

// Is `path` a symbolic link to this file of another user?
bool leads_to_a_stranger(const char* path, const struct stat& file) {
  struct stat link {};
  return file.st_uid != ::geteuid() && ::lstat(path, &link) == 0 && S_ISLNK(link.st_mode);
}

std::string message() {
  return std::generic_category().message(errno);
}

// Was the file made since `time`? What was there before may be somebody's, moved here.
bool made_since(int fd, const timespec& time) {
  struct statx file {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &file) != 0 ||
      (file.stx_mask & STATX_BTIME) == 0) {
    return false;
  }
  return std::pair(file.stx_btime.tv_sec, static_cast<long>(file.stx_btime.tv_nsec)) >=
         std::pair(decltype(file.stx_btime.tv_sec){time.tv_sec}, time.tv_nsec);
}

// A step's file holds no more, or GitHub refuses it. Of a longer one, this much is compared.
constexpr long long most_compared = 1 << 20;

// By a descriptor that itself may be unable to read it.
std::optional<std::string> bytes_of(int fd, long long from, long long size) {
  const std::string by_number = "/proc/self/fd/" + std::to_string(fd);
  const UniqueFd file(::open(by_number.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(size), '\0');
  const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), from);
  if (got != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  return bytes;
}

std::optional<std::string> beginning(int marked, long long length) {
  return bytes_of(marked, 0, std::min(length, most_compared));
}

Cut shortened(int fd, const StepFiles::Mark& mark, long long size) {
  if (open_elsewhere(fd)) return {.failure = "another process has the file open"};
  const long long bytes = size - mark.length;
  StepFiles::Taken taken{mark.variable, mark.path, std::nullopt, mark.own};
  if (bytes <= most_compared) taken.bytes = bytes_of(fd, mark.length, bytes);
  if (mark.own != OwnOutput::none && !taken.bytes) return {.failure = "it could not be kept"};
  if (::ftruncate(fd, mark.length) != 0) return {.failure = message()};
  if (mark.own != OwnOutput::none) ::lseek(fd, mark.length, SEEK_SET);
  return {.bytes = bytes, .taken = std::move(taken)};
}

// Does the file that took the place of the marked one begin with all that was in that?
bool begins_with_all(const StepFiles::Mark& mark, int fd) {
  if (mark.length == 0) return true;
  if (!mark.beginning || mark.length > most_compared) return false;
  std::string now(mark.beginning->size(), '\0');
  return ::pread(fd, now.data(), now.size(), 0) == mark.length && now == *mark.beginning;
}

// An attempt may have written the same file anew (`> $GITHUB_OUTPUT`): its length tells nothing
// then, and to cut there would leave half a line. One that we may not read is judged by its length.
bool was_written_anew(const StepFiles::Mark& mark) {
  return mark.beginning && beginning(mark.fd, mark.length) != mark.beginning;
}

// Another file was put in its place, as by `sed -i`, or one where there was none.
Cut cut_replacement(const StepFiles::Mark& mark) {
  const Cut stays{.failure = mark.fd < 0 ? "it was not there before, and what is there now may not "
                                           "be the attempt's"
                                         : "the attempt put another file in its place"};
  const UniqueFd file(
      ::open(mark.path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC));
  struct stat now {};
  if (!file || ::fstat(file.get(), &now) != 0 || !S_ISREG(now.st_mode) ||
      own_output(mark.path, now) != OwnOutput::none || !made_since(file.get(), mark.time) ||
      !begins_with_all(mark, file.get())) {
    return stays;
  }
  return now.st_size == mark.length ? Cut() : shortened(file.get(), mark, now.st_size);
}

// Our stdout: only where we alone have added to it, and nobody else's lines are among ours.
Cut cut_output(const StepFiles::Mark& mark, long long size, std::uint64_t printed) {
  const auto grown = static_cast<std::uint64_t>(size - mark.length);
  const bool is_log = mark.own == OwnOutput::log;
  if (is_log && printed == 0) return {};  // what it grew by is our log
  if (is_log || grown != printed || !prints_at(size)) {
    return {.failure = "our own output goes there, too"};
  }
  return shortened(STDOUT_FILENO, mark, size);
}

Cut cut_back(const StepFiles::Mark& mark, std::uint64_t printed) {
  struct stat then {};
  struct stat now {};
  const char* path = mark.path.c_str();
  if (::stat(path, &now) != 0) return {};
  if (mark.fd < 0) return cut_replacement(mark);
  if (::fstat(mark.fd, &then) != 0) return {};
  if (FileId::of(then) != FileId::of(now)) return cut_replacement(mark);
  if (now.st_size < mark.length) return {.failure = "it is shorter than it was before"};
  if (was_written_anew(mark)) return {.failure = "it begins otherwise than before"};
  if (now.st_size == mark.length) return {};
  if (leads_to_a_stranger(path, then)) {
    return {.failure = "it is a symbolic link to another user's file"};
  }
  if (mark.own != OwnOutput::none) return cut_output(mark, now.st_size, printed);
  const UniqueFd file(::open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file || ::fstat(file.get(), &now) != 0) return {.failure = message()};
  return FileId::of(then) == FileId::of(now) ? shortened(file.get(), mark, now.st_size) : Cut();
}

// What file systems look at, which goes on every few milliseconds.
timespec file_time() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return time;
}

// All that is there by now was made before it, also where the kernel tells the exact time of that.
timespec next_file_time() {
  constexpr timespec millisecond{0, 1'000'000};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  timespec next = file_time();
  for (int waits = 0; waits < 20; ++waits) {  // the clock may be set back meanwhile
    if (std::pair(next.tv_sec, next.tv_nsec) > std::pair(now.tv_sec, now.tv_nsec)) break;
    ::nanosleep(&millisecond, nullptr);
    next = file_time();
  }
  return next;
}

}  // namespace

void StepFiles::mark() {
  forget();
  const timespec time = file_time();
  for (const char* variable : step_file_variables) {
    const char* path = from_environment(variable);
    if (path == nullptr || *path == '\0') continue;
    // O_PATH: what is not a regular file must not notice.
    const int fd = ::open(path, O_PATH | O_CLOEXEC);
    struct stat status {};
    if (fd >= 0 && ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
      marks_.push_back({variable, path, fd, status.st_size, beginning(fd, status.st_size), time,
                        own_output(path, status)});
    } else if (fd >= 0) {
      ::close(fd);
    } else if (errno == ENOENT) {
      // Whatever comes there would be cut to nothing, also somebody's file that is moved there.
      marks_.push_back({variable, path, -1, 0, "", next_file_time()});
    }
  }
}

std::vector<StepFiles::Note> StepFiles::take_back(std::uint64_t printed) {
  std::vector<Note> notes;
  for (const Mark& mark : marks_) {
    Cut cut = cut_back(mark, printed);
    if (cut.taken) taken_.push_back(*std::move(cut.taken));
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

// Behind what --before-retry has written meanwhile, also where that has put another file there. It
// is kept as bytes alone: with a descriptor of ours on it, a retry-exec inside the attempt would
// leave the file alone.
std::vector<StepFiles::Note> StepFiles::put_back() {
  std::vector<Note> notes;
  for (const Taken& taken : std::exchange(taken_, {})) {
    const std::string what = std::string("what the last attempt wrote to $") + taken.variable;
    if (!taken.bytes) {
      notes.push_back({what + " is lost: it could not be kept", true});
    } else if (const auto written = append_summary(taken.path, *taken.bytes); !written) {
      notes.push_back({"cannot put back " + what + ": " + to_string(written.error()), true});
    } else {
      if (taken.own != OwnOutput::none) ::lseek(STDOUT_FILENO, 0, SEEK_END);
      notes.push_back({"put back " + what, false});
    }
  }
  return notes;
}

void StepFiles::drop_taken() {
  taken_.clear();
}

void StepFiles::forget() {
  for (const Mark& mark : marks_) {
    if (mark.fd >= 0) ::close(mark.fd);
  }
  marks_.clear();
}

}  // namespace retry_exec
