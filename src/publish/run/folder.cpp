#include "publish/run/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <vector>

namespace retry_exec::publish {

namespace {

std::optional<struct stat> status_of(int parent, const std::string& name) {
  struct stat status {};
  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return status;
}

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  // The stream closes the descriptor that it is given.
  UniqueFd own(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), ::closedir);
  if (!stream) return names;
  own.release();
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

}  // namespace

UniqueFd open_folder(int parent, const std::string& name) {
  return UniqueFd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void empty_folder(int folder, const std::string& kept) {
  struct stat here {};
  if (::fstat(folder, &here) != 0) return;
  for (const std::string& name : names_in(folder)) {
    if (name == kept) continue;
    const auto status = status_of(folder, name);
    if (!status) continue;
    if (!S_ISDIR(status->st_mode)) {
      ::unlinkat(folder, name.c_str(), 0);
    } else if (status->st_dev == here.st_dev) {
      remove_folder(folder, name);
    }
  }
}

void remove_folder(int parent, const std::string& name) {
  const auto status = status_of(parent, name);
  if (!status || !S_ISDIR(status->st_mode)) return;
  // A umask, or an image's own modes, may have locked us out of what is ours.
  if ((status->st_mode & S_IRWXU) != S_IRWXU) {
    // Where this is refused, what follows is too, or did not need it.
    [[maybe_unused]] const int result =
        ::fchmodat(parent, name.c_str(), S_IRWXU, AT_SYMLINK_NOFOLLOW);
  }
  if (const UniqueFd folder = open_folder(parent, name)) empty_folder(folder.get(), {});
  ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
}

}  // namespace retry_exec::publish
