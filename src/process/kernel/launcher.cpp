#include "launcher.hpp"

#include "values/unique_fd.hpp"

#include <retry_exec/outcome.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <vector>

namespace retry_exec {

namespace {

// Moves `fds` onto 0, 1 and 2 and keeps them open across exec. Each must be above 2 or already in
// its place: the caller sees to that, so no move overwrites another's source.
bool place_standard_fds(const int (&fds)[3]) {
  for (int target = 0; target < 3; ++target) {
    if (fds[target] != target && ::dup2(fds[target], target) < 0) return false;
  }
  return true;
}

[[noreturn]] void become(const ChildSetup& setup, pid_t parent, const char* path,
                         const char* const* argv, const char* const* environment,
                         volatile StartFailure& failure) {
  // The exec family wants `char* const*` for history's sake and changes nothing.
  auto* const arguments = const_cast<char* const*>(argv);         // NOLINT
  auto* const variables = const_cast<char* const*>(environment);  // NOLINT
  failure.step = StartFailure::Step::setup;
  // PR_SET_PDEATHSIG counts from now on: whether the parent died before is seen by comparing with
  // the pid saved before the fork, not with 1 (prctl(2); containers have other reapers).
  // A sandbox may refuse it; the command then survives our being killed.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if ((!setup.own_group || ::setpgid(0, 0) == 0) && ::getppid() == parent &&
      place_standard_fds(setup.standard_fds) &&
      (!setup.ignore_children || ::signal(SIGCHLD, SIG_IGN) != SIG_ERR) &&
      ::pthread_sigmask(SIG_SETMASK, &setup.mask, nullptr) == 0) {
    failure.step = StartFailure::Step::exec;
    ::execve(path, arguments, variables);
  }
  failure.error = errno;
  ::_exit(exit_code::own_failure);  // seen by nobody: the parent reads `failure`
}

pid_t spawn(const ChildSetup& setup, const char* path, const char* const* argv,
            const char* const* environment, StartFailure& failure) {
  volatile StartFailure in_child{StartFailure::Step::fork, 0};
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // A handler of ours must not run in the child while it shares our memory.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = ::getpid();
  const pid_t pid = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (pid == 0) become(setup, parent, path, argv, environment, in_child);
  const int fork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    failure = {StartFailure::Step::fork, fork_error};
  } else if (in_child.error != 0) {
    failure = {in_child.step, in_child.error};
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
    return -1;
  }
  return pid;
}

// execvp(3): what the kernel does not recognise is a script for the shell.
pid_t spawn_by_shell(const ChildSetup& setup, const std::string& path, const char* const* argv,
                     const char* const* environment, StartFailure& failure) {
  std::vector<const char*> arguments = {"/bin/sh", path.c_str()};
  for (const char* const* argument = argv + 1; *argument != nullptr; ++argument) {
    arguments.push_back(*argument);
  }
  arguments.push_back(nullptr);
  return spawn(setup, "/bin/sh", arguments.data(), environment, failure);
}

// What Boost.Process's handle takes for a pidfd. It is never waited on, so it may be anything; that
// epoll(7) refuses it keeps Asio from failing once the command runs.
UniqueFd unwatched() {
  UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!file && errno != EMFILE && errno != ENFILE) file.reset(::eventfd(0, EFD_CLOEXEC));
  return file;
}

}  // namespace

Child VforkLauncher::operator()(const boost::asio::io_context::executor_type& executor,
                                StartFailure& failure, const std::string& path,
                                const char* const* argv, const char* const* environment,
                                const ChildSetup& setup) const {
  UniqueFd handle = unwatched();
  if (!handle) {
    failure = {StartFailure::Step::handle, errno};
    return Child(executor);
  }
  constexpr int busy_tries = 10;  // of 5 ms: a sibling's fork may hold the writer's descriptor
  pid_t pid = -1;
  for (int attempt = 0; attempt < busy_tries; ++attempt) {
    failure = {};
    pid = spawn(setup, path.c_str(), argv, environment, failure);
    if (pid >= 0 || failure.error != ETXTBSY) break;
    ::poll(nullptr, 0, 5);
  }
  if (pid < 0 && failure.error == ENOEXEC) {
    failure = {};
    pid = spawn_by_shell(setup, path, argv, environment, failure);
  }
  if (pid < 0) return Child(executor);
  return Child(executor, pid, handle.release());
}

}  // namespace retry_exec
