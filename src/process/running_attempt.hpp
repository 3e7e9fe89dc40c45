// One attempt, from its start to the death of all that it started.
#pragma once

#include "command_output.hpp"
#include "process/kernel/job.hpp"
#include "process/kernel/launcher.hpp"
#include "process/kernel/signals.hpp"
#include "process_tree.hpp"
#include "stall_watch.hpp"
#include "supervisor_state.hpp"

#include <retry_exec/process.hpp>

#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace retry_exec {

// What the command printed is complete before what it left is ended, and what that prints on its
// way out is read as well:
//
//   running ──exit──▶ draining ──failed, with something left──▶ ending ──▶ last words ──▶ done
//                         └──succeeded, or nothing left─────────────────────────────────────▲
//
// The outcome is decided by the exit. Draining and last words end with the streams, or when these
// have been silent for a grace, or at a limit: see CommandOutput::next_look().
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
  void kill_at_once() { tree_.kill_at_once(); }
  // Does the command, once it has been stopped, stop us? See Job.
  bool stops_us() const { return runs() && !options_.own_group; }
  void on_child_event();  // some descendant may have ended or stopped
  // The child whose end is still to come; -1: none.
  pid_t awaited() const { return runs() ? tree_.command() : -1; }

 private:
  enum class Stage { running, draining, ending, last_words, done };

  bool runs() const { return stage_ == Stage::running; }

  // Starting
  bool start();
  bool fail_to_start(NotStarted why);
  Child launch(const Found& found, int input, StartFailure& failure) const;
  void set_limits();

  // Limits
  void set_limit(TimePoint when, TimeLimit limit);
  void watch_idle();
  void watch_stall();
  void on_limit(TimeLimit limit, Duration after);
  void on_input_failure(std::string why);

  // The stages
  void look_for_exit();
  void on_exit(int status);
  int fatal_signal(int status, bool had_terminal) const;
  void drain(Stage stage);
  void look_at_output();
  void on_drained();
  void end_leftovers();
  void ask_newcomers(int signal, Duration after);
  void look_for_leftovers();
  void finish();

  // Ending
  void send(int signal);
  void kill_later(Duration after);
  void kill_tree();
  void give_up();

  Outcome outcome() const;
  Attempt collect();

  Supervisor::State& supervisor_;
  const Command& command_;
  const AttemptOptions& options_;

  Stage stage_ = Stage::running;
  TimePoint started_{};
  TimePoint ended_{};  // the command, or the limit that it ran into
  TimePoint last_activity_{};
  std::optional<Child> child_;
  ProcessTree tree_;
  Job job_;
  CommandOutput output_;

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
  std::optional<std::string> input_failure_;  // why its input could not be read to its end
  sigset_t passed_on_{};                      // the signals that reached it by way of us
  bool keep_tree_ = false;  // it succeeded: what it left in the background is meant to live on
  bool escalated_ = false;  // we were asked to end for a second time
  bool killed_ = false;     // KILL has been sent to it
  int kill_rounds_ = 0;
  bool has_survivors_ = false;
  std::vector<Survivor> survivors_;
  std::optional<std::string> cut_off_;
  std::vector<std::string> remarks_;
};

}  // namespace retry_exec
