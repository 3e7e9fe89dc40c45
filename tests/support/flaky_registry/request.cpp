#include "request.hpp"

#include <charconv>

namespace flaky {

namespace {

constexpr std::string_view prefix = "/v2/";

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const std::string_view hex = text.substr(i + 1, 2);
    if (text[i] == '%' && hex.size() == 2 &&
        std::from_chars(hex.data(), hex.data() + 2, value, 16).ptr == hex.data() + 2) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace

const std::string& Subject::reference() const {
  if (!tag.empty()) return tag;
  return digest.empty() ? target : digest;
}

Subject subject_of(std::string_view method, std::string_view target) {
  Subject subject{std::string(method), std::string(target), Kind::other, {}, {}, {}};
  const std::string_view path = target.substr(0, target.find('?'));
  if (!path.starts_with(prefix)) return subject;
  const auto split = [&](std::string_view word) -> std::optional<std::string_view> {
    const auto at = path.rfind(word);
    if (at == std::string_view::npos || at < prefix.size()) return std::nullopt;
    subject.repository = path.substr(prefix.size(), at - prefix.size());
    return path.substr(at + word.size());
  };
  if (split("/blobs/uploads/")) {
    subject.kind = Kind::upload;
  } else if (const auto blob = split("/blobs/")) {
    subject.kind = Kind::blob;
    subject.digest = percent_decoded(*blob);
  } else if (const auto manifest = split("/manifests/")) {
    subject.kind = Kind::manifest;
    std::string reference = percent_decoded(*manifest);
    const bool by_digest = reference.find(':') != std::string::npos;
    (by_digest ? subject.digest : subject.tag) = std::move(reference);
  }
  return subject;
}

std::string query_value(std::string_view target, std::string_view name) {
  const auto question = target.find('?');
  if (question == std::string_view::npos) return {};
  std::string_view query = target.substr(question + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return percent_decoded(pair.substr(name.size() + 1));
    }
  }
  return {};
}

std::vector<std::string> digests_in(std::string_view manifest) {
  constexpr std::string_view algorithm = "sha256:";
  constexpr std::size_t length = algorithm.size() + 64;
  std::vector<std::string> digests;
  for (auto at = manifest.find(algorithm); at != std::string_view::npos;
       at = manifest.find(algorithm, at + 1)) {
    if (at + length <= manifest.size()) digests.emplace_back(manifest.substr(at, length));
  }
  return digests;
}

}  // namespace flaky
