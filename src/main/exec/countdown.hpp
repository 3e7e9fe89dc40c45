// What a person sees at a terminal during a wait.
#pragma once

#include <retry_exec/process.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace retry_exec {

// Waits as `supervisor` does, and tells on stderr how long yet: one line, written over each second
// and gone at the end. Of a wait of less than two seconds nothing is told.
boost::asio::awaitable<std::optional<int>> count_down(Supervisor& supervisor, Duration duration);

}  // namespace retry_exec
