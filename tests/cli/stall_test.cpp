// --stall-timeout: what hangs is ended, what moves is not, however silent it is.
#include "wrapped.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <netinet/in.h>
#include <optional>
#include <thread>

using namespace test;

namespace {

// Accepts one client and sends it a byte every 50 ms for `talks`; then it is silent, or, if
// `closes`, done.
class Server {
 public:
  Server(std::chrono::milliseconds talks, bool closes) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_, generic, sizeof address) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    REQUIRE(::getsockname(listener_, generic, &size) == 0);
    port_ = std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this, talks, closes] { serve(talks, closes); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    over_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  const std::string& port() const { return port_; }

 private:
  void serve(std::chrono::milliseconds talks, bool closes) const {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const auto end = Clock::now() + talks;
    while (!over_ && (!closes || Clock::now() < end)) {
      if (Clock::now() < end) ::send(client, "x", 1, MSG_NOSIGNAL);
      std::this_thread::sleep_for(50ms);
    }
    if (client >= 0) ::close(client);
  }

  int listener_ = -1;
  std::string port_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

const std::vector<std::string> once_within_2s = {"-a", "1", "--stall-timeout", "2s"};

}  // namespace

TEST_CASE("a download that goes silent is ended; one that trickles is not", "[stall]") {
  const Server silent(500ms, false);
  const Ended hung = run(wrapped(once_within_2s, {"receive", silent.port()}));
  CHECK(hung.exit_code() == 124);
  CHECK_THAT(hung.err, ContainsSubstring("stalled for "));

  const Server trickle(5s, true);
  CHECK(run(wrapped(once_within_2s, {"receive", trickle.port()})).exit_code() == 0);
}

TEST_CASE(
    "where the kernel does not tell what connections carry, that is said, and nothing is ended",
    "[stall]") {
  const Server server(3s, true);
  Program program = wrapped({"-a", "1", "--stall-timeout", "500ms"}, {"receive", server.port()});
  const Ended ended = run(program);
  CHECK(ended.exit_code() == 0);

  const Server unseen(3s, true);
  // The command needs its socket, so it is opened before the sandbox closes.
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  program = wrapped({"-a", "1", "--stall-timeout", "500ms"}, {"sleep-ms", "2500"});
  program.argv.insert(program.argv.begin(), {required("REFUSE"), "EPERM", "socket"});
  program.input = Descriptor{ends[0]};
  const Ended blind = run(program);
  CHECK(blind.exit_code() == 0);
  CHECK(count(blind.err, "--stall-timeout has no effect here") == 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a silent command that works, and one whose child does, is not ended", "[stall]") {
  CHECK(run(wrapped(once_within_2s, {"spin", "5000"})).exit_code() == 0);
  const std::string child = "'" + helper() + "' spin 5000 & wait";
  CHECK(run(wrapping(once_within_2s, {"sh", "-c", child})).exit_code() == 0);
}

TEST_CASE("a command that works is not ended because an overloaded machine does not let it",
          "[stall]") {
  // On one processor, beside another that has nearly all of it.
  const std::string starved =
      "cpu=$(taskset -cp $$ | sed 's/.*[: ]//; s/[-,].*//'); taskset -c $cpu '" + helper() +
      "' spin 20000 & exec chrt --idle 0 taskset -c $cpu '" + helper() + "' spin 5000";
  Program program = wrapping(once_within_2s, {"sh", "-c", starved});
  program.time_limit = 2min;
  CHECK(run(program).exit_code() == 0);
}

TEST_CASE("a command that moves bytes without printing is not ended", "[stall]") {
  const std::string copies =
      "for i in 1 2 3 4 5 6 7 8 9 10; do read -r line < /dev/zero & sleep 0.5; kill $!; done";
  CHECK(run(wrapping(once_within_2s, {"bash", "-c", copies})).exit_code() == 0);
}

TEST_CASE("a command that sleeps has stalled, and the next attempt can succeed", "[stall]") {
  const TemporaryFolder folder;
  const std::string script = "test -e '" + (folder / "second") + "' && exit 0; touch '" +
                             (folder / "second") + "'; sleep 60";
  const Ended ended = run(wrapping({"--stall-timeout", "1s", "-d", "0"}, {"sh", "-c", script}));
  CHECK(ended.exit_code() == 0);
  CHECK_THAT(ended.err, ContainsSubstring("stalled for "));
  CHECK(ended.wall.count() < 20);
}

TEST_CASE("a command that waits for our own reader has not stalled", "[stall]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  Program program = wrapped({"-a", "1", "--stall-timeout", "500ms"}, {"flood", "3000000"});
  program.standard_output = Descriptor{ends[1]};
  Running running(program);
  ::close(ends[1]);
  std::this_thread::sleep_for(3s);
  std::string taken(1 << 16, '\0');
  std::size_t size = 0;
  for (ssize_t got = 0; (got = ::read(ends[0], taken.data(), taken.size())) > 0;) {
    size += static_cast<std::size_t>(got);
  }
  CHECK(size == 3'000'000);
  CHECK(running.wait().exit_code() == 0);
  ::close(ends[0]);
}
