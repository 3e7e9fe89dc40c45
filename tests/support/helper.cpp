// A program that misbehaves on request: each misbehaviour has a name and is a few lines below.
//
//   helper NAME [ARG…] [+ NAME [ARG…]]…     one after the other, in one process
#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction and friends
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Arguments = std::vector<std::string>;

void put(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EAGAIN) continue;
    if (written <= 0) _exit(99);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

long number(const Arguments& arguments, std::size_t index, long fallback) {
  return index < arguments.size() ? std::atol(arguments[index].c_str()) : fallback;
}

void sleep_for(long milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

[[noreturn]] void sleep_for_ever() {
  while (true) ::pause();
}

// Adds a line to a file, in one write.
void note(const std::string& file, const std::string& line) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  put(fd, line + "\n");
  ::close(fd);
}

void exit_with(const Arguments& a) {
  _exit(static_cast<int>(number(a, 0, 0)));
}

void die_by(const Arguments& a) {
  const int signal = static_cast<int>(number(a, 0, SIGTERM));
  ::signal(signal, SIG_DFL);
  ::kill(::getpid(), signal);
  sleep_for_ever();
}

void out(const Arguments& a) {
  put(1, a.at(0));
}
void err(const Arguments& a) {
  put(2, a.at(0));
}
void write_note(const Arguments& a) {
  note(a.at(0), a.at(1));
}
void write_pid(const Arguments& a) {
  note(a.at(0), std::to_string(::getpid()));
}
void sleep_ms(const Arguments& a) {
  sleep_for(number(a, 0, 1000));
}
void sleep_on(const Arguments&) {
  sleep_for_ever();
}

// fail-times FILE N TEXT: fails N times with TEXT on stderr, then goes on with what follows.
void fail_times(const Arguments& a) {
  note(a.at(0), "run");
  std::ifstream file(a.at(0));
  const auto runs = std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  if (runs > number(a, 1, 1)) return;
  put(2, a.at(2) + "\n");
  _exit(static_cast<int>(number(a, 3, 1)));
}

void print_environment(const Arguments& a) {
  for (const std::string& name : a) {
    const char* value = std::getenv(name.c_str());
    put(1, name + "=" + (value == nullptr ? "(unset)" : value) + "\n");
  }
}

void print_arguments(const Arguments& a) {
  for (const std::string& argument : a) put(1, "[" + argument + "]\n");
}

// The open descriptors and what they are.
void print_fds(const Arguments&) {
  for (int fd = 0; fd < 64; ++fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) continue;
    put(1,
        std::to_string(fd) + ((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? " nonblocking\n" : "\n"));
  }
}

void print_signal_state(const Arguments&) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigBlk") || line.starts_with("SigIgn") || line.starts_with("SigCgt")) {
      put(1, line + "\n");
    }
  }
}

void print_process(const Arguments&) {
  put(1, "pid " + std::to_string(::getpid()) + " parent " + std::to_string(::getppid()) +
             " group " + std::to_string(::getpgrp()) + " session " + std::to_string(::getsid(0)) +
             "\n");
}

void print_terminals(const Arguments&) {
  for (int fd = 0; fd < 3; ++fd) {
    put(1, std::to_string(fd) + (::isatty(fd) != 0 ? " terminal\n" : " other\n"));
  }
}

// print-signals FILE: notes each signal that it gets, by number; TERM ends it.
void print_signals(const Arguments& a) {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  note(a.at(0), "ready");
  while (true) {
    int signal = 0;
    ::sigwait(&all, &signal);
    if (signal == SIGCHLD) continue;
    note(a.at(0), std::to_string(signal));
    if (signal == SIGTERM) _exit(static_cast<int>(number(a, 1, 0)));
  }
}

// trap SIGNAL CODE TEXT FILE: once the signal comes, prints TEXT on stderr and exits with CODE.
void trap(const Arguments& a) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, static_cast<int>(number(a, 0, SIGTERM)));
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  note(a.at(3), "ready");
  int signal = 0;
  ::sigwait(&set, &signal);
  put(2, a.at(2) + "\n");
  _exit(static_cast<int>(number(a, 1, 1)));
}

// name TEXT: what proc(5) calls this process from now on.
void take_name(const Arguments& a) {
  ::prctl(PR_SET_NAME, a.at(0).c_str());
}

void ignore(const Arguments& a) {
  ::signal(static_cast<int>(number(a, 0, SIGTERM)), SIG_IGN);
}

// join-group: from its own process group into its parent's. lead-group: into a new one.
void join_group(const Arguments&) {
  ::setpgid(0, ::getpgid(::getppid()));
}
void lead_group(const Arguments&) {
  ::setpgid(0, 0);
}

