#include "open_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace retry_exec {

bool OpenFile::is_stream() const {
  return type == S_IFIFO || type == S_IFSOCK;
}

std::string path_of(pid_t process, int fd) {
  return "/proc/" + std::to_string(process) + "/fd/" + std::to_string(fd);
}

// The permissions of the link itself say how the file is open: proc(5).
std::optional<std::vector<OpenFile>> open_files(pid_t process) {
  const std::string folder = "/proc/" + std::to_string(process) + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> descriptors(::opendir(folder.c_str()), ::closedir);
  if (!descriptors) return std::nullopt;
  std::vector<OpenFile> files;
  while (const dirent* entry = ::readdir(descriptors.get())) {  // NOLINT(concurrency-mt-unsafe)
    const char* name = entry->d_name;
    int fd = -1;
    if (std::from_chars(name, name + std::strlen(name), fd).ec != std::errc()) continue;
    struct stat file {};
    struct stat link {};
    const int folder_fd = ::dirfd(descriptors.get());
    if (::fstatat(folder_fd, name, &file, 0) != 0 ||
        ::fstatat(folder_fd, name, &link, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    files.push_back({FileId::of(file), fd, file.st_mode & S_IFMT, (link.st_mode & S_IRUSR) != 0,
                     (link.st_mode & S_IWUSR) != 0});
  }
  return files;
}

}  // namespace retry_exec
