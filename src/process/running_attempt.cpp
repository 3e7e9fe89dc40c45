#include "running_attempt.hpp"

#include "child_environment.hpp"
#include "descendants.hpp"
#include "executable.hpp"
#include "held_output.hpp"
#include "spill_buffer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace retry_exec {

using boost::system::error_code;

// The command's ends of its streams; closed here as soon as it has them.
struct RunningAttempt::Streams {
  Input::Prepared input;
  UniqueFd output_source, output_target;
  UniqueFd error_source, error_target;
  bool one_terminal = false;  // both streams come through output_source
};

RunningAttempt::RunningAttempt(Supervisor::State& supervisor, const Command& command,
                               const AttemptOptions& options)
    : supervisor_(supervisor),
      command_(command),
      options_(options),
      own_group_(!supervisor.foreground || options.own_group),
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
  }
  co_return collect();
}

// ---- starting --------------------------------------------------------------------------------

bool RunningAttempt::start() {
  const Found found = find_executable(command_.argv.front());
  if (found.error != 0) return fail_to_start(not_started(command_.argv, found, found.error));
  Streams streams;
  if (!open_streams(streams)) return false;
  make_pumps(streams);  // what can fail comes before the command runs
  StartFailure failure;
  Child child = launch(found, streams, failure);
  if (failure.error != 0) return fail_to_start(not_started(command_.argv, found, failure));
  pid_ = child.id();
  child_.emplace(std::move(child));
  start_pumps();
  set_limits();
  return true;
}

bool RunningAttempt::fail_to_start(NotStarted why) {
  not_started_ = std::move(why);
  return false;
}

bool RunningAttempt::open_streams(Streams& streams) {
  const auto fail = [this](int error, const char* what) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    return fail_to_start({EAGAIN, std::string(what) + ": " + std::strerror(error)});
  };
  streams.input = supervisor_.input.prepare(options_.standard_input);
  if (streams.input.error != 0) {
    return fail_to_start(
        {EAGAIN, "cannot provide standard input: " + spill_failure(streams.input.error)});
  }
  const auto open_pipe = [](UniqueFd& source, UniqueFd& target) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    source.reset(ends[0]);
    target.reset(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return true;
  };
  const auto is_terminal = [this](Handling handling, int fd) {
    return options_.pseudo_terminal && handling == Handling::pass && ::isatty(fd) != 0;
  };
  const bool output_terminal = is_terminal(options_.standard_output, STDOUT_FILENO);
  const bool error_terminal = is_terminal(options_.standard_error, STDERR_FILENO);
  if (output_terminal || error_terminal) {
    PseudoTerminal terminal = open_pseudo_terminal(output_terminal ? STDOUT_FILENO : STDERR_FILENO);
    if (!terminal.slave) return fail(errno, "cannot open a pseudo-terminal");
    ::fcntl(terminal.master.get(), F_SETFL, O_NONBLOCK);
    terminal_.reset(::fcntl(terminal.master.get(), F_DUPFD_CLOEXEC, 3));
    streams.one_terminal = output_terminal && error_terminal;
    (output_terminal ? streams.output_source : streams.error_source) = std::move(terminal.master);
    (output_terminal ? streams.output_target : streams.error_target) = std::move(terminal.slave);
  }
  if ((!output_terminal && !open_pipe(streams.output_source, streams.output_target)) ||
      (!error_terminal && !open_pipe(streams.error_source, streams.error_target))) {
    return fail(errno, "cannot open a pipe");
  }
  return true;
}

