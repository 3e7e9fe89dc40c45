#include "log_filters.hpp"

#include "values/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

namespace retry_exec {

namespace {

std::string path_of(pid_t process, int fd) {
  return "/proc/" + std::to_string(process) + "/fd/" + std::to_string(fd);
}

// Of a pipe alone; anything else does not count as a file here.
FileId pipe_of(pid_t process, int fd) {
  struct stat status {};
  if (::stat(path_of(process, fd).c_str(), &status) != 0 || !S_ISFIFO(status.st_mode)) return {};
  return {status.st_dev, status.st_ino};
}

FileId file_of(pid_t process, int fd) {
  struct stat status {};
  if (::stat(path_of(process, fd).c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

bool has_writer(pid_t process, int fd) {
  const UniqueFd own(::open(path_of(process, fd).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  pollfd request{own.get(), POLLIN, 0};
  return !own || ::poll(&request, 1, 0) < 0 || (request.revents & POLLHUP) == 0;
}

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

}  // namespace

FileId FileId::of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

std::vector<pid_t> log_filters(pid_t command, std::span<const pid_t> processes) {
  std::vector<FileId> logs = {pipe_of(command, 1), pipe_of(command, 2)};
  for (const pid_t process : processes) logs.push_back(pipe_of(process, 2));
  std::erase(logs, FileId{});
  std::vector<pid_t> filters;
  for (const pid_t process : processes) {
    if (process != command && contains(logs, pipe_of(process, 0))) filters.push_back(process);
  }
  return filters;
}

bool has_filter_at_work(std::span<const pid_t> processes, std::span<const FileId> outputs,
                        FileId standard_input) {
  return std::any_of(processes.begin(), processes.end(), [&](pid_t process) {
    const FileId input = pipe_of(process, 0);
    return input != FileId{} && input != standard_input &&
           (contains(outputs, file_of(process, 1)) || contains(outputs, file_of(process, 2))) &&
           !has_writer(process, 0);
  });
}

}  // namespace retry_exec
