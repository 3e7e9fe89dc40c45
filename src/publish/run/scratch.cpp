#include "publish/run/scratch.hpp"

#include "publish/oci/layout.hpp"
#include "publish/run/folder.hpp"

#include <retry_exec/quantity.hpp>
#include <retry_exec/write.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

constexpr std::string_view prefix = "retry-publish-";
constexpr std::size_t random_letters = 6;  // of mkdtemp(3)
constexpr const char* lock_name = "lock";
constexpr std::string_view mark = "scratch folder of retry-publish, removed by its next run\n";

Error failure(const std::string& what) {
  return {{}, what + ": " + std::strerror(errno)};  // NOLINT(concurrency-mt-unsafe)
}

// A umask may deny others what it will, but not us what we make.
class OwnerMayUse {
 public:
  OwnerMayUse() : old_(::umask(0)) { ::umask(old_ & ~mode_t{S_IRWXU}); }
  OwnerMayUse(const OwnerMayUse&) = delete;
  OwnerMayUse& operator=(const OwnerMayUse&) = delete;
  ~OwnerMayUse() { ::umask(old_); }

 private:
  mode_t old_;
};

// "retry-publish-4711-a1B2c3"
bool is_name_of_ours(std::string_view name) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto letter = [digit](char c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  const std::size_t dash = name.find('-');
  if (dash == 0 || dash == std::string_view::npos || name.front() == '0') return false;
  const std::string_view pid = name.substr(0, dash);
  const std::string_view random = name.substr(dash + 1);
  return std::all_of(pid.begin(), pid.end(), digit) && random.size() == random_letters &&
         std::all_of(random.begin(), random.end(), letter);
}

bool is_own_file(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid();
}

bool is_marked(int file) {
  std::array<char, mark.size() + 1> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  return size == static_cast<ssize_t>(mark.size()) &&
         std::string_view(text.data(), mark.size()) == mark;
}

// The lock is held for as long as its run lives. A FIFO in its place must not hold us up.
UniqueFd lock_of_left_over(int folder) {
  UniqueFd lock(
      ::openat(folder, lock_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const bool left_over = lock && is_own_file(lock.get()) && is_marked(lock.get()) &&
                         ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
  return left_over ? std::move(lock) : UniqueFd();
}

bool is_own_folder(int folder) {
  struct stat status {};
  return ::fstat(folder, &status) == 0 && status.st_uid == ::geteuid();
}

// The lock goes last: a run that is killed in the middle of this leaves a folder that is known.
void remove_locked(int parent, const std::string& name, int folder) {
  empty_folder(folder, lock_name);
  ::unlinkat(folder, lock_name, 0);
  ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
}

}  // namespace

void sweep_scratch(const std::string& parent) {
  const UniqueFd scratch(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!scratch) return;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename();
    if (!is_name_of_ours(name)) continue;
    const UniqueFd folder = open_folder(scratch.get(), name);
    if (!folder || !is_own_folder(folder.get())) continue;
    const UniqueFd lock = lock_of_left_over(folder.get());
    if (lock) remove_locked(scratch.get(), name, folder.get());
  }
}

ScratchFolder::~ScratchFolder() {
  if (folder_) remove_locked(AT_FDCWD, path_, folder_.get());
}

Result<void> ScratchFolder::open() {
  if (folder_) return {};
  const OwnerMayUse for_now;
  std::error_code error;
  std::filesystem::create_directories(parent_, error);
  path_ = parent_ + "/" + std::string(prefix) + std::to_string(::getpid()) + "-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    return failure("cannot make a folder in the scratch folder '" + parent_ + "'");
  }
  folder_ = open_folder(AT_FDCWD, path_);
  // Under its name it is marked and locked from the first moment.
  const char* unnamed = "lock.new";
  lock_ = UniqueFd(::openat(folder_.get(), unnamed, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lock_ || ::write(lock_.get(), mark.data(), mark.size()) != ssize_t{mark.size()} ||
      ::flock(lock_.get(), LOCK_EX) != 0 ||
      ::renameat(folder_.get(), unnamed, folder_.get(), lock_name) != 0) {
    return failure("cannot lock the scratch folder '" + path_ + "'");
  }
  return {};
}

Result<std::string> ScratchFolder::make_folder(const std::string& name) {
  const OwnerMayUse for_now;
  std::string folder = path_ + "/" + name;
  if (::mkdirat(folder_.get(), name.c_str(), 0700) != 0) {
    return failure("cannot make '" + folder + "'");
  }
  return folder;
}

Result<std::string> ScratchFolder::write_file(const std::string& name, std::string_view text) {
  const OwnerMayUse for_now;
  std::string path = path_ + "/" + name;
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  const UniqueFd file(::openat(folder_.get(), name.c_str(), flags, 0600));
  if (file) errno = write_all(file.get(), text);
  if (!file || errno != 0) return failure("cannot write '" + path + "'");
  return path;
}

void ScratchFolder::remove_folder(const std::string& name) {
  publish::remove_folder(folder_.get(), name);
}

asio::awaitable<Result<void>> ScratchFolder::reserve(std::uint64_t bytes) {
  while (true) {
    struct statvfs status {};
    if (::fstatvfs(folder_.get(), &status) != 0) {
      co_return failure("cannot see how much room '" + path_ + "' has");
    }
    const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
    if (reserved_ + bytes <= free) break;
    if (reserved_ == 0) {
      co_return Error{{},
                      "the scratch folder '" + parent_ + "' has " + format_size(free) +
                          " free, and about " + format_size(bytes) + " are needed"};
    }
    asio::steady_timer released(co_await asio::this_coro::executor,
                                asio::steady_timer::time_point::max());
    waiting_.push_back(&released);
    co_await released.async_wait(asio::as_tuple(asio::use_awaitable));
    std::erase(waiting_, &released);
  }
  reserved_ += bytes;
  co_return Result<void>();
}

void ScratchFolder::release(std::uint64_t bytes) {
  reserved_ -= bytes;
  for (asio::steady_timer* waiter : waiting_) waiter->cancel();
}

Result<void> ScratchFolder::reduce_to_root(const std::string& layout, const std::string& root) {
  return oci::reduce_to_root(layout, root);
}

Result<void> ScratchFolder::name_entries(const std::string& layout) {
  return oci::name_entries(layout);
}

Result<std::string> ScratchFolder::converted_index(const std::string& layout) {
  const Result<std::string> digest = oci::converted_digest(layout);
  return digest ? oci::manifest_in(layout, *digest) : digest;
}

}  // namespace retry_exec::publish
