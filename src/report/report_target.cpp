// Where reports and summaries go.

#include "values/file_id.hpp"
#include "values/unique_fd.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/text.hpp>
#include <retry_exec/write.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <numeric>
#include <optional>
#include <system_error>
#include <vector>

namespace retry_exec {

namespace {

// A path is what the user wrote: it may be an address with credentials, or carry control
// characters.
Error failed_to(const char* what, const std::string& path, const char* why) {
  return Error{{Redactor()(path)}, std::string("cannot ") + what + ": " + why};
}

Error failed_to(const char* what, const std::string& path, int error) {
  return failed_to(what, path, std::generic_category().message(error).c_str());
}

// Closes at the end of its scope. O_NONBLOCK, so that no open waits for the other end of a pipe.
class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0666)
      : fd_(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags, mode)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

Result<void> write_to(int fd, const std::string& path, std::string_view text, TimePoint give_up) {
  const int error = write_all(fd, text, give_up);
  return error == 0 ? Result<void>() : failed_to("write", path, error);
}

// Did whoever wrote to it last stop in the middle of a line? A pipe is not opened to see: whoever
// waits there for a reader would be misled.
bool line_is_open(const std::string& path) {
  const auto status = status_of(path);
  if (!status || !S_ISREG(status->st_mode) || status->st_size == 0) return false;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  char last = '\n';
  return file && ::pread(file.get(), &last, 1, status->st_size - 1) == 1 && last != '\n';
}

// The whole text, or nothing of it: GitHub reads half a line of $GITHUB_OUTPUT too, and would take
// what the step writes next for the rest of it. Where others have added to the file meanwhile, it
// is left as it is.
Result<void> append_to(int fd, const std::string& path, std::string_view text, TimePoint give_up) {
  struct stat before {};
  const bool regular = ::fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
  std::string_view rest = text;
  const int error = write_rest(fd, rest, give_up);
  if (error == 0) return {};
  struct stat after {};
  const auto written = static_cast<off_t>(text.size() - rest.size());
  const bool ours_is_last =
      regular && ::fstat(fd, &after) == 0 && after.st_size == before.st_size + written;
  if (ours_is_last && ::ftruncate(fd, before.st_size) != 0) {
    return failed_to("take back half a line from", path, errno);
  }
  return failed_to("write", path, error);
}

Result<void> write_in_place(const std::string& path, int flags, std::string_view text,
                            TimePoint give_up = TimePoint::max()) {
  const auto write = (flags & O_APPEND) != 0 ? append_to : write_to;
  {
    const File file(path, flags);
    if (file.is_open()) return write(file.fd(), path, text, give_up);
  }
  int error = errno;
  // O_CREAT only where there is nothing yet: in a sticky folder the kernel refuses it for a file of
  // another's that everybody may write (proc(5), fs.protected_regular).
  if (error == ENOENT) {
    const File file(path, flags | O_CREAT);
    if (file.is_open()) return write(file.fd(), path, text, give_up);
    error = errno;
  }
  const auto status = status_of(path);
  if (error == ENXIO && status && S_ISFIFO(status->st_mode)) {
    return failed_to("open", path, "it is a pipe without a reader");
  }
  return failed_to("open", path, error);
}

// A name beside `path` that nothing has: not even what a killed run left, for in a container all
// have one pid, and it may be anybody's.
std::string unused_name_beside(const std::string& path) {
  constexpr std::size_t most = 64;  // of the file's own name, which may be as long as names can be
  const std::size_t name_at = path.rfind('/') + 1;  // npos + 1 is 0
  const std::string beside = path.substr(0, name_at + most) + ".new-" + std::to_string(::getpid());
  std::string name = beside;
  struct stat ignored {};
  for (int i = 1; ::lstat(name.c_str(), &ignored) == 0; ++i)
    name = beside + "-" + std::to_string(i);
  return name;
}

// Beside `path` first, then under its name. `old` is the file that is there now: its mode stays,
// and its owner where we may give files away.
Result<void> replace_file(const std::string& path, const std::optional<struct stat>& old,
                          std::string_view text) {
  const auto in_place = [&] { return write_in_place(path, O_TRUNC, text); };
  const std::string beside = unused_name_beside(path);
  int error = 0;
  {
    const File file(beside, O_CREAT | O_EXCL | O_NOFOLLOW, old ? 0600 : 0666);
    if (!file.is_open() && (errno == EACCES || errno == EPERM || errno == EROFS)) {
      return in_place();  // the file may yet be ours to write
    }
    if (!file.is_open()) return failed_to("create", path, errno);
    // Before there is anything to read. A file system that knows no modes leaves 0600.
    if (old) {
      const bool same_owner = ::fchown(file.fd(), old->st_uid, old->st_gid) == 0;
      const mode_t readers = same_owner ? 0777 : 0707;  // our group is not the old one
      ::fchmod(file.fd(), old->st_mode & readers);
    }
    error = write_all(file.fd(), text);
  }
  if (error == 0 && ::rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(beside.c_str());
  // Mounted into a container by itself, or another's in a sticky folder.
  if (error == EBUSY || error == EPERM || error == EACCES) return in_place();
  return failed_to("write", path, error);
}

// Where the symbolic links at the end of a path lead, also when nothing is there yet. Stops in
// /proc, whose links are open files rather than names.
std::filesystem::path followed(std::filesystem::path path) {
  constexpr int most_links = 40;  // the kernel's, which refuses what goes round
  std::error_code error;
  for (int i = 0; i < most_links; ++i) {
    const std::filesystem::path target = std::filesystem::read_symlink(path, error);
    if (error) return path;
    const std::filesystem::path parent = path.parent_path();
    const std::filesystem::path folder =
        std::filesystem::canonical(parent.empty() ? "." : parent, error);
    if (error) return path;
    if (folder.native().starts_with("/proc/")) return folder / path.filename();
    path = folder / target;
  }
  return path;
}

// 1 for /dev/stdout, 3 for /dev/fd/3. To open it again would be a second position in the same file,
// and is not possible with a socket.
std::optional<int> own_descriptor(const std::filesystem::path& path) {
  if (path.parent_path() != "/proc/" + std::to_string(::getpid()) + "/fd") return std::nullopt;
  return text::number_from<int>(path.filename().native());
}

// Not one that is open already, nor a pipe or a device; it need not be there yet.
bool is_file_of_its_own(const std::filesystem::path& followed_path) {
  if (own_descriptor(followed_path) || followed_path.native().starts_with("/proc/")) return false;
  const auto status = status_of(followed_path);
  return !status || S_ISREG(status->st_mode);
}

// By what is there, and where nothing is yet, by name.
bool is_one_file(const std::filesystem::path& one, const std::filesystem::path& other) {
  const auto status = status_of(one);
  const auto others = status_of(other);
  if (status && others) return FileId::of(*status) == FileId::of(*others);
  std::error_code error;
  return !status && !others &&
         std::filesystem::weakly_canonical(std::filesystem::absolute(one, error), error) ==
             std::filesystem::weakly_canonical(std::filesystem::absolute(other, error), error);
}

// In ascending order. Without /proc, the first ten: those that a shell's `exec N>` can name.
std::vector<int> written_descriptors() {
  std::vector<int> open;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error)) {
    if (const auto fd = text::number_from<int>(at->path().filename().native())) open.push_back(*fd);
  }
  if (open.empty()) {
    open.resize(10);
    std::iota(open.begin(), open.end(), 0);
  }
  std::erase_if(open, [](int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags < 0 || (flags & O_ACCMODE) == O_RDONLY;
  });
  std::sort(open.begin(), open.end());
  return open;
}

