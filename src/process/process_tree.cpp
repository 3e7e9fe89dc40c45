#include "process_tree.hpp"

#include "process/kernel/descendants.hpp"
#include "process/kernel/job.hpp"
#include "process/output/log_filters.hpp"
#include "values/end_request.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <new>

namespace retry_exec {

namespace {

bool contains(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

}  // namespace

bool ProcessTree::alone() const {
  return supervisor_.running.size() <= 1 && supervisor_.spared.empty();
}

// A look at /proc misses who is just being born, and may not be possible at all; where all children
// are of this attempt, the kernel tells whether one is left.
bool ProcessTree::anything_left() const {
  if (!alone()) return !members().empty();
  reap_orphans({});
  return has_children();
}

std::vector<pid_t> ProcessTree::members() const {
  if (!has_children()) return {};
  // Orphans cannot be told apart by parent once they are ours: beside other attempts, only the
  // members of our own group are surely ours.
  if (supervisor_.running.size() > 1) {
    std::vector<pid_t> found = group_members(command_);
    if (command_ > 0 && command_runs_ && !contains(found, command_)) found.push_back(command_);
    return found;
  }
  return descendants(supervisor_.spared);
}

std::vector<pid_t> ProcessTree::at_work() const {
  std::vector<pid_t> found = members();
  if (supervisor_.running.size() > 1) {
    const std::vector<pid_t> below = descendants_of(command_);
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

std::vector<pid_t> ProcessTree::spared(const std::vector<pid_t>& members) const {
  if (command_runs_) return log_filters(command_, members);
  return filters_are_spared_ ? filters_before(outputs_, members, input_) : std::vector<pid_t>();
}

bool ProcessTree::has_filter_at_work() const {
  return retry_exec::has_filter_at_work(members(), outputs_, input_);
}

void ProcessTree::spare_filters() {
  const std::vector<pid_t> found = members();
  const std::size_t filters = filters_before(outputs_, found, input_).size();
  filters_are_spared_ = filters != 0 && filters < found.size();
}

bool ProcessTree::anything_to_end() const {
  if (!filters_are_spared_) return anything_left();
  const std::vector<pid_t> found = members();
  return spared(found).size() < found.size();
}

void ProcessTree::pass_on(int signal) const {
  if (!leads_group(command_)) {
    ::kill(command_, signal);
    return;
  }
  const std::vector<pid_t> group =
      asks_to_end(signal) ? group_members(command_) : std::vector<pid_t>();
  const std::vector<pid_t> filters = spared(group);
  if (filters.empty()) {
    signal_command(command_, signal);
    return;
  }
  for (const pid_t pid : group) {
    if (!contains(filters, pid)) ::kill(pid, signal);
  }
}

void ProcessTree::signal(int signal, bool all) {
  if (command_ <= 0) return;
  const std::vector<pid_t> found = members();
  signalled_ = found;
  const std::vector<pid_t> filters = all ? std::vector<pid_t>() : spared(found);
  // Until it is reaped its pid and group are its own; afterwards only what is found below us.
  const bool to_group = command_runs_ && filters.empty() && leads_group(command_);
  if (to_group) {
    signal_command(command_, signal);
  } else if (command_runs_) {
    ::kill(command_, signal);
  }
  for (const pid_t pid : found) {
    if (contains(filters, pid)) continue;
    const bool already =
        command_runs_ && (pid == command_ || (to_group && ::getpgid(pid) == command_));
    if (!already) ::kill(pid, signal);
    if (signal != SIGKILL) ::kill(pid, SIGCONT);  // a stopped process acts on nothing but KILL
  }
  // There is a process, and no /proc to find it in: it is in the group that was the command's, or
  // cannot be reached.
  if (!command_runs_ && own_group_ && found.empty() && anything_left()) ::kill(-command_, signal);
}

void ProcessTree::signal_newcomers(int signal) {
  // More may start while we look.
  constexpr int looks = 10;
  bool any = true;
  for (int look = 0; any && look < looks; ++look) {
    const std::vector<pid_t> found = members();
    const std::vector<pid_t> filters = spared(found);
    any = false;
    for (const pid_t pid : found) {
      if (contains(signalled_, pid) || contains(filters, pid)) continue;
      ::kill(pid, signal);
      signalled_.push_back(pid);
      any = true;
    }
  }
}

void ProcessTree::kill_at_once() {
  if (command_ <= 0) return;
  if (command_runs_) signal_command(command_, SIGKILL);
  try {
    kill(true);
  } catch (const std::bad_alloc&) {
    // Then its group is all that can be reached.
  }
  constexpr int looks = 100;  // of 10 ms: KILL may be refused, or be late
  for (int look = 0; look < looks && command_runs_; ++look) {
    command_runs_ = ::waitpid(command_, nullptr, WNOHANG) == 0;
    if (command_runs_) ::poll(nullptr, 0, 10);
  }
}

void ProcessTree::kill(bool all) {
  signal(SIGKILL, all);
  // What forks and ends, over and over, has another pid by the time that it is found; but each
  // time it becomes our own child, and to kill those takes less time than a fork.
  constexpr int quick_looks = 1000;
  for (int look = 0;
       !command_runs_ && !filters_are_spared_ && look < quick_looks && anything_left() && alone();
       ++look) {
    const std::vector<pid_t> ours = children();
    if (ours.empty()) break;
    for (const pid_t pid : ours) ::kill(pid, SIGKILL);
  }
}

}  // namespace retry_exec
