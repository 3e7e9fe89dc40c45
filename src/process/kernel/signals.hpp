// The signals that are sent to us, read as events.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/types.h>

#include <csignal>
#include <functional>

namespace retry_exec {

// asio::signal_set overrides an inherited "ignore", which breaks nohup, and says nothing about the
// sender. signalfd(2) does neither. Signals that were ignored when we started stay ignored, here
// and in the command. Watched is what would end us, and what the command may want to know: all but
// the faults (SEGV, BUS, FPE, ILL). Our own fault, trap or abort(3) ends us, though blocked: the
// kernel and abort(3) see to that.
class SignalSource {
 public:
  struct Received {
    int signal = 0;
    bool from_terminal = false;  // the kernel sent it to the whole foreground group
    pid_t sender = 0;            // who called kill(2), for us or for our whole group
  };

  // Takes over an inherited "ignore" of CHLD, under which the kernel would reap the command before
  // we learn its status.
  explicit SignalSource(boost::asio::io_context& context);

  // Calls `handler` for each signal from now on, until the context ends.
  void start(std::function<void(Received)> handler);

  // What `child` may have sent before it ended, as long as its sender can be looked at: call this
  // before it is reaped. Other signals are delivered too, but for CHLD.
  void deliver_before_reaping(pid_t child);

  // The mask that we were started with, for the command.
  const sigset_t& original_mask() const { return original_mask_; }
  // Whether CHLD was ignored then.
  bool ignored_children() const { return ignored_children_; }

 private:
  void await();
  void deliver();
  void read_all();

  bool child_event_ = false;
  bool ignored_children_ = false;
  sigset_t original_mask_{};
  sigset_t watched_{};
  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void(Received)> handler_;
};

// Stops us the way `signal` (TSTP, TTIN, TTOU, STOP) stops a process by default, if it does: but
// for STOP, the kernel leaves running who has nobody left to continue him (an orphaned process
// group); and process 1 of a container in any case. Returns whether it did, once we have been
// continued; that CONT is still to be dealt with.
bool stop_by(int signal);

}  // namespace retry_exec
