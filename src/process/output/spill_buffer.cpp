#include "spill_buffer.hpp"

#include <retry_exec/quantity.hpp>

#include <fcntl.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkostemp
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
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
  keep(bytes);
  if (in_memory_ > block && file_error_ == 0) spill();
}

// To memory, in blocks: a text that grows to such a size would be moved over and over, and be there
// twice meanwhile.
void SpillBuffer::keep(std::string_view bytes) {
  failed_ = failed_ || in_memory_ + bytes.size() > memory_limit;
  if (failed_) return;
  in_memory_ += bytes.size();
  while (!bytes.empty()) {
    if (blocks_.empty() || blocks_.back().size() == block) blocks_.emplace_back();
    std::string& last = blocks_.back();
    const std::size_t size = std::min(block - last.size(), bytes.size());
    last += bytes.substr(0, size);
    bytes.remove_prefix(size);
  }
}

// From memory to the file, as far as that takes it.
void SpillBuffer::spill() {
  if (!file_) file_ = unlinked_file();
  if (!file_) file_error_ = errno;
  while (file_error_ == 0 && !blocks_.empty()) {
    std::string& first = blocks_.front();
    const ssize_t written =
        ::pwrite(file_.get(), first.data(), first.size(), static_cast<off_t>(in_file_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      file_error_ = written < 0 ? errno : ENOSPC;
      return;
    }
    const auto size = static_cast<std::size_t>(written);
    in_file_ += size;
    in_memory_ -= size;
    first.erase(0, size);
    if (first.empty()) blocks_.pop_front();
  }
}

SpillBuffer::Piece SpillBuffer::read(std::uint64_t offset, std::size_t size) const {
  std::string bytes;
  if (offset < in_file_) {
    bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size, in_file_ - offset)));
    const ssize_t got =
        ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0) return {{}, errno};
    if (got == 0) return {{}, EIO};  // it is nobody's but ours, and was longer
    bytes.resize(static_cast<std::size_t>(got));
  }
  const std::uint64_t end = offset + bytes.size();
  if (end >= in_file_) bytes += from_memory(end - in_file_, size - bytes.size());
  return {std::move(bytes)};
}

std::string SpillBuffer::from_memory(std::uint64_t offset, std::size_t size) const {
  if (offset >= in_memory_) return {};
  const std::size_t first = blocks_.front().size();  // the file may have taken a part of it
  const bool in_first = offset < first;
  auto index = static_cast<std::size_t>(in_first ? 0 : 1 + (offset - first) / block);
  auto skip = static_cast<std::size_t>(in_first ? offset : (offset - first) % block);
  std::string bytes;
  for (; bytes.size() < size && index < blocks_.size(); ++index) {
    bytes += blocks_[index].substr(std::exchange(skip, 0), size - bytes.size());
  }
  return bytes;
}

std::string SpillBuffer::failure() const {
  return "it is more than the " + format_size(memory_limit) +
         " that memory is used for, and no more can be written in " + folder() + " (" +
         std::strerror(file_error_) +  // NOLINT(concurrency-mt-unsafe)
         "); TMPDIR can name another place";
}

}  // namespace retry_exec
