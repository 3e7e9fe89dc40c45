// The command of one attempt and everything that it started, wherever that hid.
#pragma once

#include "process/kernel/open_files.hpp"
#include "supervisor_state.hpp"

#include <sys/types.h>

#include <utility>
#include <vector>

namespace retry_exec {

class ProcessTree {
 public:
  ProcessTree(const Supervisor::State& supervisor, bool own_group)
      : supervisor_(supervisor), own_group_(own_group) {}

  void started(pid_t command, FileId input, std::vector<FileId> outputs) {
    command_ = command;
    input_ = input;
    outputs_ = std::move(outputs);
  }
  // It has been reaped: its number may be a stranger's from now on.
  void command_ended() { command_runs_ = false; }

  pid_t command() const { return command_; }
  // What its streams were given as.
  const std::vector<FileId>& outputs() const { return outputs_; }
  // Has one of its filters still to pass on what it was given?
  bool has_filter_at_work() const;
  bool own_group() const { return own_group_; }

  bool anything_left() const;
  std::vector<pid_t> members() const;
  // While the command runs: all that may work for it, also beside other attempts, where members()
  // are but our group.
  std::vector<pid_t> at_work() const;

  // Once the command has ended: those that filter what others of the tree print, if there are both,
  // are kept from signals, and are not ours to end, until they have passed on the others' last
  // words.
  void spare_filters();
  void spare_nothing() { filters_are_spared_ = false; }
  bool filters_are_spared() const { return filters_are_spared_; }
  bool anything_to_end() const;

  // To the command, as it would reach it without us; one that asks it to end is kept from the
  // filters of its output, which would take its last words with them.
  void pass_on(int signal) const;
  // To all of the tree, with a CONT for those that are stopped. `all`: filters too.
  void signal(int signal, bool all = false);
  // To those that have come since signal().
  void signal_newcomers(int signal);
  // KILL to all of it that can be found, several times over. Filters are spared while the command
  // runs, unless `all`.
  void kill(bool all);
  // The same where memory has run out, as far as that goes, and reaps the command.
  void kill_at_once();

 private:
  bool alone() const;  // are all our children of this attempt?
  std::vector<pid_t> spared(const std::vector<pid_t>& members) const;

  const Supervisor::State& supervisor_;
  const bool own_group_;
  pid_t command_ = -1;
  FileId input_;  // what the command reads
  std::vector<FileId> outputs_;
  bool command_runs_ = true;
  bool filters_are_spared_ = false;
  std::vector<pid_t> signalled_;  // by the last signal()
};

}  // namespace retry_exec
