#include "session.hpp"

#include "answers.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>

namespace flaky {

namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::beast::flat_buffer;
using boost::system::error_code;
using net::use_awaitable;
using net::ip::tcp;

using RequestParser = http::request_parser<http::buffer_body>;
using ResponseParser = http::response_parser<http::buffer_body>;

constexpr std::size_t largest_manifest = std::size_t{16} << 20;
constexpr std::size_t largest_plan = std::size_t{1} << 20;
constexpr std::size_t piece_size = std::size_t{64} << 10;

std::string text_of(boost::beast::string_view view) {
  return {view.data(), view.size()};
}

net::awaitable<void> pause(Duration duration) {
  net::steady_timer timer(co_await net::this_coro::executor, duration);
  co_await timer.async_wait(use_awaitable);
}

class Session {
 public:
  Session(tcp::socket client, Proxy& proxy) : client_(std::move(client)), proxy_(proxy) {}

  net::awaitable<void> run() {
    while (open_) {
      RequestParser request;
      request.body_limit(boost::none);
      error_code error;
      co_await http::async_read_header(client_, buffer_, request,
                                       net::redirect_error(use_awaitable, error));
      if (error) break;
      co_await encourage(request);
      arrived_ = std::chrono::steady_clock::now();
      keep_alive_ = request.keep_alive();
      body_.reset();
      subject_ =
          subject_of(text_of(request.get().method_string()), text_of(request.get().target()));
      request_bytes_ = request.content_length().value_or(0);
      if (subject_.target.starts_with("/_flaky/")) {
        co_await control(request);
      } else {
        co_await proxy(request);
      }
    }
    error_code ignored;
    client_.shutdown(tcp::socket::shutdown_both, ignored);
  }

 private:
  // ---- bodies -------------------------------------------------------------------------------

  // The next piece of a body; 0 at its end.
  template <class Parser>
  net::awaitable<std::size_t> read_piece(tcp::socket& from, flat_buffer& buffer, Parser& parser) {
    if (parser.is_done()) co_return 0;
    auto& body = parser.get().body();
    body.data = piece_.data();
    body.size = piece_.size();
    error_code error;
    co_await http::async_read(from, buffer, parser, net::redirect_error(use_awaitable, error));
    if (error && error != http::error::need_buffer) throw boost::system::system_error(error);
    co_return piece_.size() - body.size;
  }

  // Passes header and body on as they come.
  template <bool is_request, class Parser>
  net::awaitable<void> relay(tcp::socket& from, flat_buffer& buffer, Parser& parser,
                             tcp::socket& to, bool with_body,
                             std::optional<std::uint64_t> at_most = std::nullopt) {
    auto& body = parser.get().body();
    body.data = nullptr;
    body.more = true;
    http::serializer<is_request, http::buffer_body> serializer(parser.get());
    co_await http::async_write_header(to, serializer, use_awaitable);
    if (!with_body) co_return;
    std::uint64_t left = at_most.value_or(~std::uint64_t{0});
    while (!serializer.is_done()) {
      const std::size_t n = co_await read_piece(from, buffer, parser);
      body.data = n == 0 ? nullptr : piece_.data();
      body.size = static_cast<std::size_t>(std::min<std::uint64_t>(n, left));
      body.more = !parser.is_done() || n > left;
      left -= body.size;
      error_code error;
      co_await http::async_write(to, serializer, net::redirect_error(use_awaitable, error));
      if (error && error != http::error::need_buffer) throw boost::system::system_error(error);
      if (left == 0) break;
    }
  }

  // To its end; what is beyond the limit is read and dropped.
  net::awaitable<std::string> read_body(RequestParser& request, std::size_t limit) {
    std::string text;
    while (!request.is_done()) {
      const std::size_t n = co_await read_piece(client_, buffer_, request);
      if (text.size() + n <= limit) text.append(piece_.data(), n);
    }
    co_return text;
  }

  net::awaitable<void> encourage(RequestParser& request) {
    if (request.get().find(http::field::expect) == request.get().end()) co_return;
    request.get().erase(http::field::expect);
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await net::async_write(client_, net::buffer(go_on), use_awaitable);
  }

  net::awaitable<void> send(Response response) {
    response.version(11);
    response.keep_alive(keep_alive_);
    const bool head = subject_.method == "HEAD";
    if (head) response.body().clear();
    response.prepare_payload();
    if (head) response.erase(http::field::content_length);
    http::response_serializer<http::string_body> serializer(response);
    co_await http::async_write(client_, serializer, use_awaitable);
    open_ = keep_alive_;
  }

  // ---- control ------------------------------------------------------------------------------

