// One client's connection: reads its requests, asks Chaos, and passes them on or not.
#pragma once

#include "chaos.hpp"
#include "journal.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace flaky {

// What all connections share.
struct Proxy {
  boost::asio::ip::tcp::endpoint upstream;
  Chaos chaos;
  Journal journal;
};

// Serves until the client leaves or a fault ends the connection.
boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket client, Proxy& proxy);

}  // namespace flaky
