// The output side of one attempt's command: a pipe or a terminal on each stream, what carries them,
// and how long they are read on after the command's end.
#pragma once

#include "process/kernel/open_files.hpp"
#include "process/output/pump.hpp"
#include "process_tree.hpp"
#include "supervisor_state.hpp"

#include <retry_exec/process.hpp>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace retry_exec {

class CommandOutput {
 public:
  CommandOutput(Supervisor::State& supervisor, const AttemptOptions& options)
      : supervisor_(supervisor), options_(options) {}

  // Opens what the command gets and what carries it. Returns what could not be had, if anything.
  std::optional<std::string> open(const Pump::Callbacks& callbacks);
  // What the command's descriptors 1 and 2 are to be.
  std::array<int, 2> command_ends() const;
  // Before start(): the files that those are which we have opened.
  std::vector<FileId> files() const;
  // The command has them now.
  void start();

  // Ours may have a new size, which the command's take on. False: the command has no terminal.
  bool window_changed() const;

  bool ended() const;
  bool held_up() const;  // by a reader of ours that takes nothing
  bool waits();          // is there anything that was printed and not passed on yet?
  void close();          // what is still open

  // The command has ended, or all that it had left: from now on its output is awaited no longer
  // than the options say.
  void note_exit();
  // How to wait. `filter_at_work` tells whether a filter of the command's output has not reached
  // the end of its input; `abandon`, whether a reader that takes nothing shall be waited for no
  // more.
  struct Waiting {
    std::function<bool()> filter_at_work;
    bool abandon = false;
  };
  // When to look again. Nothing: no stream is to be waited for any longer.
  std::optional<TimePoint> next_look(TimePoint now, const Waiting& waiting);
  // Has it come to --drain-limit?
  bool out_of_time() const { return limit_struck_; }
  // Before close(): what will not be read any more, and who of `tree` would write it, for people.
  std::optional<std::string> cut_off(const ProcessTree& tree) const;

  // What came of it, once.
  void collect(Attempt& attempt);

 private:
  struct Stream {
    int ours = 0;  // 1 or 2
    UniqueFd source;
    UniqueFd target;
    UniqueFd terminal;  // master of a pseudo-terminal, for its size
    HeldOutput held;
    std::optional<Pump> pump;
  };

  Handling handling(const Stream& stream) const;
  const char* open(Stream& stream);
  void make_pump(Stream& stream, const Pump::Callbacks& callbacks);
  std::optional<TimePoint> next_look(Pump& pump, TimePoint now, const Waiting& waiting);
  // "stdout", "stderr", "stdout and stderr": those that are still open; empty: none is.
  std::string open_streams() const;
  std::optional<std::string> lost() const;

  Supervisor::State& supervisor_;
  const AttemptOptions& options_;
  std::array<Stream, 2> streams_ = {Stream{1, {}, {}, {}, {}, {}}, Stream{2, {}, {}, {}, {}, {}}};
  bool one_stream_ = false;  // the first is both
  TimePoint exit_{};
  TimePoint limit_{};
  bool at_deadline_ = false;  // the limit is that of the whole run
  bool limit_struck_ = false;
  enum class CutOff { at_limit, at_deadline };
  std::optional<CutOff> cut_off_;  // did output still come when its time was over?
};

}  // namespace retry_exec
