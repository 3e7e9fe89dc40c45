// Terminals: whether we stand in the foreground of one, and pseudo-terminals for the command.
#pragma once

#include "values/unique_fd.hpp"

#include <sys/types.h>
#include <termios.h>

#include <optional>

namespace retry_exec {

// Is our process group the foreground group of our controlling terminal? The command then shares
// our group: in a group of its own it would be stopped as soon as it read the terminal (SIGTTIN),
// and Ctrl-C and Ctrl-Z would not reach it.
bool in_foreground();

// Makes `group` the foreground group of our controlling terminal, if ours is that now; and ours, if
// `group` is.
bool lend_terminal(pid_t group);
void take_terminal_back(pid_t group);
// Ours, if that of nobody alive is: a command with jobs of its own (`bash -i`) that was killed has
// left it so, and the next attempt would stand in the background.
void take_terminal_from_nobody();

// How our controlling terminal treats what is typed and printed (termios(3)); nothing where we do
// not stand in its foreground: it is another job's to set.
std::optional<termios> terminal_modes();
void set_terminal_modes(const termios& modes);

struct PseudoTerminal {
  UniqueFd master;
  UniqueFd slave;
};

// A terminal that passes bytes unchanged, of the size of the terminal `like`. Without descriptors
// when the system has none left.
PseudoTerminal open_pseudo_terminal(int like);

// Gives the terminal behind `master` the size of `like`.
void copy_terminal_size(int like, int master);

}  // namespace retry_exec
