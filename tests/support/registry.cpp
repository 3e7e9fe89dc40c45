#include "registry.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace test {

namespace {

namespace net = boost::asio;
namespace http_ = boost::beast::http;

std::string text_of(boost::beast::string_view view) {
  return {view.data(), view.size()};
}

net::ip::tcp::endpoint endpoint_of(const std::string& address) {
  const auto colon = address.rfind(':');
  return {net::ip::make_address(address.substr(0, colon)),
          static_cast<unsigned short>(std::stoi(address.substr(colon + 1)))};
}

[[noreturn]] void refuse(const std::string& what, const HttpAnswer& answer) {
  throw std::runtime_error(what + ": " + std::to_string(answer.status) + ' ' + answer.body);
}

// A server whose output goes to a file: nobody has to read along.
std::unique_ptr<Running> start_server(std::vector<std::string> argv, const std::string& log) {
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  constexpr auto longer_than_any_test = std::chrono::hours(24);
  auto running = std::make_unique<Running>(Program{.argv = std::move(argv),
                                                   .standard_output = Descriptor{fd},
                                                   .standard_error = Descriptor{fd},
                                                   .time_limit = longer_than_any_test});
  ::close(fd);
  return running;
}

std::string configuration(const std::string& store, const Registry::Options& options) {
  std::ostringstream yaml;
  yaml << "version: 0.1\n"
          "log: {level: info, formatter: json, accesslog: {disabled: true}}\n"
          "storage:\n"
          "  filesystem: {rootdirectory: '"
       << store
       << "'}\n"
          "  delete: {enabled: true}\n"
          "  maintenance: {uploadpurging: {enabled: false}}\n"
          "http:\n"
          "  addr: 127.0.0.1:0\n";
  if (!options.certificate.empty()) {
    yaml << "  tls: {certificate: '" << options.certificate << "', key: '" << options.key << "'}\n";
  }
  if (!options.htpasswd.empty()) {
    yaml << "auth: {htpasswd: {realm: test, path: '" << options.htpasswd << "'}}\n";
  }
  return yaml.str();
}

// The registry says where it listens in its log: "listening on 127.0.0.1:40123".
std::string address_in(const std::string& log) {
  static constexpr std::string_view words = "listening on ";
  const std::string text = read_file(log);
  const auto at = text.find(words);
  if (at == std::string::npos) return {};
  const auto begin = at + words.size();
  const auto end = text.find_first_not_of("0123456789.:", begin);
  return end == std::string::npos ? std::string() : text.substr(begin, end - begin);
}

void push_blob(const std::string& address, const std::string& repository, const Blob& blob) {
  const HttpAnswer begun = http(address, "POST", "/v2/" + repository + "/blobs/uploads/");
  if (begun.status != 202) refuse("an upload cannot be begun", begun);
  std::string location = begun.header("Location");
  if (const auto scheme = location.find("://"); scheme != std::string::npos) {
    location = location.substr(location.find('/', scheme + 3));
  }
  location += (location.find('?') == std::string::npos ? "?digest=" : "&digest=") + blob.digest;
  const HttpAnswer done =
      http(address, "PUT", location, blob.bytes, {{"Content-Type", "application/octet-stream"}});
  if (done.status != 201) refuse("a blob is not taken", done);
}

JournalEntry entry_from(const boost::json::object& line) {
  const auto text = [&](const char* key) {
    const auto* value = line.at(key).if_string();
    return value == nullptr ? std::string() : std::string(value->c_str());
  };
  return {.at = line.at("at").to_number<double>(),
          .took = line.at("took").to_number<double>(),
          .method = text("method"),
          .path = text("path"),
          .status = line.at("status").to_number<unsigned>(),
          .fault = text("fault"),
          .repository = text("repository"),
          .tag = text("tag"),
          .digest = text("digest"),
          .request_bytes = line.at("request_bytes").to_number<std::uint64_t>()};
}

}  // namespace

std::string HttpAnswer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (boost::beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  }
  return {};
}