// 0, or the errno of what keeps us from a new file there.
int cannot_create(const std::filesystem::path& target) {
  return ::access((target.parent_path() / ".").c_str(), W_OK | X_OK) == 0 ? 0 : errno;
}

bool is_folder(const std::optional<struct stat>& status) {
  return status && S_ISDIR(status->st_mode);
}

// "yaml" of "yaml:out": what stands for a kind of report, known or not. A name such as "run-12:30"
// is a file's.
std::string_view kind_of(std::string_view text) {
  const std::size_t letters =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  const bool kind = letters != std::string_view::npos && letters != 0 && text[letters] == ':';
  return kind ? text.substr(0, letters) : std::string_view();
}

}  // namespace

Result<ReportTarget> parse_report_target(std::string_view text) {
  ReportTarget target{ReportFormat::text, std::string(text)};
  if (text.starts_with("json:") || text.starts_with("text:")) {
    target.format = text.starts_with("json:") ? ReportFormat::json : ReportFormat::text;
    target.path = text.substr(5);
  } else if (const std::string_view kind = kind_of(text); !kind.empty()) {
    constexpr std::array<std::string_view, 2> kinds = {"json", "text"};
    const std::string_view near = nearest_word(kind, kinds);
    return Error{
        {},
        "'" + text::printable(kind) + ":' is not a kind of report; " +
            (near.empty() ? "write json: or text:" : "did you mean '" + std::string(near) + ":'?") +
            " (a file of that name is ./" + Redactor()(text) + ")"};
  } else if (text.ends_with(".json")) {
    target.format = ReportFormat::json;
  }
  if (target.path.empty()) {
    return Error{{},
                 "the report has no file name; it is [json:|text:]FILE, or - for standard output"};
  }
  return target;
}

