#include "run.hpp"

#include "temporary_folder.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

extern char** environ;

namespace test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
  return {ends[0], ends[1]};
}

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

bool kept_from_programs(std::string_view name) {
  return name.starts_with("RETRY_EXEC") || name.starts_with("GITHUB_") || name == "CI";
}

std::vector<std::string> environment_for(const Program& program) {
  std::vector<std::string> entries;
  const auto set = [&](const std::string& name, const std::optional<std::string>& value) {
    std::erase_if(entries, [&](const auto& entry) { return entry.starts_with(name + '='); });
    if (value) entries.push_back(name + '=' + *value);
  };
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!kept_from_programs(text.substr(0, text.find('=')))) entries.emplace_back(text);
  }
  set("LC_ALL", "C");
  for (const auto& [name, value] : program.environment) set(name, value);
  return entries;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// What becomes descriptor `number` in the program; -1 stands for closed.
using Places = std::vector<std::pair<int, int>>;

// In the child. Moves everything out of the way first, so that no place is overwritten before it is
// read.
void arrange(Places places) {
  constexpr int out_of_the_way = 200;
  for (auto& [number, fd] : places) {
    if (fd >= 0) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, out_of_the_way);
  }
  for (const auto& [number, fd] : places) {
    if (fd >= 0) {
      ::dup2(fd, number);
    } else {
      ::close(number);
    }
  }
}

// dash and others cannot undo what they inherit, so the program starts from a clean slate.
void reset_signals() {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void give_up(const char* what, const std::string& subject) {
  const std::string text = "test: " + std::string(what) + ' ' + subject + ": " +
                           std::generic_category().message(errno) + '\n';
  [[maybe_unused]] const auto written = ::write(2, text.data(), text.size());
  ::_exit(127);
}

[[noreturn]] void become(const Program& program, const Places& places, pid_t parent,
                         std::vector<char*> argv, std::vector<char*> envp) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  reset_signals();
  if (program.terminal && ::ioctl(*program.terminal, TIOCSCTTY, 0) != 0) give_up("TIOCSCTTY", "");
  if (!program.folder.empty() && ::chdir(program.folder.c_str()) != 0) {
    give_up("chdir", program.folder);
  }
  arrange(places);
  if (program.before_exec) program.before_exec();
  ::execvpe(argv.front(), argv.data(), envp.data());
  give_up("cannot run", program.argv.front());
}

void set_nonblocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// The fields of /proc/PID/stat behind the command's name: state, ppid, pgrp, session, …
std::vector<std::string> stat_fields(pid_t pid) {
  const std::string line = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = line.rfind(") ");
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 2));
  return {std::istream_iterator<std::string>(rest), {}};
}

void read_into(std::string& text, int& fd) {
  std::array<char, 65536> buffer{};
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(n));
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    close_fd(fd);
  }
}

}  // namespace

std::optional<int> Ended::exit_code() const {
  if (over_time || !WIFEXITED(wait_status)) return std::nullopt;
  return WEXITSTATUS(wait_status);
}

std::optional<int> Ended::signal() const {
  if (over_time || !WIFSIGNALED(wait_status)) return std::nullopt;
  return WTERMSIG(wait_status);
}

std::vector<pid_t> session_members(pid_t leader) {
  std::vector<pid_t> members;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    const auto fields = stat_fields(pid);
    if (fields.size() > 3 && fields[0] != "Z" && fields[3] == std::to_string(leader)) {
      members.push_back(pid);
    }
  }
  return members;
}

