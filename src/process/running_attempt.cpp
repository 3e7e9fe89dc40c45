#include "running_attempt.hpp"

#include "process/kernel/child_environment.hpp"
#include "process/kernel/descendants.hpp"
#include "process/kernel/executable.hpp"
#include "process/kernel/standard_streams.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace retry_exec {

using boost::system::error_code;

RunningAttempt::RunningAttempt(Supervisor::State& supervisor, const Command& command,
                               const AttemptOptions& options)
    : supervisor_(supervisor),
      command_(command),
      options_(options),
      tree_(supervisor, !supervisor.foreground || options.own_group),
      job_(supervisor.context, tree_.own_group(), [this] { return output_.waits(); }),
      output_(supervisor, options),
      limit_timer_(supervisor.context),
      idle_timer_(supervisor.context),
      kill_timer_(supervisor.context),
      drain_timer_(supervisor.context),
      done_(supervisor.context, TimePoint::max()) {
  sigemptyset(&passed_on_);
  supervisor_.running.push_back(this);
}

RunningAttempt::~RunningAttempt() {
  std::erase(supervisor_.running, this);
  // What still runs is a survivor that cannot be ended: the handle shall not try.
  if (child_) child_->detach();
}

boost::asio::awaitable<Attempt> RunningAttempt::run() {
  started_ = Clock::now();
  if (start()) {
    co_await done_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  } else {
    ended_ = Clock::now();
  }
  co_return collect();
}

// ---- starting --------------------------------------------------------------------------------

bool RunningAttempt::start() {
  const Found found = find_executable(command_.argv.front());
  if (found.error != 0) return fail_to_start(not_started(command_.argv, found, found.error));
  const bool closed = is_closed(STDIN_FILENO) && options_.standard_input != StandardInput::null;
  const Input::Prepared input =
      supervisor_.input.prepare(closed ? StandardInput::inherit : options_.standard_input);
  if (!input.failure.empty()) return fail_to_start({EAGAIN, input.failure});
  Pump::Callbacks callbacks{
      .bytes = options_.on_output, .activity = {}, .ended = [this] { look_at_output(); }};
  if (options_.idle_timeout) callbacks.activity = [this] { last_activity_ = Clock::now(); };
  if (const auto missing = output_.open(callbacks)) return fail_to_start({EAGAIN, *missing});
  StartFailure failure;
  Child child = launch(found, input.fd, failure);
  if (failure.error != 0) return fail_to_start(not_started(command_.argv, found, failure));
  tree_.started(child.id(), FileId::of(input.fd), output_.files());
  child_.emplace(std::move(child));
  output_.start();
  supervisor_.input.start_feeding([this](std::string why) { on_input_failure(std::move(why)); });
  set_limits();
  return true;
}

bool RunningAttempt::fail_to_start(NotStarted why) {
  not_started_ = std::move(why);
  return false;
}

Child RunningAttempt::launch(const Found& found, int input, StartFailure& failure) const {
  ChildSetup setup;
  const auto [output, error] = output_.command_ends();
  setup.standard_fds[0] = input;
  setup.standard_fds[1] = output;
  setup.standard_fds[2] = error;
  setup.own_group = tree_.own_group();
  setup.mask = supervisor_.signals.original_mask();
  setup.ignore_children = supervisor_.signals.ignored_children();
  std::vector<const char*> argv;
  for (const std::string& argument : command_.argv) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  const ChildEnvironment environment(command_);
  return VforkLauncher{}(supervisor_.context.get_executor(), failure, found.path, argv.data(),
                         environment.entries(), setup);
}

// ---- limits ----------------------------------------------------------------------------------

