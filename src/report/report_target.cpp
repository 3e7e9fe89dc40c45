// Where reports and summaries go.

#include <retry_exec/report.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

namespace retry_exec {

namespace {

Error failed_to(const char* what, const std::string& path, int error) {
  return Error{{path}, std::string("cannot ") + what + ": " + std::strerror(error)};
}

// Closes at the end of its scope.
class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
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

// 0, or the errno of the write that failed.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

Result<void> write_in_place(const std::string& path, int flags, std::string_view text) {
  const File file(path, O_WRONLY | flags);
  if (!file.is_open()) return failed_to("open", path, errno);
  if (const int error = write_all(file.fd(), text)) return failed_to("write", path, error);
  return {};
}

// Beside `path` first, then under its name.
Result<void> replace_file(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new-" + std::to_string(::getpid());
  int error = 0;
  {
    const File file(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (!file.is_open() && (errno == EACCES || errno == EPERM || errno == EROFS)) {
      return write_in_place(path, O_CREAT | O_TRUNC, text);  // the file may yet be ours to write
    }
    if (!file.is_open()) return failed_to("create", path, errno);
    error = write_all(file.fd(), text);
  }
  if (error == 0 && ::rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(beside.c_str());
  return failed_to("write", path, error);
}

// Where a symbolic link leads; the path itself when it leads nowhere yet.
std::string resolved(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  std::string text = real == nullptr ? path : real;
  std::free(real);
  return text;
}

}  // namespace

Result<ReportTarget> parse_report_target(std::string_view text) {
  ReportTarget target{ReportFormat::text, std::string(text)};
  if (text.starts_with("json:") || text.starts_with("text:")) {
    target.format = text.starts_with("json:") ? ReportFormat::json : ReportFormat::text;
    target.path = text.substr(5);
  } else if (text.ends_with(".json")) {
    target.format = ReportFormat::json;
  }
  if (target.path.empty()) {
    return Error{{},
                 "the report has no file name; it is [json:|text:]FILE, or - for standard output"};
  }
  return target;
}

Result<void> write_report(const std::string& path, std::string_view text) {
  if (path == "-") {
    const int error = write_all(STDOUT_FILENO, text);
    return error == 0 ? Result<void>() : failed_to("write", "standard output", error);
  }
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) return write_in_place(path, 0, text);
  return replace_file(exists ? resolved(path) : path, text);
}

Result<void> append_summary(const std::string& path, std::string_view text) {
  return write_in_place(path, O_CREAT | O_APPEND, text);
}

}  // namespace retry_exec