// leave-grandchild FILE [setsid] [ignore-term] [quiet]: a background process that holds our streams
// (unless quiet) and notes its pid, for a minute.
void leave_grandchild(const Arguments& a) {
  const auto has = [&a](std::string_view word) {
    return std::find(a.begin(), a.end(), word) != a.end();
  };
  int ready[2];
  if (::pipe(ready) != 0) _exit(98);
  if (::fork() == 0) {
    if (has("setsid")) ::setsid();
    if (has("ignore-term")) ::signal(SIGTERM, SIG_IGN);
    if (has("quiet")) {
      const int nowhere = ::open("/dev/null", O_RDWR);
      for (int fd = 0; fd < 3; ++fd) ::dup2(nowhere, fd);
    }
    note(a.at(0), std::to_string(::getpid()));
    put(ready[1], "x");
    ::close(ready[0]);
    ::close(ready[1]);
    sleep_for(60'000);
    _exit(0);
  }
  ::close(ready[1]);
  char byte = 0;
  while (::read(ready[0], &byte, 1) < 0 && errno == EINTR) continue;
  ::close(ready[0]);
}

// flood BYTES [FD]: lines of 'x'.
void flood(const Arguments& a) {
  const std::string piece(std::string(127, 'x') + "\n");
  std::string block;
  for (int i = 0; i < 512; ++i) block += piece;
  auto left = static_cast<std::uint64_t>(std::atoll(a.at(0).c_str()));
  const int fd = static_cast<int>(number(a, 1, 1));
  while (left != 0) {
    const std::size_t size = std::min<std::uint64_t>(left, block.size());
    put(fd, std::string_view(block).substr(0, size));
    left -= size;
  }
}

void close_fd(const Arguments& a) {
  ::close(static_cast<int>(number(a, 0, 1)));
}

void read_stdin(const Arguments& a) {
  std::array<char, 65536> buffer{};
  long left = number(a, 0, -1);
  while (left != 0) {
    const std::size_t want =
        left < 0 ? buffer.size()
                 : std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(left));
    const ssize_t got = ::read(0, buffer.data(), want);
    if (got <= 0) return;
    put(1, {buffer.data(), static_cast<std::size_t>(got)});
    if (left > 0) left -= got;
  }
}

void make_nonblocking(const Arguments& a) {
  const int fd = static_cast<int>(number(a, 0, 0));
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void stop_self(const Arguments& a) {
  ::raise(static_cast<int>(number(a, 0, SIGSTOP)));
}

// fork-chain: leaves a process that ends as soon as it has forked its like, in a session of its
// own, over and over, for half a minute; it ignores TERM and holds whatever descriptors it was
// given.
void fork_chain(const Arguments&) {
  if (::fork() != 0) return;
  ::signal(SIGTERM, SIG_IGN);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    if (::fork() > 0) _exit(0);
    ::setsid();
  }
  _exit(0);
}

// exec ARG…: becomes that program; the rest of the command line is its own.
void become(const Arguments& a) {
  std::vector<char*> argv;
  for (const std::string& argument : a) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  _exit(97);
}

// measure FILE PROGRAM ARG…: runs a program and notes the most memory that it had, in KiB.
void measure(const Arguments& a) {
  const pid_t child = ::fork();
  if (child == 0) become(Arguments(a.begin() + 1, a.end()));
  int status = 0;
  struct rusage usage {};
  while (::wait4(child, &status, 0, &usage) < 0 && errno == EINTR) continue;
  note(a.at(0), std::to_string(usage.ru_maxrss));
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

// spin MS: works without moving a byte.
void spin(const Arguments& a) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(number(a, 0, 1000));
  while (std::chrono::steady_clock::now() < end) continue;
}

// receive PORT: takes what a server on this machine sends, by recv(2), until it is done.
void receive(const Arguments& a) {
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(number(a, 0, 0)));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) _exit(98);
  char byte = 0;
  while (::recv(fd, &byte, 1, 0) > 0) continue;
}

struct Misbehaviour {
  std::string_view name;
  void (*run)(const Arguments&);
};

constexpr std::array misbehaviours = {
    Misbehaviour{"exit", exit_with},
    Misbehaviour{"die-by", die_by},
    Misbehaviour{"out", out},
    Misbehaviour{"err", err},
    Misbehaviour{"note", write_note},
    Misbehaviour{"write-pid", write_pid},
    Misbehaviour{"sleep-ms", sleep_ms},
    Misbehaviour{"sleep", sleep_on},
    Misbehaviour{"fail-times", fail_times},
    Misbehaviour{"print-environment", print_environment},
    Misbehaviour{"print-arguments", print_arguments},
    Misbehaviour{"print-fds", print_fds},
    Misbehaviour{"print-signal-state", print_signal_state},
    Misbehaviour{"print-process", print_process},
    Misbehaviour{"print-terminals", print_terminals},
    Misbehaviour{"print-signals", print_signals},
    Misbehaviour{"trap", trap},
    Misbehaviour{"ignore", ignore},
    Misbehaviour{"name", take_name},
    Misbehaviour{"join-group", join_group},
    Misbehaviour{"lead-group", lead_group},
    Misbehaviour{"leave-grandchild", leave_grandchild},
    Misbehaviour{"flood", flood},
    Misbehaviour{"close", close_fd},
    Misbehaviour{"read-stdin", read_stdin},
    Misbehaviour{"make-nonblocking", make_nonblocking},
    Misbehaviour{"stop-self", stop_self},
    Misbehaviour{"fork-chain", fork_chain},
    Misbehaviour{"exec", become},
    Misbehaviour{"measure", measure},
    Misbehaviour{"spin", spin},
    Misbehaviour{"receive", receive},
};

}  // namespace

int main(int count, char** words) {
  int next = 1;
  while (next < count) {
    const std::string_view name = words[next++];
    Arguments arguments;
    while (next < count && std::string_view(words[next]) != "+")
      arguments.emplace_back(words[next++]);
    ++next;
    const auto found = std::find_if(misbehaviours.begin(), misbehaviours.end(),
                                    [name](const auto& m) { return m.name == name; });
    if (found == misbehaviours.end()) {
      std::fprintf(stderr, "helper: unknown misbehaviour '%s'\n", std::string(name).c_str());
      return 96;
    }
    found->run(arguments);
  }
  return 0;
}
