// Which file it is, whatever name or descriptor leads to it.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

namespace retry_exec {

struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;

  static FileId of(const struct stat& status) { return {status.st_dev, status.st_ino}; }
  // Of what a descriptor stands for; no file at all has inode 0.
  static FileId of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? of(status) : FileId();
  }
};

}  // namespace retry_exec
