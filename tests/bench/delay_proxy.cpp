// A registry that is far away: a TCP proxy on loopback whose connections take the time that they
// would take over a line of this round trip. Opening one costs a round trip, and each byte arrives
// half a round trip after it was sent; the line is as wide as loopback.
//
//   delay_proxy 127.0.0.1:5000 80 PORT-FILE     round trip in milliseconds
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Error = boost::system::error_code;

asio::awaitable<void> sleep_until(Clock::time_point when) {
  asio::steady_timer timer(co_await asio::this_coro::executor, when);
  co_await timer.async_wait(asio::use_awaitable);
}

// One direction of a connection: what was read, and when it arrives.
class Line {
 public:
  Line(tcp::socket& from, tcp::socket& to) : from_(from), to_(to), news_(from.get_executor()) {}

  // Nothing arrives before `open`.
  asio::awaitable<void> read(Clock::duration way, Clock::time_point open) {
    std::array<char, 64 * 1024> buffer{};
    Error error;
    while (!error) {
      const std::size_t size = co_await from_.async_read_some(
          asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
      under_way_.push_back({std::max(Clock::now(), open) + way, {buffer.data(), size}});
      news_.cancel();
    }
    ended_ = true;
    news_.cancel();
  }

  asio::awaitable<void> write() {
    Error error;
    while (!ended_ || !under_way_.empty()) {
      if (under_way_.empty()) {
        news_.expires_at(Clock::time_point::max());
        co_await news_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      co_await sleep_until(under_way_.front().due);
      co_await asio::async_write(to_, asio::buffer(under_way_.front().bytes),
                                 asio::redirect_error(asio::use_awaitable, error));
      under_way_.pop_front();
    }
    to_.shutdown(tcp::socket::shutdown_send, error);
  }

 private:
  struct Piece {
    Clock::time_point due;
    std::string bytes;
  };
  tcp::socket& from_;
  tcp::socket& to_;
  asio::steady_timer news_;
  std::deque<Piece> under_way_;
  bool ended_ = false;
};

struct Connection {
  explicit Connection(tcp::socket accepted)
      : client(std::move(accepted)), server(client.get_executor()) {}
  tcp::socket client;
  tcp::socket server;
  Line there{client, server};
  Line back{server, client};
};

void carry(tcp::socket client, const tcp::endpoint& upstream, Clock::duration round_trip) {
  auto connection = std::make_shared<Connection>(std::move(client));
  Error error;
  connection->server.connect(upstream, error);
  if (error) return;
  connection->client.set_option(tcp::no_delay(true));
  connection->server.set_option(tcp::no_delay(true));
  const asio::any_io_executor executor = connection->client.get_executor();
  const Clock::time_point open = Clock::now() + round_trip;
  const auto run = [&](auto task) {
    asio::co_spawn(executor, std::move(task), [connection](const std::exception_ptr&) {});
  };
  run(connection->there.read(round_trip / 2, open));
  run(connection->there.write());
  run(connection->back.read(round_trip / 2, open));
  run(connection->back.write());
}

asio::awaitable<void> serve(tcp::acceptor& acceptor, tcp::endpoint upstream,
                            Clock::duration round_trip) {
  while (true) {
    carry(co_await acceptor.async_accept(asio::use_awaitable), upstream, round_trip);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: delay_proxy ADDRESS:PORT MILLISECONDS PORT-FILE\n");
    return 125;
  }
  const std::string address = words[1];
  const std::size_t colon = address.rfind(':');
  const tcp::endpoint upstream(asio::ip::make_address(address.substr(0, colon)),
                               static_cast<unsigned short>(std::atoi(address.c_str() + colon + 1)));
  const auto round_trip = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double, std::milli>(std::atof(words[2])));

  asio::io_context context(1);
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  asio::co_spawn(context, serve(acceptor, upstream, round_trip), asio::detached);
  const std::string file = words[3];
  const std::string written = file + ".new";
  std::FILE* const out = std::fopen(written.c_str(), "we");
  if (out == nullptr || std::fprintf(out, "%d\n", acceptor.local_endpoint().port()) < 0 ||
      std::fclose(out) != 0 || std::rename(written.c_str(), file.c_str()) != 0) {
    std::fprintf(stderr, "delay_proxy: cannot write %s\n", file.c_str());
    return 125;
  }
  context.run();
}