void RunningAttempt::set_limits() {
  last_activity_ = started_;
  const std::optional<TimePoint> own_limit =
      options_.timeout ? std::optional(later(started_, *options_.timeout)) : std::nullopt;
  if (own_limit && (!options_.deadline || *own_limit <= *options_.deadline)) {
    set_limit(*own_limit, TimeLimit::attempt);
  } else if (options_.deadline) {
    set_limit(*options_.deadline, TimeLimit::deadline);
  }
  if (options_.idle_timeout) watch_idle();
  if (options_.stall_timeout) watch_stall();
}

void RunningAttempt::set_limit(TimePoint when, TimeLimit limit) {
  limit_timer_.expires_at(when);
  limit_timer_.async_wait([this, limit](const error_code& error) {
    if (!error) on_limit(limit, Clock::now() - started_);
  });
}

void RunningAttempt::watch_idle() {
  idle_timer_.expires_at(later(last_activity_, *options_.idle_timeout));
  idle_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    // A command that we block, because our own reader does not read, cannot print.
    if (output_.held_up()) last_activity_ = Clock::now();
    const Duration silent = Clock::now() - last_activity_;
    if (silent < *options_.idle_timeout) return watch_idle();
    on_limit(TimeLimit::idle, silent);
  });
}

void RunningAttempt::watch_stall() {
  stall_watch_.emplace(
      supervisor_.context, *options_.stall_timeout,
      StallWatch::Hooks{.processes = [this] { return tree_.at_work(); },
                        .held_up = [this] { return output_.held_up(); },
                        .stalled = [this](Duration still) { on_limit(TimeLimit::stalled, still); },
                        .unknown =
                            [this](const std::string& why) {
                              remarks_.push_back("cannot tell whether it stalled: " + why);
                              if (options_.on_stall_unknown) options_.on_stall_unknown(why);
                            }});
}

void RunningAttempt::on_limit(TimeLimit limit, Duration after) {
  if (!runs() || timed_out_) return;
  ended_ = Clock::now();
  timed_out_ = TimedOut{limit, after};
  send(options_.first_signal);
  kill_later(options_.kill_after);
}

void RunningAttempt::on_input_failure(std::string why) {
  if (!runs() || timed_out_ || interrupted_by_) return;
  input_failure_ = std::move(why);
  send(options_.first_signal);
  kill_later(options_.kill_after);
}

// ---- signals ---------------------------------------------------------------------------------

void RunningAttempt::on_signal(SignalSource::Received received) {
  if (!runs() || tree_.command() <= 0) return;
  const bool again = sigismember(&passed_on_, received.signal) == 1;
  sigaddset(&passed_on_, received.signal);
  // The kernel told the command before its own terminal had the new size.
  if (received.signal == SIGWINCH && output_.window_changed()) return tree_.pass_on(SIGWINCH);
  // In our own group, what the terminal sends has reached the command already.
  if (received.from_terminal && ::getpgid(tree_.command()) == ::getpgrp()) return;
  if (received.signal == SIGCONT) {
    job_.note_continued();
    if (!tree_.own_group() && !is_stopped(tree_.command())) return;  // `fg` has continued it
  } else if (!again) {
    remarks_.push_back(signal_name(received.signal) + " was passed on to it");
  }
  if (received.signal == SIGTSTP && stops_us()) return job_.ask_to_stop(tree_.command());
  tree_.pass_on(received.signal);
}

void RunningAttempt::on_end_request(SignalSource::Received received) {
  interrupted_by_ = received.signal;
  on_signal(received);
  // A stopped command could not act on it. One that runs is spared a CONT that it may count.
  if (runs() && tree_.command() > 0 && is_stopped(tree_.command())) tree_.pass_on(SIGCONT);
  // Stop waiting for output.
  if (stage_ == Stage::draining || stage_ == Stage::last_words) on_drained();
}

void RunningAttempt::end_in_time(int asked) {
  interrupted_by_ = asked;
  if (stage_ == Stage::draining || stage_ == Stage::last_words) return on_drained();
  if (!runs() || timed_out_ || tree_.command() <= 0) return;
  send(options_.first_signal);
  kill_later(options_.kill_after);
}

