// Writing whole texts to slow readers.
#include "catch_shim.hpp"

#include <retry_exec/write.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

using namespace retry_exec;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read_end = ends[0];
    write_end = ends[1];
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(read_end);
    ::close(write_end);
  }
};

const std::string more_than_a_pipe_holds(200'000, 'x');

}  // namespace

TEST_CASE("a full pipe is waited for, whether it blocks or not", "[write]") {
  for (const int flags : {0, O_NONBLOCK}) {
    Pipe pipe;
    ::fcntl(pipe.write_end, F_SETFL, flags);
    std::string got;
    std::thread reader([&] {
      std::string piece(4096, '\0');
      while (got.size() < more_than_a_pipe_holds.size()) {
        const ssize_t size = ::read(pipe.read_end, piece.data(), piece.size());
        if (size <= 0) return;
        got.append(piece, 0, static_cast<std::size_t>(size));
      }
    });
    CHECK(write_all(pipe.write_end, more_than_a_pipe_holds) == 0);
    reader.join();
    CHECK(got == more_than_a_pipe_holds);
    CHECK((::fcntl(pipe.write_end, F_GETFL) & O_NONBLOCK) == flags);
  }
}

TEST_CASE("a reader that does not read is waited for until it is time to give up", "[write]") {
  Pipe pipe;
  CHECK(write_all(pipe.write_end, more_than_a_pipe_holds, Clock::now() + 10ms) == ETIMEDOUT);
}

TEST_CASE("a reader that does not read is not waited for once a signal asks us to end", "[write]") {
  sigset_t term;
  sigset_t before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, &before);
  ::raise(SIGTERM);
  Pipe pipe;
  CHECK(write_all(pipe.write_end, more_than_a_pipe_holds) == EINTR);
  int taken = 0;
  ::sigwait(&term, &taken);
  CHECK(taken == SIGTERM);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}
