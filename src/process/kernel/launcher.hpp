// Starting a child: a launcher in the sense of Boost.Process v2 that does not copy page tables.
//
// Boost's default launcher forks, which costs a large parent a tenth of a millisecond per child,
// and knows neither process groups, parent death signals nor signal masks. This one uses vfork(2).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>

#include <sys/types.h>

#include <csignal>
#include <string>

namespace retry_exec {

// Boost.Process owns the child: it asks for its status, and ends it when nobody else does. Its
// async_wait() is not used. It waits for a pidfd, which Linux has from 5.3 on and sandboxes refuse;
// and on an early event, which Asio gives when a descriptor is reused beside others, it blocks
// in waitpid(2) until the child ends (boost/process/v2/detail/process_handle_fd.hpp,
// async_wait_op_). SIGCHLD tells of the end on every kernel.
using Child = boost::process::v2::basic_process<boost::asio::io_context::executor_type>;

// What the child does between vfork and exec. Plain data: only async-signal-safe calls run there,
// in the parent's memory.
struct ChildSetup {
  int standard_fds[3] = {0, 1, 2};  // what becomes 0, 1 and 2; equal numbers: inherited
  bool own_group = true;            // a process group of its own, led by the child
  sigset_t mask{};                  // the signal mask that we were started with
  bool ignore_children = false;     // we were started with SIGCHLD ignored, and so shall it be
};

struct StartFailure {
  enum class Step { handle, fork, setup, exec };
  Step step = Step::fork;
  int error = 0;  // errno
};

struct VforkLauncher {
  // Starts `path` and returns its handle. On failure `failure` says what failed, no child is left,
  // and the handle is invalid. A text file without "#!" is run by /bin/sh, as execvp(3) does; one
  // that another process still has open for writing (ETXTBSY) is tried again for a few
  // milliseconds.
  Child operator()(const boost::asio::io_context::executor_type& executor, StartFailure& failure,
                   const std::string& path, const char* const* argv, const char* const* environment,
                   const ChildSetup& setup) const;
};

}  // namespace retry_exec
