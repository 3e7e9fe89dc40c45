// Looks from time to time whether anything still moves in a running attempt.
#pragma once

#include "stall.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace retry_exec {

class StallWatch {
 public:
  struct Hooks {
    std::function<std::vector<pid_t>()> processes;        // those to look at
    std::function<bool()> held_up;                        // do they wait for us?
    std::function<void(Duration)> stalled;                // once: for how long nothing has moved
    std::function<void(const std::string& why)> unknown;  // once: it cannot be told
  };

  // Looks until it is destroyed, or has called `stalled`.
  StallWatch(boost::asio::io_context& context, Duration limit, Hooks hooks);

 private:
  void await();
  void look();

  StallDetector detector_;
  Hooks hooks_;
  boost::asio::steady_timer timer_;
  // A wait that has ended cannot be cancelled any more: its handler may come after us.
  std::shared_ptr<int> here_ = std::make_shared<int>();
  bool said_unknown_ = false;
};

}  // namespace retry_exec
