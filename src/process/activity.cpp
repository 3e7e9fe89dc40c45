#include "activity.hpp"

#include "process/kernel/tcp_bytes.hpp"
#include "values/unique_fd.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace retry_exec {

namespace {

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string in_proc(pid_t pid, std::string_view name) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(name);
}

// Nothing, with errno, where it cannot be read. Either file is much shorter than this.
std::optional<std::string> content(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(2048, '\0');
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string link_target(const std::string& path) {
  std::array<char, 64> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return {target.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

// proc(5): "rchar: 1234\n…". Together: what was read and written by any system call, and what was
// fetched from and sent to storage, as by way of mmap(2).
std::uint64_t bytes_in(std::string_view io) {
  std::uint64_t sum = 0;
  for (const std::string_view field : {"rchar: ", "wchar: ", "read_bytes: ", "write_bytes: "}) {
    const std::size_t at = io.find(field);
    if (at != std::string_view::npos) sum += number(io.substr(at + field.size()));
  }
  return sum;
}

// proc(5): utime, stime, cutime and cstime are fields 14 to 17; the name, field 2, ends in the last
// parenthesis.
Duration processor_time_in(std::string_view stat) {
  const std::size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return {};
  std::string_view rest = stat.substr(name_end + 2);
  std::uint64_t ticks = 0;
  for (int field = 3; field <= 17; ++field) {
    if (field >= 14) ticks += number(rest);
    rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
  }
  static const auto ticks_a_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return std::chrono::milliseconds(ticks * 1000 / ticks_a_second);
}

// proc(5): field 3, behind the name; R is on a processor, or ready for one.
bool is_ready_to_run(std::string_view stat) {
  const std::size_t name_end = stat.rfind(") ");
  return name_end != std::string_view::npos && stat.substr(name_end + 2).starts_with('R');
}

// "socket:[1234]" for each socket. False with errno where the folder cannot be read.
bool add_sockets(pid_t pid, std::vector<ino_t>& sockets) {
  const std::string folder = in_proc(pid, "fd");
  const std::unique_ptr<DIR, int (*)(DIR*)> descriptors(::opendir(folder.c_str()), ::closedir);
  if (!descriptors) return false;
  while (const dirent* entry = ::readdir(descriptors.get())) {  // NOLINT(concurrency-mt-unsafe)
    constexpr std::string_view socket = "socket:[";
    const std::string target = link_target(folder + "/" + entry->d_name);
    if (target.starts_with(socket)) sockets.push_back(number(std::string_view(target).substr(8)));
  }
  return true;
}

// Adds what one process has done; returns what it is that cannot be seen of it.
std::string add(pid_t pid, const std::string& network, Activity& activity,
                std::vector<ino_t>& sockets) {
  const std::string unseen = "process " + std::to_string(pid) + " ";
  const auto io = content(in_proc(pid, "io"));
  if (!io) {
    const bool gone = errno == ESRCH || (errno == ENOENT && !content(in_proc(pid, "stat")));
    return gone ? "" : unseen + "does not show what it reads and writes (another user's?)";
  }
  const auto stat = content(in_proc(pid, "stat"));
  if (!stat || !add_sockets(pid, sockets)) return "";  // gone meanwhile
  if (link_target(in_proc(pid, "ns/net")) != network) {
    return unseen + "has a network of its own";
  }
  activity.processes.push_back(pid);
  activity.bytes += bytes_in(*io);
  activity.processor_time += processor_time_in(*stat);
  activity.waits_for_processor = activity.waits_for_processor || is_ready_to_run(*stat);
  return "";
}

}  // namespace

Result<Activity> activity_of(std::vector<pid_t> processes) {
  std::sort(processes.begin(), processes.end());
  processes.erase(std::unique(processes.begin(), processes.end()), processes.end());
  if (link_target("/proc/self") != std::to_string(::getpid())) {
    return Error{{}, "there is no /proc, or one of another pid namespace"};
  }
  const std::string network = link_target("/proc/self/ns/net");
  Activity activity;
  std::vector<ino_t> sockets;
  for (const pid_t pid : processes) {
    if (std::string unseen = add(pid, network, activity, sockets); !unseen.empty()) {
      return Error{{}, std::move(unseen)};
    }
  }
  if (sockets.empty()) return activity;
  const auto counters = tcp_bytes();
  if (!counters)
    return Error{{}, "the kernel does not report what its connections carry (sock_diag)"};
  // A socket that several processes share counts for each: sums are only ever compared.
  for (const ino_t socket : sockets) {
    if (const auto found = counters->find(socket); found != counters->end()) {
      activity.bytes += found->second;
    }
  }
  return activity;
}

}  // namespace retry_exec
