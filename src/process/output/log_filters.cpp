#include "log_filters.hpp"

#include "process/kernel/unix_socket.hpp"
#include "values/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace retry_exec {

namespace {

struct Process {
  pid_t pid = -1;
  bool is_seen = false;  // do we know what it has open?
  std::vector<OpenFile> files;

  bool writes(FileId id) const { return writes_any({&id, 1}); }
  bool writes_any(std::span<const FileId> ids) const {
    return std::any_of(files.begin(), files.end(), [&](const OpenFile& file) {
      return file.is_written && std::find(ids.begin(), ids.end(), file.id) != ids.end();
    });
  }
};

std::vector<Process> look_at(std::span<const pid_t> pids) {
  std::vector<Process> processes;
  processes.reserve(pids.size());
  for (const pid_t pid : pids) {
    std::optional<std::vector<OpenFile>> files = open_files(pid);
    const bool is_seen = files.has_value();
    processes.push_back({pid, is_seen, std::move(files).value_or(std::vector<OpenFile>())});
  }
  return processes;
}

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

// Something to read in a pipe, or its end, and where that comes from.
struct Unread {
  bool waits = false;
  FileId written_as;
};

// A pipe that has a name, and of which we have seen no writer, has no end for poll(2); for tee(2),
// which takes nothing, it has.
bool is_at_end(int pipe) {
  pollfd request{pipe, POLLIN, 0};
  if (::poll(&request, 1, 0) == 1 && (request.revents & POLLHUP) != 0) return true;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  const UniqueFd source(ends[0]);
  const UniqueFd target(ends[1]);
  return ::tee(pipe, target.get(), 1, SPLICE_F_NONBLOCK) == 0;
}

Unread input_of(const Process& process, const OpenFile& file) {
  if (file.type == S_IFSOCK) {
    const auto socket = unix_socket(file.id.inode);
    return socket ? Unread{socket->has_input, {file.id.device, socket->peer}} : Unread{};
  }
  const UniqueFd own(
      ::open(path_of(process.pid, file.fd).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  int unread = 0;
  const bool waits =
      own && ((::ioctl(own.get(), FIONREAD, &unread) == 0 && unread > 0) || is_at_end(own.get()));
  return {waits, file.id};
}

// What does not count as a filter's input: the command's own, and what it inherited from us.
std::vector<FileId> not_of_filters(FileId standard_input) {
  std::vector<FileId> files = {standard_input};
  for (const OpenFile& file : open_files(::getpid()).value_or(std::vector<OpenFile>())) {
    files.push_back(file.id);
  }
  return files;
}

// Where `process` reads what others write. A process that holds both ends of a pipe, as event loops
// and the job server of make do, does not wait for its end.
std::vector<OpenFile> streams_read_by(const Process& process, std::span<const FileId> others) {
  std::vector<OpenFile> streams;
  for (const OpenFile& file : process.files) {
    if (file.is_stream() && file.is_read && !contains(others, file.id) &&
        (file.type != S_IFIFO || !process.writes(file.id))) {
      streams.push_back(file);
    }
  }
  return streams;
}

}  // namespace

std::vector<pid_t> log_filters(pid_t command, std::span<const pid_t> pids) {
  const std::vector<Process> processes = look_at(pids);
  std::vector<FileId> logs;
  for (const Process& process : processes) {
    for (const OpenFile& file : process.files) {
      const bool is_log =
          file.fd == STDERR_FILENO || (file.fd == STDOUT_FILENO && process.pid == command);
      if (is_log && file.type == S_IFIFO) logs.push_back(file.id);
    }
  }
  std::vector<pid_t> filters;
  for (const Process& process : processes) {
    const bool reads =
        std::any_of(process.files.begin(), process.files.end(),
                    [&](const OpenFile& file) { return file.is_read && contains(logs, file.id); });
    if (process.pid != command && reads) filters.push_back(process.pid);
  }
  return filters;
}

std::vector<pid_t> writers_of(std::span<const FileId> outputs, std::span<const pid_t> pids) {
  std::vector<pid_t> writers;
  for (const Process& process : look_at(pids)) {
    if (process.writes_any(outputs)) writers.push_back(process.pid);
  }
  return writers;
}

std::vector<pid_t> filters_before(std::span<const FileId> outputs, std::span<const pid_t> pids,
                                  FileId standard_input) {
  const std::vector<FileId> others = not_of_filters(standard_input);
  std::vector<pid_t> filters;
  for (const Process& process : look_at(pids)) {
    if (process.writes_any(outputs) && !streams_read_by(process, others).empty()) {
      filters.push_back(process.pid);
    }
  }
  return filters;
}

bool has_filter_at_work(std::span<const pid_t> pids, std::span<const FileId> outputs,
                        FileId standard_input) {
  const std::vector<Process> processes = look_at(pids);
  const std::vector<FileId> others = not_of_filters(standard_input);
  std::vector<FileId> towards_us(outputs.begin(), outputs.end());
  for (std::size_t next = 0; next < towards_us.size(); ++next) {
    const FileId id = towards_us[next];
    for (const Process& process : processes) {
      if (!process.writes(id)) continue;
      for (const OpenFile& file : streams_read_by(process, others)) {
        const Unread input = input_of(process, file);
        if (file.type == S_IFSOCK && process.writes(input.written_as)) continue;
        if (input.waits) return true;
        if (!contains(towards_us, input.written_as)) towards_us.push_back(input.written_as);
      }
    }
  }
  // If no process that we can look into holds our pipe, one that we cannot look into does, and it
  // may be a filter (`sudo tee`).
  const auto writes = [&](const Process& process) { return process.writes_any(outputs); };
  const auto is_unseen = [](const Process& process) { return !process.is_seen; };
  return std::none_of(processes.begin(), processes.end(), writes) &&
         std::any_of(processes.begin(), processes.end(), is_unseen);
}

}  // namespace retry_exec
