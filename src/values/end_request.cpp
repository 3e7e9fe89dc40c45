#include "values/end_request.hpp"

#include <algorithm>
#include <array>
#include <csignal>

namespace retry_exec {

namespace {
constexpr std::array end_requests = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
}

bool asks_to_end(int signal) {
  return std::find(end_requests.begin(), end_requests.end(), signal) != end_requests.end();
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

std::optional<int> pending_end_request() {
  sigset_t pending;
  ::sigpending(&pending);
  for (const int signal : end_requests) {
    if (::sigismember(&pending, signal) == 1 && !is_ignored(signal)) return signal;
  }
  return std::nullopt;
}

}  // namespace retry_exec
