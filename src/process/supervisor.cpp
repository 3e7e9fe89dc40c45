#include "process/kernel/descendants.hpp"
#include "process/kernel/terminal.hpp"
#include "process/output/held_output.hpp"
#include "running_attempt.hpp"
#include "supervisor_state.hpp"
#include "values/end_request.hpp"

#include <retry_exec/process.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace retry_exec {

Supervisor::State::State(boost::asio::io_context& one_thread)
    : context(one_thread),
      foreground(in_foreground()),
      signals(context),
      standard_output(context, STDOUT_FILENO),
      standard_error(context, STDERR_FILENO),
      input(context, {&standard_output, &standard_error}) {
  spare_what_is_there();  // a shell that exec's us leaves us its background jobs
  become_subreaper();
  signals.start([this](SignalSource::Received received) { on_signal(received); });
}

void Supervisor::State::on_signal(SignalSource::Received received) {
  if (received.signal == SIGCHLD) {
    if (parent_has_ended()) on_parent_end();
    for (RunningAttempt* attempt : std::vector(running)) attempt->on_child_event();
    std::vector<pid_t> awaited;
    for (const RunningAttempt* attempt : running) awaited.push_back(attempt->awaited());
    reap_orphans(awaited);
  } else if (is_for_attempt(received)) {
    return;  // its whole group has got it
  } else if (was_blocked(received.signal)) {
    for (RunningAttempt* attempt : running) attempt->on_signal(received);  // and nothing to us
  } else if (received.signal == SIGTSTP) {
    on_stop(received);
  } else if (asks_to_end(received.signal)) {
    on_end_request(received);
  } else if (running.empty() && received.signal != SIGWINCH && received.signal != SIGCONT) {
    on_end_request(received);  // between attempts nothing else handles it
  } else {
    for (RunningAttempt* attempt : running) attempt->on_signal(received);
  }
}

// A sender that has been reaped, or that cannot be seen, is taken for a stranger: no request to end
// shall be missed.
bool Supervisor::State::is_for_attempt(SignalSource::Received received) const {
  return received.sender > 0 && !running.empty() && ::getpgid(received.sender) == ::getpgrp() &&
         is_descendant(received.sender, spared);
}

void Supervisor::State::on_end_request(SignalSource::Received received) {
  const TimePoint now = Clock::now();
  if (interrupted_by) {
    // timeout(1) and some CI runners send the same signal to us and to our group: one request.
    constexpr auto same_request = std::chrono::milliseconds(200);
    if (received.signal == *interrupted_by && now - interrupted_at < same_request) return;
    for (RunningAttempt* attempt : std::vector(running)) attempt->escalate();
    return;
  }
  interrupted_by = received.signal;
  interrupted_at = now;
  for (boost::asio::steady_timer* wait : waits) wait->cancel();
  for (RunningAttempt* attempt : std::vector(running)) attempt->on_end_request(received);
}

bool Supervisor::State::parent_has_ended() const {
  return parent && ::getppid() != *parent;
}

// Nobody is left to ask a second time: kill-after does.
void Supervisor::State::on_parent_end() {
  if (std::exchange(told_of_parent, true)) return;
  if (!interrupted_by) {
    interrupted_by = SIGTERM;
    interrupted_at = Clock::now();
  }
  for (boost::asio::steady_timer* wait : waits) wait->cancel();
  for (RunningAttempt* attempt : std::vector(running)) attempt->end_in_time(*interrupted_by);
}

void Supervisor::State::put_terminal_modes_back() {
  if (!std::exchange(modes_may_be_off, false) || !modes) return;
  const std::optional<termios> now = terminal_modes();
  if (!now || std::memcmp(&*now, &*modes, sizeof *now) == 0) return;
  // A pager at the end of our pipeline, or a script that asks for a password, may have made them.
  const std::vector<pid_t> group = group_members(::getpgrp());
  const bool alone = std::all_of(group.begin(), group.end(), [](pid_t member) {
    return member == ::getpid() || is_descendant(member, {});
  });
  if (alone && !group.empty()) set_terminal_modes(*modes);
}

// What a successful --before-retry left (an ssh-agent, a tunnel) is there for the attempts to come.
void Supervisor::State::spare_what_is_there() {
  spared = has_children() ? descendants({}) : std::vector<pid_t>();
}

