// The signals that are sent to us, read as events.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <csignal>
#include <functional>

namespace retry_exec {

// asio::signal_set overrides an inherited "ignore", which breaks nohup, and tells nothing of the
// sender. signalfd(2) does neither. Signals that were ignored when we started stay ignored, here
// and in the command.
class SignalSource {
 public:
  struct Received {
    int signal = 0;
    bool from_terminal = false;  // the kernel sent it to the whole foreground group
  };

  // `stop_signals`: whether TSTP is ours to pass on; not so when the command shares our foreground
  // group, where the kernel stops both.
  SignalSource(boost::asio::io_context& context, bool stop_signals);

  // Calls `handler` for each signal from now on, until the context ends.
  void start(std::function<void(Received)> handler);

  // The mask that we were started with, for the command.
  const sigset_t& original_mask() const { return original_mask_; }

 private:
  void await();

  sigset_t original_mask_{};
  sigset_t watched_{};
  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void(Received)> handler_;
};

// HUP, INT, QUIT and TERM ask us to end; the others are only passed on.
bool asks_to_end(int signal);

}  // namespace retry_exec