Result<void> write_report(const std::string& path, std::string_view text, TimePoint give_up) {
  if (path == "-") return write_to(STDOUT_FILENO, "standard output", text, give_up);
  const std::filesystem::path target = followed(path);
  if (const auto fd = own_descriptor(target)) return write_to(*fd, path, text, give_up);
  const auto status = status_of(target);
  if (!status && errno == ELOOP) return failed_to("open", path, errno);
  if (target.native().starts_with("/proc/")) return write_in_place(target, O_APPEND, text, give_up);
  if (status && !S_ISREG(status->st_mode)) return write_in_place(target, 0, text, give_up);
  return replace_file(target, status, text);
}

Result<void> is_none_of(const std::string& path, std::span<const FileInUse> files) {
  const std::filesystem::path target = followed(path);
  if (!is_file_of_its_own(target)) return {};
  for (const FileInUse& file : files) {
    const std::filesystem::path other = followed(file.path);
    if (is_file_of_its_own(other) && is_one_file(target, other)) {
      return Error{{Redactor()(path)}, "this is " + file.name + "; write to another file"};
    }
  }
  return {};
}

Result<void> spares_what_is_written(const std::string& path, std::span<const FileInUse> files) {
  if (path == "-") return {};
  if (const auto free = is_none_of(path, files); !free) return free;
  const std::filesystem::path target = followed(path);
  const auto status = status_of(target);
  if (!is_file_of_its_own(target) || !status) return {};
  const auto would_replace = [&](const std::string& whose, const std::string& instead) {
    return Error{{Redactor()(path)}, whose + ", and a report would replace it" + instead};
  };
  for (const int fd : written_descriptors()) {
    if (FileId::of(fd) != FileId::of(*status)) continue;
    if (fd == STDOUT_FILENO) {
      return would_replace("standard output goes to this file", "; - adds the report to it");
    }
    if (fd == STDERR_FILENO) {
      return would_replace("standard error goes to this file",
                           "; /dev/stderr adds the report to it");
    }
    const std::string number = std::to_string(fd);
    return would_replace("descriptor " + number + " writes to this file",
                         "; /dev/fd/" + number + " adds the report to it");
  }
  return {};
}

Result<void> can_be_replaced(const std::string& path) {
  const std::filesystem::path target = followed(path);
  const auto status = status_of(target);
  if (is_folder(status)) return failed_to("open", path, EISDIR);
  if (path == "-" || !is_file_of_its_own(target)) return {};
  const int error = cannot_create(target);
  // A file in a folder that takes no other may yet be ours to write.
  const bool writable = status && ::access(target.c_str(), W_OK) == 0;
  return error == 0 || writable ? Result<void>() : failed_to("create", path, error);
}

Result<void> can_be_added_to(const std::string& path) {
  const std::filesystem::path target = followed(path);
  const auto status = status_of(target);
  if (is_folder(status)) return failed_to("open", path, EISDIR);
  if (!is_file_of_its_own(target)) return {};
  if (!status) {
    const int error = cannot_create(target);
    return error == 0 ? Result<void>() : failed_to("create", path, error);
  }
  return ::access(target.c_str(), W_OK) == 0 ? Result<void>() : failed_to("open", path, errno);
}

Result<void> append_summary(const std::string& path, std::string_view text, TimePoint give_up) {
  const std::string lines = (line_is_open(path) ? "\n" : "") + std::string(text);
  if (const auto fd = own_descriptor(followed(path))) return write_to(*fd, path, lines, give_up);
  return write_in_place(path, O_APPEND, lines, give_up);
}

}  // namespace retry_exec