void RunningAttempt::escalate() {
  escalated_ = true;
  if (stage_ == Stage::running || stage_ == Stage::ending) {
    kill_tree();
  } else {
    on_drained();
  }
}

void RunningAttempt::on_child_event() {
  if (runs()) look_for_exit();
  if (stops_us()) job_.look_for_stop(tree_.command());
  if (stage_ == Stage::ending) look_for_leftovers();
}

// ---- the stages ------------------------------------------------------------------------------

// Not Child::async_wait: beside other attempts Asio may end a wait early, as it reuses descriptors
// and one may get an event of the descriptor before it, and then Boost.Process blocks in
// waitpid(2). SIGCHLD tells as well.
void RunningAttempt::look_for_exit() {
  error_code failure;
  if (child_) supervisor_.signals.deliver_before_reaping(child_->id());
  if (child_ && !child_->running(failure)) on_exit(child_->native_exit_code());
}

void RunningAttempt::on_exit(int status) {
  status_ = status;
  tree_.command_ended();
  if (!timed_out_) ended_ = Clock::now();
  limit_timer_.cancel();
  idle_timer_.cancel();
  stall_watch_.reset();
  kill_timer_.cancel();
  if (!input_failure_) supervisor_.input.stop_feeding();
  const bool had_terminal = job_.take_terminal_back(tree_.command());
  const int signal = fatal_signal(status, had_terminal);
  if (signal != 0 && !timed_out_ && !interrupted_by_ && !killed_ &&
      (sigismember(&passed_on_, signal) == 1 ||
       (had_terminal && (signal == SIGINT || signal == SIGQUIT)))) {
    // What was sent to us has ended the command, as it would have ended it alone.
    interrupted_by_ = signal;
    supervisor_.interrupted_by = signal;
  }
  keep_tree_ = status == 0 && !timed_out_ && !interrupted_by_ && !input_failure_;
  drain(Stage::draining);
}

// Keys at a terminal that was lent reach the command alone; by its exit code a shell passes them
// on.
int RunningAttempt::fatal_signal(int status, bool had_terminal) const {
  if (WIFSIGNALED(status)) return WTERMSIG(status);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return had_terminal && code > exit_code::signal_base ? code - exit_code::signal_base : 0;
}

void RunningAttempt::drain(Stage stage) {
  output_.note_exit();  // usually the streams end here
  stage_ = stage;
  look_at_output();
}

void RunningAttempt::look_at_output() {
  if (stage_ != Stage::draining && stage_ != Stage::last_words) return;
  if (output_.ended()) return on_drained();
  const TimePoint now = Clock::now();
  const bool abandon =
      supervisor_.interrupted_by.has_value() || (options_.deadline && now >= *options_.deadline);
  const auto at_work = [this] { return tree_.has_filter_at_work(); };
  const auto next = output_.next_look(now, {.filter_at_work = at_work, .abandon = abandon});
  if (!next) return on_drained();
  drain_timer_.expires_at(*next);
  drain_timer_.async_wait([this](const error_code& error) {
    if (!error) look_at_output();
  });
}

void RunningAttempt::on_drained() {
  drain_timer_.cancel();
  const bool to_be_ended = stage_ == Stage::draining || tree_.filters_are_spared();
  if (to_be_ended && !keep_tree_ && !has_survivors_ && tree_.anything_left()) {
    end_leftovers();
  } else {
    finish();
  }
}

void RunningAttempt::end_leftovers() {
  // At first those whose last words go through filters; these then find the end of their input.
  if (stage_ == Stage::draining && !output_.out_of_time()) {
    tree_.spare_filters();
  } else {
    tree_.spare_nothing();
  }
  stage_ = Stage::ending;
  if (escalated_) return kill_tree();
  const int signal = timed_out_ ? options_.first_signal : SIGTERM;
  send(signal);
  kill_later(options_.kill_after);
  ask_newcomers(signal, std::chrono::milliseconds(100));
  look_for_leftovers();
}

