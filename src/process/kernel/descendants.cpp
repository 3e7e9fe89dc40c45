#include "descendants.hpp"

#include "values/unique_fd.hpp"

#include <retry_exec/text.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <unordered_map>

namespace retry_exec {

namespace {

pid_t number(std::string_view text) {
  pid_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct Stat {
  char state = '?';
  pid_t parent = 0;
  pid_t group = 0;

  bool alive() const { return parent > 0 && state != 'Z' && state != 'X'; }
};

// proc(5): "pid (name) state ppid pgrp …"; the name may hold spaces and parentheses, so from its
// last.
Stat read_stat(const std::string& pid) {
  const UniqueFd file(::open(("/proc/" + pid + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 512> buffer{};
  const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
  if (size <= 0) return {};
  const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  const std::size_t name_end = text.rfind(") ");
  if (name_end == std::string_view::npos || name_end + 4 >= text.size()) return {};
  const std::string_view parent = text.substr(name_end + 4);
  const std::string_view group = parent.substr(std::min(parent.find(' ') + 1, parent.size()));
  return {text[name_end + 2], number(parent), number(group)};
}

// Whether /proc speaks of our own pid namespace. After `unshare --pid` alone it does not, and its
// numbers would name strangers.
bool proc_is_ours() {
  std::array<char, 16> self{};
  const ssize_t size = ::readlink("/proc/self", self.data(), self.size());
  return size > 0 && number({self.data(), static_cast<std::size_t>(size)}) == ::getpid();
}

// Calls `visit(pid, stat)` for each living process.
template <class Visit>
void for_each_process(Visit visit) {
  if (!proc_is_ours()) return;
  DIR* directory = ::opendir("/proc");
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory)) {  // NOLINT(concurrency-mt-unsafe)
    const pid_t pid = number(entry->d_name);
    if (pid <= 0) continue;
    if (const Stat stat = read_stat(entry->d_name); stat.alive()) visit(pid, stat);
  }
  ::closedir(directory);
}

bool contains(std::span<const pid_t> pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

std::vector<pid_t> below(pid_t ancestor, std::span<const pid_t> spared) {
  std::unordered_multimap<pid_t, pid_t> children;
  for_each_process([&](pid_t pid, const Stat& stat) { children.emplace(stat.parent, pid); });
  std::vector<pid_t> found;
  std::vector<pid_t> parents = {ancestor};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    const auto [first, last] = children.equal_range(parent);
    for (auto child = first; child != last; ++child) {
      if (contains(spared, child->second)) continue;
      found.push_back(child->second);
      parents.push_back(child->second);
    }
  }
  return found;
}

}  // namespace

void become_subreaper() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

std::vector<pid_t> descendants(std::span<const pid_t> spared) {
  return below(::getpid(), spared);
}

std::vector<pid_t> descendants_of(pid_t pid) {
  return below(pid, {});
}

bool is_descendant(pid_t pid, std::span<const pid_t> spared) {
  if (!proc_is_ours()) return false;
  while (pid > 0 && !contains(spared, pid)) {
    pid = read_stat(std::to_string(pid)).parent;
    if (pid == ::getpid()) return true;
  }
  return false;
}

std::vector<pid_t> children() {
  // proc(5): "pid pid pid "; kernels built without CONFIG_PROC_CHILDREN have no such file.
  const std::string path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  const ssize_t size = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  std::string_view text(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  std::vector<pid_t> found;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) break;  // cut: half a number names another process
    if (const pid_t pid = number(text); pid > 0) found.push_back(pid);
    text.remove_prefix(blank + 1);
  }
  return found;
}

bool is_stopped(pid_t pid) {
  return read_stat(std::to_string(pid)).state == 'T';
}

bool in_orphaned_group() {
  bool orphaned = proc_is_ours();
  const pid_t group = ::getpgrp();
  const pid_t session = ::getsid(0);
  for_each_process([&](pid_t, const Stat& stat) {
    if (stat.group == group && ::getpgid(stat.parent) != group &&
        ::getsid(stat.parent) == session) {
      orphaned = false;
    }
  });
  return orphaned;
}

std::string name_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/comm";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> buffer{};
  const ssize_t size = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  const auto length = static_cast<std::size_t>(std::max<ssize_t>(size, 1) - 1);
  const std::string name = text::printable({buffer.data(), length});  // a process names itself
  return name.empty() ? "?" : name;
}

std::vector<pid_t> group_members(pid_t group) {
  std::vector<pid_t> found;
  for_each_process([&](pid_t pid, const Stat& stat) {
    if (stat.group == group) found.push_back(pid);
  });
  return found;
}

void reap_orphans(std::span<const pid_t> awaited) {
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    // One that is awaited stands first in the queue until its owner has taken it; we come again.
    if (contains(awaited, info.si_pid)) return;
    ::waitpid(info.si_pid, nullptr, WNOHANG);
    info = {};
  }
}

}  // namespace retry_exec