  net::awaitable<void> control(RequestParser& request) {
    const std::string text = co_await read_body(request, largest_plan);
    const std::string what = subject_.method + ' ' + subject_.target;
    if (what == "GET /_flaky/journal") {
      co_await send(plain_text(200, proxy_.journal.text()));
    } else if (what == "DELETE /_flaky/journal") {
      proxy_.journal.forget();
      co_await send(plain_text(200, ""));
    } else if (what == "GET /_flaky/time") {
      co_await send(
          plain_text(200, "{\"now\": " + std::to_string(proxy_.journal.seconds(arrived_)) + "}\n"));
    } else if (what == "POST /_flaky/plan") {
      co_await send(replace_plan(text));
    } else {
      co_await send(plain_text(404, "flaky_registry: no such control: " + what + '\n'));
    }
  }

  Response replace_plan(const std::string& text) {
    auto plan = parse_plan(text, "plan");
    if (plan) {
      proxy_.chaos.replace(*std::move(plan), arrived_);
      return plain_text(200, "");
    }
    std::string errors;
    for (const auto& error : plan.error()) errors += to_string(error) + '\n';
    return plain_text(400, errors);
  }

  // ---- the registry -------------------------------------------------------------------------

  struct Upstream {
    explicit Upstream(const net::any_io_executor& executor) : socket(executor) {}
    tcp::socket socket;
    flat_buffer buffer;
    ResponseParser response;
  };

  net::awaitable<void> proxy(RequestParser& request) {
    const bool manifest = subject_.kind == Kind::manifest && subject_.method == "PUT";
    if (manifest) body_ = co_await read_body(request, largest_manifest);
    tag_before_.clear();
    if (manifest && !subject_.tag.empty()) tag_before_ = co_await digest_of_tag(request);

    const Decision decision =
        proxy_.chaos.decide(subject_, body_.value_or(""), !tag_before_.empty(), arrived_);
    if (decision.delay > Duration{}) co_await pause(decision.delay);
    if (auto ours = answer_to(decision.action, subject_, body_.value_or(""))) {
      co_await answer(request, decision, *std::move(ours));
    } else if (std::holds_alternative<Reset>(decision.action)) {
      co_await reset(request, decision);
    } else if (const auto* silence = std::get_if<Silence>(&decision.action)) {
      co_await be_silent(request, decision, *silence);
    } else {
      co_await pass(request, decision);
    }
  }

  void record(unsigned status, const std::string& fault, const std::string& digest = {}) {
    proxy_.journal.record(subject_, arrived_, status, fault, digest, request_bytes_);
  }

  net::awaitable<void> answer(RequestParser& request, const Decision& decision, Response ours) {
    if (decision.forward) {
      co_await do_quietly(request);
    } else {
      co_await read_body(request, 0);
    }
    record(ours.result_int(), decision.fault);
    co_await send(std::move(ours));
  }

  net::awaitable<void> reset(RequestParser& request, const Decision& decision) {
    if (decision.forward) co_await do_quietly(request);
    record(0, decision.fault);
    client_.set_option(net::socket_base::linger(true, 0));
    client_.close();
    open_ = false;
  }

  net::awaitable<void> be_silent(RequestParser& request, const Decision& decision,
                                 const Silence& silence) {
    if (decision.forward) co_await do_quietly(request);
    record(0, decision.fault);
    open_ = false;
    net::steady_timer timer(co_await net::this_coro::executor);
    if (silence.lasts) {
      timer.expires_after(*silence.lasts);
      timer.async_wait([this](error_code error) {
        if (!error) client_.cancel();
      });
    }
    error_code error;
    while (!error) {
      co_await client_.async_read_some(net::buffer(piece_),
                                       net::redirect_error(use_awaitable, error));
    }
  }

  net::awaitable<void> pass(RequestParser& request, const Decision& decision) {
    if (const auto* redirected = std::get_if<Redirected>(&decision.action)) {
      request.get().target("/v2/" + subject_.repository + "/manifests/" + redirected->digest);
    }
    Upstream upstream(client_.get_executor());
    if (!co_await connect(upstream)) {
      record(502, "upstream");
      keep_alive_ = false;
      co_await send(plain_text(502, "flaky_registry: the registry cannot be reached\n"));
      co_return;
    }
    co_await exchange(upstream, request);
    auto& response = upstream.response.get();
    record(response.result_int(), decision.fault, stored_digest(response));

    mend_location(request, response);
    response.keep_alive(keep_alive_ && !response.need_eof());
    open_ = response.keep_alive();
    const auto* cut = std::get_if<Cut>(&decision.action);
    std::optional<std::uint64_t> at_most;
    if (cut != nullptr) {
      at_most = cut->after.value_or(upstream.response.content_length().value_or(2) / 2);
      open_ = false;
    }
    co_await relay<false>(upstream.socket, upstream.buffer, upstream.response, client_,
                          subject_.method != "HEAD", at_most);
  }

