#include "values/unique_fd.hpp"

#include <retry_exec/quantity.hpp>
#include <retry_exec/read_file.hpp>

#include <boost/system/error_code.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <string_view>

namespace retry_exec {

namespace {

Error unreadable(const std::string& path) {
  const boost::system::error_code reason(errno, boost::system::system_category());
  return {{path}, "cannot be read: " + reason.message()};
}

// Standard input and <(…) of a shell: whoever started us chose to make us wait for them.
bool is_inherited(std::string_view path) {
  return path == "/dev/stdin" || path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/");
}

// Why it is not read; nothing where it is a regular file.
std::optional<Error> irregular(const std::string& path, mode_t mode) {
  if (S_ISREG(mode)) return std::nullopt;
  if (S_ISFIFO(mode)) return Error{{path}, "is a named pipe, not a regular file"};
  return Error{{path}, "is a device, not a regular file"};
}

Result<std::string> read(const std::string& path, std::size_t most_bytes, bool may_wait) {
  const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (may_wait ? 0 : O_NONBLOCK);
  const UniqueFd file(::open(path.c_str(), flags));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return unreadable(path);
  if (S_ISDIR(status.st_mode)) return Error{{path}, "is a folder, not a file"};
  if (auto error = irregular(path, status.st_mode); error && !may_wait) return *std::move(error);
  std::string text;
  for (;;) {
    constexpr std::size_t step = std::size_t{64} << 10;
    const std::size_t before = text.size();
    text.resize(before + step);
    ssize_t got = 0;
    do {
      got = ::read(file.get(), text.data() + before, step);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return unreadable(path);
    text.resize(before + static_cast<std::size_t>(got));
    if (got == 0) return text;
    if (text.size() > most_bytes) return Error{{path}, "bigger than " + format_size(most_bytes)};
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most_bytes) {
  return read(path, most_bytes, is_inherited(path));
}

Result<std::string> read_regular_file(const std::string& path, std::size_t most_bytes) {
  return read(path, most_bytes, false);
}

}  // namespace retry_exec
