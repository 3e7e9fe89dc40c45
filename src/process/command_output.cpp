#include "command_output.hpp"

#include "process/kernel/descendants.hpp"
#include "process/kernel/terminal.hpp"
#include "process/output/held_output.hpp"
#include "process/output/log_filters.hpp"

#include <retry_exec/text.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace retry_exec {

// ---- opening ---------------------------------------------------------------------------------

Handling CommandOutput::handling(const Stream& stream) const {
  return stream.ours == STDOUT_FILENO ? options_.standard_output : options_.standard_error;
}

std::optional<std::string> CommandOutput::open(const Pump::Callbacks& callbacks) {
  one_stream_ = options_.standard_output == options_.standard_error &&
                options_.standard_output != Handling::discard && streams_are_one();
  for (Stream& stream : streams_) {
    const bool second = stream.ours == STDERR_FILENO;
    if ((second && one_stream_) ||
        (handling(stream) != Handling::discard && is_closed(stream.ours))) {
      continue;
    }
    if (const char* failed = open(stream)) {
      // NOLINTNEXTLINE(concurrency-mt-unsafe)
      return std::string(failed) + ": " + std::strerror(errno);
    }
    make_pump(stream, callbacks);
  }
  return std::nullopt;
}

// Returns what could not be done.
const char* CommandOutput::open(Stream& stream) {
  if (options_.pseudo_terminal && handling(stream) == Handling::pass &&
      ::isatty(stream.ours) != 0) {
    PseudoTerminal terminal = open_pseudo_terminal(stream.ours);
    if (!terminal.slave) return "cannot open a pseudo-terminal";
    stream.terminal.reset(::fcntl(terminal.master.get(), F_DUPFD_CLOEXEC, 3));
    stream.source = std::move(terminal.master);
    stream.target = std::move(terminal.slave);
  } else {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return "cannot open a pipe";
    stream.source.reset(ends[0]);
    stream.target.reset(ends[1]);
  }
  ::fcntl(stream.source.get(), F_SETFL, O_NONBLOCK);
  return nullptr;
}

void CommandOutput::make_pump(Stream& stream, const Pump::Callbacks& callbacks) {
  Sink& sink =
      stream.ours == STDOUT_FILENO ? supervisor_.standard_output : supervisor_.standard_error;
  const Pump::Ends ends{handling(stream) == Handling::pass ? &sink : nullptr,
                        handling(stream) == Handling::hold ? &stream.held : nullptr};
  stream.pump.emplace(supervisor_.context, std::move(stream.source), ends, options_.capture_limit,
                      callbacks);
}

std::array<int, 2> CommandOutput::command_ends() const {
  std::array<int, 2> ends = {STDOUT_FILENO, STDERR_FILENO};
  for (const Stream& stream : streams_) {
    if (stream.target) ends[static_cast<std::size_t>(stream.ours - 1)] = stream.target.get();
  }
  if (one_stream_) ends[1] = ends[0];
  return ends;
}

void CommandOutput::start() {
  for (Stream& stream : streams_) {
    if (!stream.pump) continue;
    stream.target.reset();
    stream.pump->start();
  }
}

std::vector<FileId> CommandOutput::files() const {
  std::vector<FileId> files;
  for (const Stream& stream : streams_) {
    if (stream.target) files.push_back(FileId::of(stream.target.get()));
  }
  return files;
}

bool CommandOutput::window_changed() const {
  bool has_terminal = false;
  for (const Stream& stream : streams_) {
    if (!stream.terminal) continue;
    copy_terminal_size(stream.ours, stream.terminal.get());
    has_terminal = true;
  }
  return has_terminal;
}

// ---- the end ---------------------------------------------------------------------------------

bool CommandOutput::ended() const {
  return std::all_of(streams_.begin(), streams_.end(),
                     [](const Stream& stream) { return !stream.pump || stream.pump->ended(); });
}

bool CommandOutput::held_up() const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [](const Stream& stream) { return stream.pump && stream.pump->held_up(); });
}

bool CommandOutput::waits() {
  return std::any_of(streams_.begin(), streams_.end(), [](Stream& stream) {
    return stream.pump && !stream.pump->ended() &&
           (stream.pump->held_up() || stream.pump->has_news());
  });
}

void CommandOutput::close() {
  for (Stream& stream : streams_) {
    if (stream.pump) stream.pump->close();
  }
}

void CommandOutput::note_exit() {
  exit_ = Clock::now();
  limit_ = later(exit_, options_.drain_limit);
  const TimePoint silent = later(exit_, options_.drain_grace);
  at_deadline_ = options_.deadline && std::max(*options_.deadline, silent) < limit_;
  if (at_deadline_) limit_ = std::max(*options_.deadline, silent);
  limit_struck_ = false;
  for (Stream& stream : streams_) {
    if (!stream.pump) continue;
    stream.pump->note_exit();
    stream.pump->look_for_end();
  }
}

