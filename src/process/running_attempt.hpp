// One attempt, from its start to the death of all that it started.
#pragma once

#include "launcher.hpp"
#include "pump.hpp"
#include "signals.hpp"
#include "stall_watch.hpp"
#include "supervisor_state.hpp"
#include "terminal.hpp"

#include <retry_exec/process.hpp>

#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace retry_exec {

// The command's end and the end of its output are two events, in either order:
//
//   running ──exit──▶ (failed, or asked to end: its whole tree ended) ──▶ draining ──▶ done
//
// The outcome is decided by the exit; output that is still in the pipes then is carried; a pipe
// that a background process keeps open is closed after a short grace.
class RunningAttempt {
 public:
  RunningAttempt(Supervisor::State& supervisor, const Command& command,
                 const AttemptOptions& options);
  RunningAttempt(const RunningAttempt&) = delete;
  RunningAttempt& operator=(const RunningAttempt&) = delete;
  ~RunningAttempt();

  boost::asio::awaitable<Attempt> run();

  // What the supervisor passes on.
  void on_signal(SignalSource::Received received);
  void on_end_request(SignalSource::Received received);
  void escalate();
  void end_in_time(int asked);  // on account of that signal; what does not end is killed
  void on_child_event();        // some descendant may have ended or stopped
  // The child whose end is still to come; -1: none.
  pid_t awaited() const { return exit_seen_ ? -1 : pid_; }

 private:
  struct Streams;

  // Starting
  bool start();
  bool fail_to_start(NotStarted why);
  bool open_streams(Streams& streams);
  void make_pumps(Streams& streams);
  void start_pumps();
  Child launch(const Found& found, const Streams& streams, StartFailure& failure) const;
  void set_limits();

  // Limits
  void set_limit(TimePoint when, TimeLimit limit);
  void watch_idle();
  void watch_stall();
  void on_limit(TimeLimit limit, Duration after);

  // Ending
  void on_exit(int status);
  void look_for_exit();
  void look_for_stop();
  bool held_up() const;
  bool anything_left() const;
  void end_leftovers();
  void signal_tree(int signal);
  std::vector<pid_t> tree() const;
  std::vector<pid_t> started_here() const;
  void kill_later(Duration after);
  void kill_tree();
  void give_up();
  void drain();
  void on_drain_grace();
  bool finish_if_done();

  Outcome outcome() const;
  std::optional<std::string> lost_output() const;
  Attempt collect();

  Supervisor::State& supervisor_;
  const Command& command_;
  const AttemptOptions& options_;
  const bool own_group_;

  TimePoint started_{};
  TimePoint last_activity_{};
  pid_t pid_ = -1;
  std::optional<Child> child_;
  UniqueFd terminal_;  // master of the pseudo-terminal, for its size
  std::optional<Pump> output_;
  std::optional<Pump> error_;
  HeldOutput held_output_;
  HeldOutput held_error_;

  boost::asio::steady_timer limit_timer_;
  boost::asio::steady_timer idle_timer_;
  std::optional<StallWatch> stall_watch_;
  boost::asio::steady_timer kill_timer_;
  boost::asio::steady_timer drain_timer_;
  boost::asio::steady_timer done_;

  std::optional<NotStarted> not_started_;
  std::optional<int> status_;  // as wait(2) gives it
  std::optional<TimedOut> timed_out_;
  std::optional<int> interrupted_by_;
  sigset_t passed_on_{};            // the signals that reached it by way of us
  bool lent_the_terminal_ = false;  // its group is the foreground group, in place of ours
  bool killed_ = false;             // SIGKILL has been sent to the tree
  int kill_rounds_ = 0;
  bool has_survivors_ = false;
  bool tree_ended_ = false;  // nothing that it started is left, or may be left
  bool draining_ = false;
  bool exit_seen_ = false;
  std::vector<std::string> remarks_;
};

}  // namespace retry_exec