// A command that does not stop, because it has other uses for TSTP or none, shall not be left
// behind by us.
void Supervisor::State::on_stop(SignalSource::Received received) {
  bool command_will = false;
  for (RunningAttempt* attempt : running) {
    attempt->on_signal(received);
    command_will = command_will || attempt->stops_us();
  }
  if (command_will || stop_by(SIGTSTP)) return;
  for (RunningAttempt* attempt : running) attempt->on_signal({SIGCONT, false});
}

Supervisor::Supervisor(boost::asio::io_context& context)
    : state_(std::make_unique<State>(context)) {}

Supervisor::~Supervisor() = default;

// The signal tells of the end of a mere thread of the parent's too, so it is getppid(2) that
// counts; CHLD comes without a meaning of its own.
void Supervisor::end_with_parent(pid_t parent) {
  state_->parent = parent;
  ::prctl(PR_SET_PDEATHSIG, SIGCHLD);
  if (state_->parent_has_ended()) state_->on_parent_end();  // before the signal was asked for
}

boost::asio::awaitable<Attempt> Supervisor::run(const Command& command,
                                                const AttemptOptions& options) {
  if (state_->told_of_parent) {
    Attempt none;
    none.outcome = NotStarted{EINTR, "the process that started us has ended"};
    none.interrupted_by = state_->interrupted_by;
    co_return none;
  }
  if (state_->running.empty()) state_->spare_what_is_there();
  state_->put_terminal_modes_back();
  if (state_->foreground) state_->modes = terminal_modes();
  RunningAttempt attempt(*state_, command, options);
  Attempt result = co_await attempt.run();
  if (!succeeded(result.outcome)) {
    take_terminal_from_nobody();
    state_->modes_may_be_off = true;
    // Our exit code does not show it to a shell as bare, which would put them back.
    if (!std::holds_alternative<Exited>(result.outcome)) state_->put_terminal_modes_back();
  }
  co_return result;
}

void Supervisor::kill_all() {
  for (RunningAttempt* attempt : state_->running) attempt->kill_at_once();
}

boost::asio::awaitable<std::optional<int>> Supervisor::wait(Duration duration) {
  if (const std::optional<int> signal = interrupted_by()) co_return signal;
  state_->put_terminal_modes_back();  // without them Ctrl-C would not end the wait
  boost::asio::steady_timer timer(state_->context);
  timer.expires_at(later(Clock::now(), duration));
  state_->waits.push_back(&timer);
  co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  std::erase(state_->waits, &timer);
  co_return interrupted_by();
}

std::optional<int> Supervisor::interrupted_by() const {
  return state_->interrupted_by ? state_->interrupted_by : pending_end_request();
}

boost::asio::awaitable<int> Supervisor::give_out(HeldOutput& held, int fd,
                                                 std::optional<TimePoint> deadline) {
  if (!held.state) co_return 0;
  Sink& sink = fd == STDOUT_FILENO ? state_->standard_output : state_->standard_error;
  std::uint64_t offset = 0;
  while (true) {
    constexpr std::size_t piece = std::size_t{64} << 10;
    auto [bytes, error] = held.state->buffer.read(offset, piece);
    if (error != 0) co_return error;
    if (bytes.empty()) co_return 0;
    // A line goes whole where it can: see Sink.
    const std::size_t lines = bytes.rfind('\n') + 1;  // npos + 1 is 0
    if (bytes.size() == piece && lines != 0) bytes.resize(lines);
    offset += bytes.size();
    for (std::string_view rest = bytes; !rest.empty();) {
      switch (sink.write_some(rest)) {
        case Sink::Result::wrote:
          break;
        case Sink::Result::reader_gone:
          co_return EPIPE;
        case Sink::Result::failed:
          co_return sink.error();
        case Sink::Result::would_block: {
          if (state_->interrupted_by) co_return EINTR;
          if (deadline && Clock::now() >= *deadline) co_return ETIMEDOUT;
          const auto writable = std::make_shared<boost::asio::steady_timer>(
              state_->context, deadline.value_or(TimePoint::max()));
          state_->waits.push_back(writable.get());
          sink.when_writable([writable] { writable->cancel(); });
          co_await writable->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
          std::erase(state_->waits, writable.get());
        }
      }
    }
  }
}

}  // namespace retry_exec
