#include "values/end_request.hpp"

#include <algorithm>
#include <array>
#include <csignal>

namespace retry_exec {

namespace {

constexpr std::array end_requests = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

// Taken before main begins, and so before anything of ours blocks a signal.
const sigset_t mask_at_start = [] {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return mask;
}();

}  // namespace

bool asks_to_end(int signal) {
  return std::find(end_requests.begin(), end_requests.end(), signal) != end_requests.end();
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

bool was_blocked(int signal) {
  return ::sigismember(&mask_at_start, signal) == 1;
}

std::optional<int> pending_end_request() {
  sigset_t pending;
  ::sigpending(&pending);
  for (const int signal : end_requests) {
    if (::sigismember(&pending, signal) == 1 && !is_ignored(signal) && !was_blocked(signal)) {
      return signal;
    }
  }
  return std::nullopt;
}

}  // namespace retry_exec
