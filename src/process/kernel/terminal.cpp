#include "terminal.hpp"

#include <fcntl.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): posix_openpt and friends
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace retry_exec {

namespace {

UniqueFd controlling_terminal() {
  return UniqueFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
}

// Nothing where we do not stand in its foreground.
UniqueFd terminal_in_front() {
  UniqueFd terminal = controlling_terminal();
  if (terminal && ::tcgetpgrp(terminal.get()) != ::getpgrp()) terminal.reset();
  return terminal;
}

void put_us_in_front(int terminal) {
  // From the background that is what SIGTTOU stops a process for.
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &stop, &before);
  ::tcsetpgrp(terminal, ::getpgrp());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

bool in_foreground() {
  return static_cast<bool>(terminal_in_front());
}

bool lend_terminal(pid_t group) {
  const UniqueFd terminal = terminal_in_front();
  return terminal && ::tcsetpgrp(terminal.get(), group) == 0;
}

void take_terminal_back(pid_t group) {
  const UniqueFd terminal = controlling_terminal();
  if (terminal && ::tcgetpgrp(terminal.get()) == group) put_us_in_front(terminal.get());
}

void take_terminal_from_nobody() {
  const UniqueFd terminal = controlling_terminal();
  const pid_t group = terminal ? ::tcgetpgrp(terminal.get()) : -1;
  if (group > 0 && ::kill(-group, 0) != 0 && errno == ESRCH) put_us_in_front(terminal.get());
}

std::optional<termios> terminal_modes() {
  const UniqueFd terminal = terminal_in_front();
  termios modes{};
  if (!terminal || ::tcgetattr(terminal.get(), &modes) != 0) return std::nullopt;
  return modes;
}

void set_terminal_modes(const termios& modes) {
  const UniqueFd terminal = terminal_in_front();
  if (terminal) ::tcsetattr(terminal.get(), TCSANOW, &modes);
}

PseudoTerminal open_pseudo_terminal(int like) {
  PseudoTerminal terminal;
  terminal.master.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.master || ::grantpt(terminal.master.get()) != 0 ||
      ::unlockpt(terminal.master.get()) != 0) {
    return {};
  }
  // TIOCGPTPEER (ioctl_tty(2)) needs no /dev/pts in our mount namespace.
  terminal.slave.reset(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  if (!terminal.slave || ::tcgetattr(terminal.slave.get(), &settings) != 0) return {};
  ::cfmakeraw(&settings);  // the real terminal does the processing, once
  ::tcsetattr(terminal.slave.get(), TCSANOW, &settings);
  copy_terminal_size(like, terminal.master.get());
  return terminal;
}

void copy_terminal_size(int like, int master) {
  winsize size{};
  if (::ioctl(like, TIOCGWINSZ, &size) == 0) ::ioctl(master, TIOCSWINSZ, &size);
}

}  // namespace retry_exec