Child RunningAttempt::launch(const Found& found, const Streams& streams,
                             StartFailure& failure) const {
  ChildSetup setup;
  setup.standard_fds[0] = streams.input.fd;
  setup.standard_fds[1] = streams.output_target.get();
  setup.standard_fds[2] =
      streams.one_terminal ? streams.output_target.get() : streams.error_target.get();
  setup.own_group = own_group_;
  setup.mask = supervisor_.signals.original_mask();
  setup.ignore_children = supervisor_.signals.ignored_children();
  std::vector<const char*> argv;
  argv.reserve(command_.argv.size() + 1);
  for (const std::string& argument : command_.argv) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  const ChildEnvironment environment(command_);
  return VforkLauncher{}(supervisor_.context.get_executor(), failure, found.path, argv.data(),
                         environment.entries(), setup);
}

void RunningAttempt::make_pumps(Streams& streams) {
  Pump::Callbacks callbacks{
      .bytes = options_.on_output, .activity = {}, .ended = [this] { finish_if_done(); }};
  if (options_.idle_timeout) callbacks.activity = [this] { last_activity_ = Clock::now(); };
  const auto ends = [](Handling handling, Sink& sink, HeldOutput& held) {
    return Pump::Ends{handling == Handling::pass ? &sink : nullptr,
                      handling == Handling::hold ? &held : nullptr};
  };
  output_.emplace(supervisor_.context, std::move(streams.output_source),
                  ends(options_.standard_output, supervisor_.standard_output, held_output_),
                  options_.capture_limit, callbacks);
  if (!streams.one_terminal) {
    error_.emplace(supervisor_.context, std::move(streams.error_source),
                   ends(options_.standard_error, supervisor_.standard_error, held_error_),
                   options_.capture_limit, callbacks);
  }
}

void RunningAttempt::start_pumps() {
  output_->start();
  if (error_) error_->start();
  supervisor_.input.start_feeding();
}

// ---- limits ----------------------------------------------------------------------------------

void RunningAttempt::set_limits() {
  last_activity_ = started_;
  const std::optional<TimePoint> own_limit =
      options_.timeout ? std::optional(started_ + *options_.timeout) : std::nullopt;
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
  idle_timer_.expires_at(last_activity_ + *options_.idle_timeout);
  idle_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    // Whom we hold up, because our own reader does not read, cannot print.
    if (held_up()) last_activity_ = Clock::now();
    const Duration silent = Clock::now() - last_activity_;
    if (silent < *options_.idle_timeout) return watch_idle();
    on_limit(TimeLimit::idle, silent);
  });
}

bool RunningAttempt::held_up() const {
  return output_->held_up() || (error_ && error_->held_up());
}

void RunningAttempt::watch_stall() {
  stall_watch_.emplace(
      supervisor_.context, *options_.stall_timeout,
      StallWatch::Callbacks{
          .processes = [this] { return started_here(); },
          .held_up = [this] { return held_up(); },
          .stalled = [this](Duration still) { on_limit(TimeLimit::stalled, still); },
          .unknown =
              [this](const std::string& why) {
                remarks_.push_back("whether it stalled cannot be told: " + why);
                if (options_.on_stall_unknown) options_.on_stall_unknown(why);
              }});
}

