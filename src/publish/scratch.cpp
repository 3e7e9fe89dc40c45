#include "publish/scratch.hpp"

#include <retry_exec/quantity.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

constexpr std::string_view prefix = "retry-publish-";
constexpr const char* lock_name = "/lock";

Error failure(const std::string& what) {
  return {{}, what + ": " + std::strerror(errno)};  // NOLINT(concurrency-mt-unsafe)
}

bool is_alive(std::string_view name) {
  name.remove_prefix(prefix.size());
  pid_t pid = 0;
  std::from_chars(name.data(), name.data() + name.size(), pid);
  return pid > 0 && (::kill(pid, 0) == 0 || errno != ESRCH);
}

// The lock is held as long as its run lives, whatever became of the pid. A run that was killed
// before it had one is known by its pid.
bool is_left_over(const std::string& folder, std::string_view name) {
  const int lock = ::open((folder + lock_name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0) return errno == ENOENT && !is_alive(name);
  const bool free = ::flock(lock, LOCK_EX | LOCK_NB) == 0;
  ::close(lock);
  return free;
}

}  // namespace

void sweep_scratch(const std::string& parent) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename();
    struct stat status {};
    if (!name.starts_with(prefix) || ::lstat(entry.path().c_str(), &status) != 0) continue;
    if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) continue;
    if (is_left_over(entry.path(), name)) remove_folder(entry.path());
  }
}

void remove_folder(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

Scratch::~Scratch() {
  if (!folder_.empty()) remove_folder(folder_);
  if (lock_ >= 0) ::close(lock_);
}

Result<void> Scratch::open() {
  if (!folder_.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(parent_, error);
  std::string folder = parent_ + "/" + std::string(prefix) + std::to_string(::getpid()) + "-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    return failure("cannot make a folder in the scratch folder '" + parent_ + "'");
  }
  folder_ = folder;
  // Under its name it is locked from the first moment.
  const std::string unnamed = folder_ + "/lock.new";
  lock_ = ::open(unnamed.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0 || ::flock(lock_, LOCK_EX) != 0 ||
      ::rename(unnamed.c_str(), (folder_ + lock_name).c_str()) != 0) {
    return failure("cannot lock the scratch folder '" + folder_ + "'");
  }
  return {};
}

Result<std::string> Scratch::make_folder(const std::string& name) {
  std::string folder = folder_ + "/";
  folder += name;
  if (::mkdir(folder.c_str(), 0700) != 0) return failure("cannot make '" + folder + "'");
  return folder;
}

asio::awaitable<Result<void>> Scratch::reserve(std::uint64_t bytes) {
  while (true) {
    struct statvfs status {};
    if (::statvfs(folder_.c_str(), &status) != 0) {
      co_return failure("cannot see how much room '" + folder_ + "' has");
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

void Scratch::release(std::uint64_t bytes) {
  reserved_ -= bytes;
  for (asio::steady_timer* waiter : waiting_) waiter->cancel();
}

}  // namespace retry_exec::publish