  // False when the registry cannot be reached.
  net::awaitable<bool> connect(Upstream& upstream) {
    upstream.response.body_limit(boost::none);
    error_code error;
    co_await upstream.socket.async_connect(proxy_.upstream,
                                           net::redirect_error(use_awaitable, error));
    co_return !error;
  }

  // Up to the header of the response, with what it tells about the state of the registry.
  net::awaitable<void> exchange(Upstream& upstream, RequestParser& request) {
    request.get().keep_alive(false);
    if (body_) {
      http::request<http::string_body> whole(http::request_header<>(request.get().base()), *body_);
      co_await http::async_write(upstream.socket, whole, use_awaitable);
    } else {
      co_await relay<true>(client_, buffer_, request, upstream.socket, true);
    }
    upstream.response.skip(subject_.method == "HEAD");
    co_await http::async_read_header(upstream.socket, upstream.buffer, upstream.response,
                                     use_awaitable);
    remember(upstream.response.get());
  }

  net::awaitable<void> do_quietly(RequestParser& request) {
    Upstream upstream(client_.get_executor());
    if (co_await connect(upstream)) co_await exchange(upstream, request);
  }

  // What the tag of this PUT says now.
  net::awaitable<std::string> digest_of_tag(RequestParser& request) {
    Upstream upstream(client_.get_executor());
    if (!co_await connect(upstream)) co_return std::string();
    http::request<http::empty_body> head(http::verb::head, request.get().target(), 11);
    for (const auto field : {http::field::host, http::field::authorization}) {
      if (const auto value = request.get()[field]; !value.empty()) head.set(field, value);
    }
    for (const std::string_view type :
         {"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
          "application/vnd.docker.distribution.manifest.list.v2+json",
          "application/vnd.docker.distribution.manifest.v2+json"}) {
      head.insert(http::field::accept, std::string(type));
    }
    head.keep_alive(false);
    upstream.response.skip(true);
    co_await http::async_write(upstream.socket, head, use_awaitable);
    co_await http::async_read_header(upstream.socket, upstream.buffer, upstream.response,
                                     use_awaitable);
    if (upstream.response.get().result() != http::status::ok) co_return std::string();
    co_return stored_digest(upstream.response.get());
  }

  template <class Message>
  static std::string stored_digest(const Message& response) {
    return text_of(response["Docker-Content-Digest"]);
  }

  template <class Message>
  void remember(const Message& response) {
    const auto now = std::chrono::steady_clock::now();
    const std::string digest = stored_digest(response);
    if (response.result() == http::status::accepted && subject_.method == "DELETE") {
      proxy_.chaos.removed(subject_.key());
    }
    if (response.result() != http::status::created || digest.empty()) return;
    proxy_.chaos.pushed(subject_.repository, digest, now);
    if (!subject_.tag.empty()) {
      proxy_.chaos.pushed(subject_.repository, subject_.tag, now);
      proxy_.chaos.moved(subject_.repository, subject_.tag, tag_before_, digest, now);
    }
  }

  // Keeps the client coming to us.
  template <class Message>
  void mend_location(RequestParser& request, Message& response) {
    const std::string location = text_of(response[http::field::location]);
    const std::string upstream = "http://" + proxy_.upstream.address().to_string() + ':' +
                                 std::to_string(proxy_.upstream.port()) + '/';
    if (!location.starts_with(upstream)) return;
    response.set(http::field::location, "http://" + text_of(request.get()[http::field::host]) +
                                            '/' + location.substr(upstream.size()));
  }

  tcp::socket client_;
  Proxy& proxy_;
  flat_buffer buffer_;
  std::array<char, piece_size> piece_{};
  bool open_ = true;

  // Of the request at hand.
  std::chrono::steady_clock::time_point arrived_;
  bool keep_alive_ = true;
  Subject subject_;
  std::optional<std::string> body_;  // of a pushed manifest
  std::string tag_before_;
  std::uint64_t request_bytes_ = 0;
};

}  // namespace

net::awaitable<void> serve(tcp::socket client, Proxy& proxy) {
  Session session(std::move(client), proxy);
  try {
    co_await session.run();
  } catch (const boost::system::system_error&) {
    // The client or the registry went away: the client sees the end of its connection.
  }
}

}  // namespace flaky
