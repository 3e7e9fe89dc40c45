// flaky_registry: a proxy that makes a registry misbehave by plan. README.md beside this file has
// the plan format, the control requests and the journal's.
#include "session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/program_options.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace {

namespace net = boost::asio;
namespace options = boost::program_options;
using net::ip::tcp;

constexpr int usage_error = 2;

struct Options {
  std::string upstream;
  std::string listen;
  std::string plan;
  std::string journal;
  std::string port_file;
  bool help = false;
};

options::options_description describe(Options& into) {
  options::options_description all("Options");
  all.add_options()("upstream", options::value(&into.upstream)->value_name("IP:PORT"),
                    "the registry (required)")(
      "listen", options::value(&into.listen)->value_name("IP:PORT")->default_value("127.0.0.1:0"),
      "where to listen; port 0 takes a free one")("plan",
                                                  options::value(&into.plan)->value_name("FILE"),
                                                  "the fault plan; without it nothing goes wrong")(
      "journal", options::value(&into.journal)->value_name("FILE"),
      "appends a JSON line for each request")(
      "port-file", options::value(&into.port_file)->value_name("FILE"),
      "gets the port's number once connections are accepted")(
      "help", options::bool_switch(&into.help), "prints this");
  return all;
}

std::optional<tcp::endpoint> endpoint_from(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  boost::system::error_code error;
  const auto address = net::ip::make_address(text.substr(0, colon), error);
  const int port = std::atoi(text.c_str() + colon + 1);
  if (error || port < 0 || port > 65535) return std::nullopt;
  return tcp::endpoint(address, static_cast<unsigned short>(port));
}

std::optional<flaky::Plan> read_plan(const std::string& path) {
  if (path.empty()) return flaky::Plan{};
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    std::fprintf(stderr, "flaky_registry: cannot read %s\n", path.c_str());
    return std::nullopt;
  }
  auto plan = flaky::parse_plan(text.str(), path);
  if (plan) return *std::move(plan);
  for (const auto& error : plan.error()) {
    std::fprintf(stderr, "flaky_registry: %s\n", to_string(error).c_str());
  }
  return std::nullopt;
}

// A reader finds the whole number or no file.
void announce(unsigned short port, const std::string& path) {
  std::printf("flaky_registry: listening on port %u\n", static_cast<unsigned>(port));
  std::fflush(stdout);
  if (path.empty()) return;
  std::ofstream(path + ".new") << port << '\n';
  std::filesystem::rename(path + ".new", path);
}

net::awaitable<void> accept_all(tcp::acceptor& acceptor, flaky::Proxy& proxy) {
  while (true) {
    tcp::socket client(acceptor.get_executor());
    boost::system::error_code error;
    co_await acceptor.async_accept(client, net::redirect_error(net::use_awaitable, error));
    if (error) {
      std::fprintf(stderr, "flaky_registry: accept: %s\n", error.message().c_str());
      continue;
    }
    client.set_option(tcp::no_delay(true), error);
    net::co_spawn(acceptor.get_executor(), flaky::serve(std::move(client), proxy), net::detached);
  }
}

int run(const Options& given) {
  const auto upstream = endpoint_from(given.upstream);
  const auto listen = endpoint_from(given.listen);
  if (!upstream || !listen) {
    std::fprintf(stderr, "flaky_registry: --upstream and --listen take IP:PORT\n");
    return usage_error;
  }
  auto plan = read_plan(given.plan);
  if (!plan) return usage_error;

  net::io_context context(1);
  flaky::Proxy proxy{*upstream, flaky::Chaos(*std::move(plan), std::chrono::steady_clock::now()),
                     flaky::Journal(given.journal)};
  tcp::acceptor acceptor(context, *listen);
  announce(acceptor.local_endpoint().port(), given.port_file);
  net::co_spawn(context, accept_all(acceptor, proxy), net::detached);
  context.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options given;
  const auto all = describe(given);
  try {
    options::variables_map values;
    options::store(options::parse_command_line(argc, argv, all), values);
    options::notify(values);
    if (given.help) {
      std::ostringstream text;
      text << all;
      std::printf(
          "flaky_registry --upstream IP:PORT [options]\n\n%s\nSIGTERM ends it. Control requests, "
          "plan "
          "and journal: README.md beside its source.\n",
          text.str().c_str());
      return 0;
    }
    return run(given);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "flaky_registry: %s\n", error.what());
    return usage_error;
  }
}