std::string command_line(pid_t pid) {
  std::string text = read_file("/proc/" + std::to_string(pid) + "/cmdline");
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

namespace {

// As fork(2).
pid_t start(const Program& program, Places& places) {
  const auto environment = environment_for(program);
  const auto argv = pointers(program.argv);
  const auto envp = pointers(environment);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(program, places, parent, argv, envp);
  return child;
}

}  // namespace

Running::Running(const Program& program)
    : started_(Clock::now()), limit_(started_ + program.time_limit) {
  if (program.argv.empty()) throw std::invalid_argument("a program needs an argv");
  ::signal(SIGPIPE, SIG_IGN);  // a program that does not read its stdin is not the end of the test
  Places places;
  std::vector<int> ends_of_the_child;

  int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ends_of_the_child.push_back(null);
  const auto place_output = [&](int number, const Output& output, int& ours) {
    if (std::holds_alternative<Captured>(output)) {
      const Pipe pipe = make_pipe();
      set_nonblocking(pipe.read);
      ours = pipe.read;
      ends_of_the_child.push_back(pipe.write);
      places.emplace_back(number, pipe.write);
    } else if (const auto* descriptor = std::get_if<Descriptor>(&output)) {
      places.emplace_back(number, descriptor->fd);
    } else {
      places.emplace_back(number, std::holds_alternative<Null>(output) ? null : -1);
    }
  };

  const bool open_pipe = std::holds_alternative<OpenPipe>(program.input);
  const auto* bytes = std::get_if<std::string>(&program.input);
  if (open_pipe || bytes != nullptr) {
    const Pipe pipe = make_pipe();
    set_nonblocking(pipe.write);
    input_ = pipe.write;
    keep_input_ = open_pipe;
    if (bytes != nullptr) pending_ = *bytes;
    ends_of_the_child.push_back(pipe.read);
    places.emplace_back(0, pipe.read);
  } else if (const auto* descriptor = std::get_if<Descriptor>(&program.input)) {
    places.emplace_back(0, descriptor->fd);
  } else {
    places.emplace_back(0, std::holds_alternative<Null>(program.input) ? null : -1);
  }
  place_output(1, program.standard_output, out_fd_);
  place_output(2, program.standard_error, err_fd_);
  places.insert(places.end(), program.descriptors.begin(), program.descriptors.end());

  pid_ = start(program, places);
  for (int& fd : ends_of_the_child) close_fd(fd);
  if (pid_ < 0) fail("fork");
  pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
}

Running::~Running() {
  if (pid_ > 0) end_session();
  for (int* fd : {&input_, &out_fd_, &err_fd_, &pid_fd_}) close_fd(*fd);
}

std::chrono::duration<double> Running::processor_time() const {
  const std::vector<std::string> fields = stat_fields(pid_);
  constexpr std::size_t utime = 11;  // the 14th in proc(5), which counts from the process's number
  if (fields.size() < utime + 2) return {};
  const double ticks = std::stod(fields[utime]) + std::stod(fields[utime + 1]);
  return std::chrono::duration<double>(ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

void Running::send(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

void Running::write(std::string_view bytes) {
  pending_ += bytes;
  feed();
}

void Running::close_input() {
  keep_input_ = false;
  feed();
}

// Gives the program what it will take now.
void Running::feed() {
  if (input_ < 0) return;
  if (!pending_.empty()) {
    const ssize_t n = ::write(input_, pending_.data(), pending_.size());
    if (n > 0) pending_.erase(0, static_cast<std::size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) pending_.clear();
  }
  if (pending_.empty() && !keep_input_) close_fd(input_);
}

// Looks without reaping, so that the process number stays ours.
bool Running::has_ended() const {
  if (pid_ <= 0) return true;
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

void Running::pump(std::chrono::milliseconds at_most) {
  constexpr auto unwatched = 5ms;
  const bool ended = has_ended();
  // It may have ended since the caller looked, with nothing left that could wake us.
  if (ended || pid_fd_ < 0) at_most = std::min<std::chrono::milliseconds>(at_most, unwatched);
  std::array<pollfd, 4> polled{{
      {pending_.empty() && keep_input_ ? -1 : input_, POLLOUT, 0},
      {out_fd_, POLLIN, 0},
      {err_fd_, POLLIN, 0},
      {ended ? -1 : pid_fd_, POLLIN, 0},
  }};
  ::poll(polled.data(), polled.size(), static_cast<int>(std::max(at_most, 0ms).count()));
  if (polled[0].revents != 0) feed();
  if (polled[1].revents != 0) read_into(out_, out_fd_);
  if (polled[2].revents != 0) read_into(err_, err_fd_);
}

bool Running::pump_until(const std::function<bool()>& done, Clock::time_point limit) {
  while (!done()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(std::min(limit, limit_) - Clock::now());
    if (left <= 0ms) return false;
    pump(left);
  }
  return true;
}

bool Running::wait_for_out(std::string_view text, std::chrono::milliseconds limit) {
  const auto found = [&] { return out_.find(text) != std::string::npos; };
  pump_until([&] { return found() || out_fd_ < 0; }, Clock::now() + limit);
  return found();
}

bool Running::wait_for_err(std::string_view text, std::chrono::milliseconds limit) {
  const auto found = [&] { return err_.find(text) != std::string::npos; };
  pump_until([&] { return found() || err_fd_ < 0; }, Clock::now() + limit);
  return found();
}

// Kills what is left in the session, the program included, until nothing is.
void Running::end_session() {
  eventually([&] {
    const auto members = session_members(pid_);
    for (const pid_t member : members) ::kill(member, SIGKILL);
    return members.empty();
  });
}

Ended Running::wait() {
  if (pid_ <= 0) throw std::logic_error("the program has been waited for before");
  constexpr auto drain = 200ms;
  Ended ended;
  keep_input_ = false;
  ended.over_time = !pump_until([&] { return has_ended(); }, limit_);
  ended.wall = Clock::now() - started_;
  if (!ended.over_time) {
    // What it left behind may hold the pipes open; what it wrote itself is there already.
    limit_ = Clock::now() + drain;
    const auto left = session_members(pid_);
    for (const pid_t pid : left) ended.survivors.push_back(command_line(pid));
    pump_until([&] { return out_fd_ < 0 && err_fd_ < 0; }, limit_);
  }
  end_session();
  limit_ = Clock::now() + drain;
  pump_until([&] { return out_fd_ < 0 && err_fd_ < 0; }, limit_);
  ::waitpid(pid_, &ended.wait_status, 0);
  pid_ = -1;
  ended.out = std::move(out_);
  ended.err = std::move(err_);
  return ended;
}

Ended run(const Program& program) {
  return Running(program).wait();
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  constexpr auto pause = 5ms;
  const auto end = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

std::string required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') {
    throw std::runtime_error(std::string(name) + " is not set: this test needs it");
  }
  return value;
}

}  // namespace test