std::optional<TimePoint> CommandOutput::next_look(TimePoint now, const Waiting& waiting) {
  std::optional<TimePoint> next;
  for (Stream& stream : streams_) {
    if (!stream.pump || stream.pump->ended()) continue;
    const auto look = next_look(*stream.pump, now, waiting);
    if (look) next = next ? std::min(*next, *look) : *look;
  }
  return next;
}

std::optional<TimePoint> CommandOutput::next_look(Pump& pump, TimePoint now,
                                                  const Waiting& waiting) {
  constexpr Duration least = std::chrono::milliseconds(20);
  const TimePoint next = later(now, std::max(options_.drain_grace, least));
  const bool reader_is_slow = pump.held_up() || !pump.carried_all_owed();
  if (reader_is_slow && waiting.abandon && now >= later(exit_, options_.drain_grace))
    return std::nullopt;
  if (now >= limit_ && !limit_struck_) {
    if (!at_deadline_ && pump.held_up() && waiting.filter_at_work()) {
      // A filter that our own reader holds up is not late.
      limit_ = later(now, options_.drain_limit);
      return next;
    }
    limit_struck_ = true;
    // What is in the pipes now is carried; what comes later is cut off.
    for (Stream& stream : streams_) {
      if (stream.pump) stream.pump->note_owed();
    }
  }
  if (limit_struck_) {
    if (!pump.carried_all_owed()) return next;
    const bool late = pump.held_up() || now < later(pump.last_arrival(), options_.drain_grace) ||
                      waiting.filter_at_work();
    if (late && !cut_off_) cut_off_ = at_deadline_ ? CutOff::at_deadline : CutOff::at_limit;
    return std::nullopt;
  }
  if (reader_is_slow) return next;
  const TimePoint silent = later(pump.last_arrival(), options_.drain_grace);
  if (now < silent) return std::min(silent, limit_);
  // In this order: a filter may have written its last and ended meanwhile.
  const bool more = waiting.filter_at_work() || pump.has_news();
  return more ? std::optional(std::min(next, limit_)) : std::nullopt;
}

std::string CommandOutput::open_streams() const {
  std::string names;
  for (const Stream& stream : streams_) {
    if (!stream.pump || stream.pump->ended()) continue;
    const char* name = one_stream_ ? "stdout and stderr" : "stdout";
    text::append_to(names, stream.ours == STDERR_FILENO ? "stderr" : name, " and ");
  }
  return names;
}

std::optional<std::string> CommandOutput::cut_off(const ProcessTree& tree) const {
  if (cut_off_ == CutOff::at_deadline) return "output was cut off at the deadline";
  if (cut_off_) {
    return "output was cut off " + format_duration(options_.drain_limit) +
           " after the command's end; --drain-limit sets how long it is waited for";
  }
  const std::string open = open_streams();
  if (open.empty() || supervisor_.interrupted_by) return std::nullopt;
  const bool unread = std::any_of(streams_.begin(), streams_.end(), [](const Stream& stream) {
    return stream.pump && !stream.pump->ended() &&
           (stream.pump->held_up() || !stream.pump->carried_all_owed());
  });
  if (unread) return "the end of its output was not read in time, and is lost";
  const std::vector<pid_t> writers = writers_of(tree.outputs(), tree.members());
  constexpr std::size_t most_named = 4;
  std::string who;
  for (std::size_t i = 0; i < std::min(writers.size(), most_named); ++i) {
    text::append_to(who, std::to_string(writers[i]) + " " + name_of(writers[i]));
  }
  if (writers.size() > most_named) who += ", …";
  if (!who.empty()) who = " (" + who + ")";
  return (writers.size() > 1 ? "background processes" + who + " still hold "
                             : "a background process" + who + " still holds ") +
         open + " open; what is printed there from now on is lost";
}

// ---- what came of it -------------------------------------------------------------------------

std::optional<std::string> CommandOutput::lost() const {
  for (const Stream& stream : streams_) {
    if (!stream.pump) continue;
    const std::string name = stream.ours == STDOUT_FILENO ? "standard output" : "standard error";
    // NOLINTBEGIN(concurrency-mt-unsafe): one thread
    if (const int error = stream.pump->source_error()) {
      return "output was lost: cannot read it: " + std::string(std::strerror(error));
    }
    if (const int error = stream.pump->sink_error()) {
      return "output was lost: " + name + ": " + std::strerror(error);
    }
    if (stream.held.state && stream.held.state->buffer.failed()) {
      return "output was lost: cannot keep " + name +
             " aside: " + stream.held.state->buffer.failure();
    }
    // NOLINTEND(concurrency-mt-unsafe)
  }
  return std::nullopt;
}

void CommandOutput::collect(Attempt& attempt) {
  auto& [output, error] = streams_;
  attempt.reader_gone = output.pump && output.pump->reader_gone();
  attempt.own_failure = lost();
  if (output.pump) attempt.output.standard_output = output.pump->captured();
  if (error.pump) attempt.output.standard_error = error.pump->captured();
  attempt.output.one_stream = one_stream_;
  attempt.held_output = std::move(output.held);
  attempt.held_error = std::move(error.held);
}

}  // namespace retry_exec
