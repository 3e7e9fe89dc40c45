#include "values/unique_fd.hpp"

#include <retry_exec/quantity.hpp>
#include <retry_exec/read_file.hpp>

#include <boost/system/error_code.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace retry_exec {

namespace {

Error unreadable(const std::string& path) {
  const boost::system::error_code reason(errno, boost::system::system_category());
  return {{path}, "cannot be read: " + reason.message()};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most_bytes) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return unreadable(path);
  if (S_ISDIR(status.st_mode)) return Error{{path}, "is a folder, not a file"};
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

}  // namespace retry_exec
