#include "terminal.hpp"

#include <fcntl.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): posix_openpt and friends
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace retry_exec {

bool in_foreground() {
  const UniqueFd terminal(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  return terminal && ::tcgetpgrp(terminal.get()) == ::getpgrp();
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