// All that may still work for this attempt.
std::vector<pid_t> RunningAttempt::started_here() const {
  std::vector<pid_t> found = tree();
  // Beside other attempts the tree is but our group.
  if (supervisor_.running.size() > 1) {
    const std::vector<pid_t> below = descendants_of(pid_);
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

void RunningAttempt::on_limit(TimeLimit limit, Duration after) {
  if (exit_seen_ || timed_out_) return;
  timed_out_ = TimedOut{limit, after};
  signal_tree(options_.first_signal);
  kill_later(options_.kill_after);
}

// ---- signals ---------------------------------------------------------------------------------

void RunningAttempt::on_signal(SignalSource::Received received) {
  if (exit_seen_ || pid_ <= 0) return;
  sigaddset(&passed_on_, received.signal);
  if (received.signal == SIGWINCH && terminal_) {
    // The kernel told the command before its own terminal had the new size.
    copy_terminal_size(::isatty(STDOUT_FILENO) != 0 ? STDOUT_FILENO : STDERR_FILENO,
                       terminal_.get());
  } else if (!own_group_ && received.from_terminal) {
    return;  // in our own group, what the terminal sends has reached the command already
  }
  if (received.signal == SIGCONT) {
    if (!own_group_ && !is_stopped(pid_)) return;  // a shell's `fg` continues our whole group
  }
  ::kill(own_group_ ? -pid_ : pid_, received.signal);
}

void RunningAttempt::on_end_request(SignalSource::Received received) {
  interrupted_by_ = received.signal;
  on_signal(received);
  // A stopped command could not act on it. One that runs is spared a CONT that it may count.
  if (!exit_seen_ && pid_ > 0 && is_stopped(pid_)) ::kill(own_group_ ? -pid_ : pid_, SIGCONT);
  // Only output that nobody takes can be left to wait for, and that nobody wants now.
  if (draining_) on_drain_grace();
}

void RunningAttempt::end_in_time(int asked) {
  interrupted_by_ = asked;
  if (draining_) return on_drain_grace();
  if (exit_seen_ || timed_out_) return;
  signal_tree(options_.first_signal);
  kill_later(options_.kill_after);
}

void RunningAttempt::escalate() {
  if (!tree_ended_) kill_tree();
  if (draining_) on_drain_grace();
}

void RunningAttempt::on_child_event() {
  if (!exit_seen_) look_for_exit();
  if (!exit_seen_) {
    look_for_stop();
  } else if (!tree_ended_) {
    end_leftovers();
  }
}

// Not Child::async_wait: beside other attempts Asio may end a wait early, as it reuses descriptors
// and one may get an event of the descriptor before it, and then Boost.Process blocks in
// waitpid(2). SIGCHLD tells as well.
void RunningAttempt::look_for_exit() {
  error_code failure;
  if (child_ && !child_->running(failure)) on_exit(child_->native_exit_code());
}

// A command that the terminal stopped (it read it from the background, or stopped itself as editors
// do) stops us, so that whoever watches us sees a stopped job and can put it in the foreground.
void RunningAttempt::look_for_stop() {
  siginfo_t info{};
  if (pid_ <= 0 || options_.own_group ||
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG) != 0 ||
      info.si_pid != pid_) {
    return;
  }
  const int signal = info.si_status;
  const bool reads_terminal = signal == SIGTTIN || signal == SIGTTOU;
  sigset_t pending;
  ::sigpending(&pending);
  const bool continued = ::sigismember(&pending, SIGCONT) == 1;
  if ((signal != SIGTSTP && !reads_terminal) || continued) return;
  if (own_group_ && reads_terminal && lend_terminal(pid_)) {
    lent_the_terminal_ = true;
    ::kill(-pid_, SIGCONT);
    return;
  }
  if (std::exchange(lent_the_terminal_, false)) take_terminal_back(pid_);
  ::raise(own_group_ && signal == SIGTSTP ? SIGSTOP : signal);  // TSTP is watched there
  ::sigpending(&pending);
  // Nobody is left who could put us in front: our group is orphaned, and the kernel stops none
  // such. Its members are hung up on when they are stopped (setpgid(2)); so is the command.
  if (own_group_ && ::sigismember(&pending, SIGCONT) != 1) {
    ::kill(-pid_, SIGHUP);
    ::kill(-pid_, SIGCONT);
  }
}

// ---- ending ----------------------------------------------------------------------------------

void RunningAttempt::on_exit(int status) {
  if (exit_seen_) return;
  status_ = status;
  exit_seen_ = true;
  limit_timer_.cancel();
  idle_timer_.cancel();
  stall_watch_.reset();
  supervisor_.input.stop_feeding();
  output_->note_exit();
  if (error_) error_->note_exit();
  const bool lent = std::exchange(lent_the_terminal_, false);
  if (lent) take_terminal_back(pid_);
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  // Keys at a terminal that was lent reach the command alone; this is how a shell passes them on.
  if (lent && WIFEXITED(status) && WEXITSTATUS(status) > exit_code::signal_base) {
    signal = WEXITSTATUS(status) - exit_code::signal_base;
  }
  if (signal != 0 && !timed_out_ && !interrupted_by_ && !killed_ &&
      (sigismember(&passed_on_, signal) == 1 ||
       (lent && (signal == SIGINT || signal == SIGQUIT)))) {
    // What was sent to us has ended the command, as it would have ended it alone.
    interrupted_by_ = signal;
    supervisor_.interrupted_by = signal;
  }
  const bool success = status == 0 && !timed_out_ && !interrupted_by_;
  if (success) {
    tree_ended_ = true;  // what it left in the background is meant to live on
    return drain();
  }
  if (anything_left() && !killed_) {
    signal_tree(timed_out_ ? options_.first_signal : SIGTERM);
    kill_later(options_.kill_after);
  }
  end_leftovers();
}

void RunningAttempt::end_leftovers() {
  if (anything_left()) return;  // the next death, or the kill timer, brings us here again
  tree_ended_ = true;
  kill_timer_.cancel();
  drain();
}

// A look at /proc misses who is just being born, and may not be possible at all; where all children
// are of this attempt, the kernel tells whether one is left.
bool RunningAttempt::anything_left() const {
  if (supervisor_.running.size() > 1 || !supervisor_.spared.empty()) return !tree().empty();
  reap_orphans({});
  return has_children();
}

std::vector<pid_t> RunningAttempt::tree() const {
  if (!has_children()) return {};
  // Orphans cannot be told apart by parent once they are ours: beside other attempts, only the
  // members of our own group are surely ours.
  if (supervisor_.running.size() > 1) return group_members(pid_);
  return descendants(supervisor_.spared);
}

void RunningAttempt::signal_tree(int signal) {
  if (pid_ <= 0) return;
  if (signal == SIGKILL) killed_ = true;
  // Until it is reaped its pid and group are its own; afterwards only what is found below us.
  if (!exit_seen_) ::kill(own_group_ ? -pid_ : pid_, signal);
  const std::vector<pid_t> found = tree();
  for (const pid_t pid : found) {
    const bool already = !exit_seen_ && (pid == pid_ || (own_group_ && ::getpgid(pid) == pid_));
    if (!already) ::kill(pid, signal);
    if (signal != SIGKILL) ::kill(pid, SIGCONT);  // a stopped process acts on nothing but KILL
  }
  // There is somebody, and no /proc to find him in: he is in the group that was the command's, or
  // cannot be reached.
  if (exit_seen_ && own_group_ && found.empty() && anything_left()) ::kill(-pid_, signal);
}

void RunningAttempt::kill_later(Duration after) {
  kill_timer_.expires_after(after);
  kill_timer_.async_wait([this](const error_code& error) {
    if (!error && !tree_ended_) kill_tree();
  });
}

void RunningAttempt::kill_tree() {
  signal_tree(SIGKILL);
  // Who forks and ends, over and over, is born elsewhere by the time that he is found; but each
  // time he becomes our own child, and to kill those takes less time than a fork.
  constexpr int quick_looks = 1000;
  for (int look = 0; exit_seen_ && look < quick_looks && anything_left(); ++look) {
    if (supervisor_.running.size() > 1 || !supervisor_.spared.empty()) break;
    const std::vector<pid_t> ours = children();
    if (ours.empty()) break;
    for (const pid_t pid : ours) ::kill(pid, SIGKILL);
  }
  if (exit_seen_) end_leftovers();
  if (tree_ended_) return;
  // What survives many rounds is not ours to kill: sudo's children belong to root.
  constexpr int rounds = 100;
  if (++kill_rounds_ > rounds) return give_up();
  kill_later(std::chrono::milliseconds(50));
}

void RunningAttempt::give_up() {
  const std::vector<pid_t> survivors = tree();
  for (const pid_t pid : survivors) {
    remarks_.push_back("process " + std::to_string(pid) + " could not be ended");
  }
  if (survivors.empty())
    remarks_.emplace_back("a process that it left could not be found to be ended");
  has_survivors_ = true;
  supervisor_.input.stop_feeding();
  tree_ended_ = true;
  exit_seen_ = true;
  output_->close();
  if (error_) error_->close();
  drain();
}

void RunningAttempt::drain() {
  if (draining_) return;
  draining_ = true;
  output_->look_for_end();
  if (error_) error_->look_for_end();
  if (finish_if_done()) return;
  drain_timer_.expires_after(options_.drain_grace);
  drain_timer_.async_wait([this](const error_code& error) {
    if (!error) on_drain_grace();
  });
}

void RunningAttempt::on_drain_grace() {
  const bool abandon = supervisor_.interrupted_by.has_value() ||
                       (options_.deadline && Clock::now() >= *options_.deadline);
  for (auto* pump : {&output_, &error_}) {
    if (!*pump || (*pump)->ended()) continue;
    if (!(*pump)->carried_all_owed() && !abandon) continue;
    if ((*pump)->carried_all_owed()) {
      remarks_.push_back(std::string("a background process still holds ") +
                         (pump == &output_ ? "stdout" : "stderr") + " open; not waiting for it");
    }
    (*pump)->close();
  }
  if ((output_ && !output_->ended()) || (error_ && !error_->ended())) {
    // A slow reader: its bytes are on their way.
    constexpr Duration least = std::chrono::milliseconds(20);
    drain_timer_.expires_after(std::max(options_.drain_grace, least));
    drain_timer_.async_wait([this](const error_code& error) {
      if (!error) on_drain_grace();
    });
  }
}

bool RunningAttempt::finish_if_done() {
  if (!draining_ || !output_->ended() || (error_ && !error_->ended())) return false;
  drain_timer_.cancel();
  done_.cancel();
  return true;
}

// ---- what came of it -------------------------------------------------------------------------

Outcome RunningAttempt::outcome() const {
  if (not_started_) return *not_started_;
  if (timed_out_) return *timed_out_;
  if (!status_) return Signalled{SIGKILL};  // sent in vain: see give_up
  if (WIFSIGNALED(*status_)) return Signalled{WTERMSIG(*status_)};
  return Exited{WEXITSTATUS(*status_)};
}

std::optional<std::string> RunningAttempt::lost_output() const {
  for (const auto* pump : {&output_, &error_}) {
    if (!*pump) continue;
    const std::string stream = pump == &output_ ? "standard output" : "standard error";
    // NOLINTBEGIN(concurrency-mt-unsafe): one thread
    if (const int error = (*pump)->sink_error()) return stream + ": " + std::strerror(error);
    if (const int error = (*pump)->hold_error()) {
      return "cannot keep " + stream + " aside: " + spill_failure(error);
    }
    // NOLINTEND(concurrency-mt-unsafe)
  }
  return std::nullopt;
}

Attempt RunningAttempt::collect() {
  Attempt attempt;
  attempt.outcome = outcome();
  attempt.interrupted_by = interrupted_by_;
  if (output_) {
    attempt.reader_gone = output_->reader_gone();
    attempt.output.standard_output = output_->captured();
  }
  if (error_) attempt.output.standard_error = error_->captured();
  attempt.own_failure = lost_output();
  attempt.held_output = std::move(held_output_);
  attempt.held_error = std::move(held_error_);
  attempt.has_survivors = has_survivors_;
  attempt.input_taken =
      options_.standard_input == StandardInput::inherit && supervisor_.input.was_taken();
  attempt.elapsed = Clock::now() - started_;
  attempt.remarks = std::move(remarks_);
  return attempt;
}

}  // namespace retry_exec