HttpAnswer http(const std::string& address, const std::string& method, const std::string& target,
                const std::string& body,
                const std::vector<std::pair<std::string, std::string>>& headers) {
  net::io_context context(1);
  net::ip::tcp::socket socket(context);
  socket.connect(endpoint_of(address));
  http_::request<http_::string_body> request;
  request.method_string(method);
  request.target(target);
  request.set(http_::field::host, address);
  for (const auto& [name, value] : headers) request.insert(name, value);
  request.body() = body;
  request.prepare_payload();
  http_::write(socket, request);

  boost::beast::flat_buffer buffer;
  http_::response_parser<http_::string_body> response;
  response.body_limit(boost::none);
  response.skip(method == "HEAD");
  http_::read(socket, buffer, response);
  HttpAnswer answer{response.get().result_int(), {}, std::move(response.get().body())};
  for (const auto& field : response.get()) {
    answer.headers.emplace_back(text_of(field.name_string()), text_of(field.value()));
  }
  return answer;
}

Registry::Registry(const Options& options) {
  const std::string config = folder_.write("config.yml", configuration(folder_ / "store", options));
  const std::string log = folder_ / "log";
  running_ = start_server({required(options.program), "serve", config}, log);
  if (!eventually([&] { return !(address_ = address_in(log)).empty(); })) {
    throw std::runtime_error("the registry does not come up: " + read_file(log));
  }
}

void push_blobs(const std::string& address, const std::string& repository, const Image& image) {
  push_blob(address, repository, image.config);
  for (const Blob& layer : image.layers) push_blob(address, repository, layer);
}

void push_manifest(const std::string& address, const std::string& repository,
                   const std::string& manifest, std::string_view type,
                   const std::string& reference) {
  const HttpAnswer answer = http(address, "PUT", "/v2/" + repository + "/manifests/" + reference,
                                 manifest, {{"Content-Type", std::string(type)}});
  if (answer.status != 201) refuse("a manifest is not taken", answer);
}

void push(const std::string& address, const std::string& repository, const Image& image,
          const std::string& tag) {
  push_blobs(address, repository, image);
  push_manifest(address, repository, image.manifest, manifest_type, tag);
}

std::string digest_at(const std::string& address, const std::string& repository,
                      const std::string& reference) {
  const HttpAnswer answer =
      http(address, "HEAD", "/v2/" + repository + "/manifests/" + reference, {},
           {{"Accept", std::string(manifest_type)}, {"Accept", std::string(index_type)}});
  return answer.status == 200 ? answer.header("Docker-Content-Digest") : std::string();
}

FlakyRegistry::FlakyRegistry(const Registry& registry, std::string_view plan) {
  const std::string port_file = folder_ / "port";
  const std::string log = folder_ / "log";
  running_ = start_server({required("FLAKY_REGISTRY"), "--upstream", registry.address(), "--plan",
                           folder_.write("plan.yaml", plan), "--journal", folder_ / "journal",
                           "--port-file", port_file},
                          log);
  if (!eventually([&] { return std::filesystem::exists(port_file); })) {
    throw std::runtime_error("flaky_registry does not come up: " + read_file(log));
  }
  address_ = "127.0.0.1:" + std::to_string(std::stoi(read_file(port_file)));
}

void FlakyRegistry::plan(std::string_view yaml) {
  change_plan(yaml);
  http(address_, "DELETE", "/_flaky/journal");
}

void FlakyRegistry::change_plan(std::string_view yaml) {
  const HttpAnswer answer = http(address_, "POST", "/_flaky/plan", std::string(yaml));
  if (answer.status != 200) refuse("the plan is not taken", answer);
}

std::vector<JournalEntry> FlakyRegistry::journal() const {
  std::vector<JournalEntry> entries;
  std::istringstream lines(http(address_, "GET", "/_flaky/journal").body);
  for (std::string line; std::getline(lines, line);) {
    entries.push_back(entry_from(boost::json::parse(line).as_object()));
  }
  return entries;
}

std::size_t FlakyRegistry::struck(std::string_view fault) const {
  const auto entries = journal();
  return static_cast<std::size_t>(std::count_if(
      entries.begin(), entries.end(), [&](const auto& entry) { return entry.fault == fault; }));
}

double FlakyRegistry::now() const {
  return boost::json::parse(http(address_, "GET", "/_flaky/time").body)
      .as_object()
      .at("now")
      .to_number<double>();
}

}  // namespace test
