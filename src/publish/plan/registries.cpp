#include "publish/plan/registries.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec::publish::plan {

Registries::Registries(Options options) : options_(std::move(options)) {
  for (const auto& [host, said] : options_) spelling_of(host);
}

std::string Registries::spelling_of(const std::string& host) {
  return spellings_.emplace(key_of(host), host).first->second;
}

// The host without a port that says nothing. A port says something where the name alone is talked
// to in another way: "x.org" is HTTPS, whatever the plan says of "x.org:80".
std::string Registries::key_of(const std::string& host) const {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string::npos || host.ends_with(']')) return host;
  const std::string name = host.substr(0, colon);
  const auto port = text::number_from<unsigned>(std::string_view(host).substr(colon + 1));
  if (!port) return host;
  const bool plain = is_plain(host, name);
  if (*port == (plain ? 80 : 443) && is_plain(name, name) == plain) return name;
  return name + ":" + std::to_string(*port);
}

// As oras has it, which takes localhost for plain where nothing is said.
bool Registries::is_plain(const std::string& host, std::string_view name) const {
  for (const std::string_view said : {std::string_view(host), name}) {
    const auto found = options_.find(said);
    if (found != options_.end() && found->second.plain_http) return *found->second.plain_http;
  }
  return name == "localhost";
}

}  // namespace retry_exec::publish::plan
