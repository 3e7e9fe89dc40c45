#include "spill_buffer.hpp"

#include <retry_exec/quantity.hpp>

#include <fcntl.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkostemp
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

namespace retry_exec {

namespace {

std::string folder() {
  const char* named = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  return named == nullptr || *named == '\0' ? "/tmp" : named;
}

// A file that nobody else can see and that is gone with its descriptor, however we end.
UniqueFd unlinked_file() {
  const std::string directory = folder();
  UniqueFd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600));
  if (file) return file;
  std::string name = directory + "/retry-exec-XXXXXX";  // no O_TMPFILE there
  UniqueFd named(::mkostemp(name.data(), O_CLOEXEC));
  if (named) ::unlink(name.c_str());
  return named;
}

}  // namespace

void SpillBuffer::append(std::string_view bytes) {
  if (error_ != 0) return;
  memory_ += bytes;
  if (memory_.size() > memory_limit) spill();
}

void SpillBuffer::open_file() {
  file_ = unlinked_file();
  file_limit_ = std::numeric_limits<std::uint64_t>::max();
  if (file_) return;
  const int error = errno;
  file_.reset(::memfd_create("retry-exec", MFD_CLOEXEC));
  file_limit_ = folderless_limit;
  errno = error;  // what the user can mend
}

void SpillBuffer::spill() {
  if (!file_) open_file();
  std::string_view rest = memory_;
  while (file_ && !rest.empty()) {
    if (in_file_ + rest.size() > file_limit_) {
      errno = ENOBUFS;
      break;
    }
    const ssize_t written =
        ::pwrite(file_.get(), rest.data(), rest.size(), static_cast<off_t>(in_file_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    in_file_ += static_cast<std::uint64_t>(written);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (!rest.empty()) error_ = errno;
  memory_.erase(0, memory_.size() - rest.size());
}

SpillBuffer::Piece SpillBuffer::read(std::uint64_t offset, std::size_t size) const {
  if (offset >= in_file_) {
    const std::uint64_t start = std::min<std::uint64_t>(offset - in_file_, memory_.size());
    return {memory_.substr(static_cast<std::size_t>(start), size)};
  }
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, in_file_ - offset)),
                    '\0');
  const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (got < 0) return {{}, errno};
  if (got == 0) return {{}, EIO};  // it is nobody's but ours, and was longer
  bytes.resize(static_cast<std::size_t>(got));
  return {std::move(bytes)};
}

std::string spill_failure(int error) {
  if (error != ENOBUFS) {
    const std::string cause = std::strerror(error);  // NOLINT(concurrency-mt-unsafe)
    const bool of_ours = error == EMFILE || error == ENFILE || error == ENOMEM;
    return of_ours ? cause : cause + "; TMPDIR can name a larger place";
  }
  return "it is more than the " + format_size(SpillBuffer::folderless_limit) +
         " that memory is used for, and no file can be written in " + folder() +
         "; TMPDIR can name another place";
}

}  // namespace retry_exec
