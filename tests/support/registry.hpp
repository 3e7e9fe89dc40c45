// Real registries for a test: Debian's docker-registry on loopback, and flaky_registry in front of
// it.
#pragma once

#include "image.hpp"
#include "run.hpp"
#include "temporary_folder.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

struct HttpAnswer {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string header(std::string_view name) const;  // case does not matter; empty: none
};

// One request to "127.0.0.1:PORT".
HttpAnswer http(const std::string& address, const std::string& method, const std::string& target,
                const std::string& body = {},
                const std::vector<std::pair<std::string, std::string>>& headers = {});

// A registry with a store of its own, gone with the object.
class Registry {
 public:
  struct Options {
    const char* program = "DOCKER_REGISTRY";  // the environment variable that names it
    std::string certificate = {};             // with a key: speaks TLS
    std::string key = {};
    std::string htpasswd = {};  // a file: asks for basic authentication
  };
  Registry() : Registry(Options{}) {}
  explicit Registry(const Options& options);

  const std::string& address() const { return address_; }  // "127.0.0.1:PORT"

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Running> running_;
  std::string address_;
};

// Where a real registry is, the images can be pushed straight to it, or through the proxy.
void push_blobs(const std::string& address, const std::string& repository, const Image& image);
// With an empty reference, by digest. The manifest's blobs must be there.
void push_manifest(const std::string& address, const std::string& repository,
                   const std::string& manifest, std::string_view type,
                   const std::string& reference);
// Blobs and manifest, by tag.
void push(const std::string& address, const std::string& repository, const Image& image,
          const std::string& tag);
// The digest that a tag has; empty when there is none.
std::string digest_at(const std::string& address, const std::string& repository,
                      const std::string& reference);

struct JournalEntry {
  double at = 0;
  double took = 0;
  std::string method;
  std::string path;
  unsigned status = 0;
  std::string fault;
  std::string repository;
  std::string tag;
  std::string digest;
  std::uint64_t request_bytes = 0;
};

class FlakyRegistry {
 public:
  explicit FlakyRegistry(const Registry& registry, std::string_view plan = "faults: []");

  const std::string& address() const { return address_; }
  void plan(std::string_view yaml);         // forgets the journal so far
  void change_plan(std::string_view yaml);  // goes on with it
  std::vector<JournalEntry> journal() const;
  // How often the fault of this name has struck.
  std::size_t struck(std::string_view fault) const;
  double now() const;  // on the journal's clock

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Running> running_;
  std::string address_;
};

}  // namespace test