// A process that started while the others were being asked to end has not been asked.
void RunningAttempt::ask_newcomers(int signal, Duration after) {
  drain_timer_.expires_after(after);
  drain_timer_.async_wait([this, signal, after](const error_code& error) {
    if (error || stage_ != Stage::ending) return;
    tree_.signal_newcomers(signal);
    ask_newcomers(signal, std::min<Duration>(2 * after, std::chrono::seconds(1)));
  });
}

void RunningAttempt::look_for_leftovers() {
  if (tree_.anything_to_end()) return;  // the next death, or the kill timer, brings us here again
  kill_timer_.cancel();
  drain(Stage::last_words);
}

void RunningAttempt::finish() {
  stage_ = Stage::done;
  supervisor_.input.stop_feeding();
  if (!has_survivors_) cut_off_ = output_.cut_off(tree_);  // they are told of anyway
  output_.close();
  done_.cancel();
}

// ---- ending ----------------------------------------------------------------------------------

void RunningAttempt::send(int signal) {
  if (signal == SIGKILL) killed_ = true;
  const std::string remark =
      signal_name(signal) + " was sent to " + (runs() ? "end it" : "what it left running");
  if (remarks_.empty() || remarks_.back() != remark) remarks_.push_back(remark);
  if (signal == SIGKILL) {
    tree_.kill(escalated_);
  } else {
    tree_.signal(signal);
  }
}

void RunningAttempt::kill_later(Duration after) {
  kill_timer_.expires_after(after);
  kill_timer_.async_wait([this](const error_code& error) {
    if (!error && (runs() || stage_ == Stage::ending)) kill_tree();
  });
}

void RunningAttempt::kill_tree() {
  if (escalated_ || kill_rounds_ != 0) tree_.spare_nothing();
  send(SIGKILL);
  if (stage_ == Stage::ending) look_for_leftovers();
  if (!runs() && stage_ != Stage::ending) return;
  // What survives many rounds is not ours to kill: sudo's children belong to root.
  constexpr int rounds = 100;
  if (++kill_rounds_ > rounds) return give_up();
  kill_later(std::chrono::milliseconds(50));
}

void RunningAttempt::give_up() {
  has_survivors_ = true;
  for (const pid_t pid : tree_.members()) {
    survivors_.push_back({pid, name_of(pid)});
    remarks_.push_back("process " + std::to_string(pid) + " (" + survivors_.back().name +
                       ") could not be ended");
  }
  if (survivors_.empty()) {
    remarks_.emplace_back("a process that it left could not be found to be ended");
  }
  if (runs() && !timed_out_) ended_ = Clock::now();
  drain(Stage::last_words);
}

// ---- what came of it -------------------------------------------------------------------------

Outcome RunningAttempt::outcome() const {
  if (not_started_) return *not_started_;
  if (timed_out_) return *timed_out_;
  if (!status_) return Signalled{SIGKILL};  // sent in vain: see give_up
  if (WIFSIGNALED(*status_)) return Signalled{WTERMSIG(*status_)};
  return Exited{WEXITSTATUS(*status_)};
}

Attempt RunningAttempt::collect() {
  Attempt attempt;
  attempt.outcome = outcome();
  attempt.interrupted_by = interrupted_by_;
  output_.collect(attempt);
  if (input_failure_) attempt.own_failure = std::move(input_failure_);
  attempt.cut_off = std::move(cut_off_);
  if (attempt.cut_off) remarks_.push_back(*attempt.cut_off);
  attempt.has_survivors = has_survivors_;
  attempt.survivors = std::move(survivors_);
  attempt.input_taken = supervisor_.input.was_taken();
  attempt.input_read_ahead = supervisor_.input.read_ahead();
  attempt.elapsed = ended_ - started_;
  attempt.remarks = std::move(remarks_);
  return attempt;
}

}  // namespace retry_exec
