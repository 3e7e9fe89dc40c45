// A terminal, for tests of what a person sees there.
#pragma once

#include "run.hpp"

#include <fcntl.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): posix_openpt and friends
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <string>

namespace test {

// A terminal with a program at it, as a person has it.
class Terminal {
 public:
  Terminal() {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ::grantpt(master_);
    ::unlockpt(master_);
    std::array<char, 128> name{};
    ::ptsname_r(master_, name.data(), name.size());
    slave_ = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    winsize size{40, 120, 0, 0};
    ::ioctl(master_, TIOCSWINSZ, &size);
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    ::close(master_);
    ::close(slave_);
  }

  Program at(Program program) const {
    program.input = Descriptor{slave_};
    program.standard_output = Descriptor{slave_};
    program.standard_error = Descriptor{slave_};
    program.terminal = slave_;
    return program;
  }

  // As after `su`: who uses it now cannot open it.
  void keep_others_out() const { ::fchmod(slave_, S_IRUSR | S_IWUSR); }

  void type(const std::string& keys) const { (void)!::write(master_, keys.data(), keys.size()); }

  bool shows(const std::string& text) {
    return eventually([&] {
      std::array<char, 4096> buffer{};
      for (ssize_t got = 0; (got = ::read(master_, buffer.data(), buffer.size())) > 0;) {
        seen_.append(buffer.data(), static_cast<std::size_t>(got));
      }
      return seen_.find(text) != std::string::npos;
    });
  }

  void hang_up() {
    ::close(slave_);
    ::close(master_);
    slave_ = master_ = -1;
  }

  void resize(unsigned short rows, unsigned short columns) const {
    const winsize size{rows, columns, 0, 0};
    ::ioctl(master_, TIOCSWINSZ, &size);
  }

  pid_t group_in_front() const { return ::tcgetpgrp(master_); }

  bool echoes() const {
    termios modes{};
    return ::tcgetattr(slave_, &modes) == 0 && (modes.c_lflag & ECHO) != 0;
  }

  // Once nothing is added to what was printed and not taken, over many looks. POLLOUT does not
  // tell: there may be room for a byte that is none for a line end.
  bool is_full() {
    int waiting = 0;
    ::ioctl(master_, FIONREAD, &waiting);
    looks_ = waiting > 0 && waiting == waiting_ ? looks_ + 1 : 0;
    waiting_ = waiting;
    return looks_ == 20;
  }

  const std::string& seen() const { return seen_; }
  void forget() { seen_.clear(); }

 private:
  int master_ = -1;
  int slave_ = -1;
  int waiting_ = 0;
  int looks_ = 0;
  std::string seen_;
};

}  // namespace test
