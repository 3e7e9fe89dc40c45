#include <retry_exec/publish_oci.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace retry_exec::publish::oci {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

template <class Fits>
bool all(std::string_view text, Fits fits) {
  return std::all_of(text.begin(), text.end(), fits);
}

// The distribution specification: runs of lower-case letters and digits, between them one of
// '.', '_', '__' or any number of '-'.
bool is_component(std::string_view text) {
  const auto alphanumeric = [](char c) { return is_lower(c) || is_digit(c); };
  if (text.empty() || !alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (alphanumeric(text[i])) {
      ++i;
      continue;
    }
    const auto end = static_cast<std::size_t>(
        std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), alphanumeric) -
        text.begin());
    const std::string_view separator = text.substr(i, end - i);
    const bool dashes = all(separator, [](char c) { return c == '-'; });
    if (separator != "." && separator != "_" && separator != "__" && !dashes) return false;
    i = end;
  }
  return true;
}

bool is_repository(std::string_view text) {
  if (text.size() > 255) return false;
  for (std::size_t slash = text.find('/'); slash != std::string_view::npos;
       slash = text.find('/')) {
    if (!is_component(text.substr(0, slash))) return false;
    text.remove_prefix(slash + 1);
  }
  return is_component(text);
}

bool is_port(std::string_view text) {
  const auto port = text::number_from<unsigned>(text);
  return all(text, is_digit) && port && *port >= 1 && *port <= 65535;
}

// RFC 1123: between dots at most 63 letters, digits and '-', which is neither first nor last.
bool is_domain(std::string_view text) {
  if (text.size() > 253) return false;
  bool fits = true;
  std::string_view last;
  text::for_each_part(text, '.', [&](std::string_view label) {
    last = label;
    fits = fits && !label.empty() && label.size() <= 63 && label.front() != '-' &&
           label.back() != '-' &&
           all(label, [](char c) { return is_digit(c) || is_letter(c) || c == '-'; });
  });
  return fits && !all(last, is_digit);  // else it is an address
}

bool is_address(int family, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(family, std::string(text).c_str(), address.data()) == 1;
}

// A name, an IPv4 address or an IPv6 address in brackets, with or without a port. What has neither
// dot nor port and is not "localhost" is the first part of a repository.
bool is_host(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  const bool port = colon != std::string_view::npos && (!bracketed || text[colon - 1] == ']');
  const std::string_view name = port ? text.substr(0, colon) : text;
  if (port && !is_port(text.substr(colon + 1))) return false;
  if (bracketed) {
    return name.size() > 2 && name.ends_with(']') &&
           is_address(AF_INET6, name.substr(1, name.size() - 2));
  }
  if (!port && name.find('.') == std::string_view::npos && text::lower_case(name) != "localhost")
    return false;
  return is_domain(name) || is_address(AF_INET, name);
}

// "user:password@ghcr.io/o/r": what follows the '@' is not a digest, which has no '/'.
bool has_login(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && text.find('/', at) != std::string_view::npos;
}

Error wrong(std::string_view text, const std::string& why) {
  return {{}, text::quoted(text, 300) + " is not a valid reference: " + why};
}

}  // namespace

// Two spellings of a host are one, so that a tag has one owner. Docker Hub loses a port here, too:
// by another name than this alone, oras does not find it.
std::string registry_of(std::string_view host) {
  std::string name = text::lower_case(host);
  const std::string_view known = name;
  const std::string_view bare = known.substr(0, known.size() - (known.ends_with(":443") ? 4 : 0));
  const bool docker =
      bare == "docker.io" || bare == "index.docker.io" || bare == "registry-1.docker.io";
  return docker ? "docker.io" : name;
}

bool is_tag(std::string_view text) {
  const auto word = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !text.empty() && text.size() <= 128 && word(text.front()) &&
         all(text, [word](char c) { return word(c) || c == '.' || c == '-'; });
}

bool is_digest(std::string_view text) {
  const auto hexadecimal = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  const auto of = [&](std::string_view algorithm, std::size_t digits) {
    return text.starts_with(algorithm) && text.size() == algorithm.size() + digits &&
           all(text.substr(algorithm.size()), hexadecimal);
  };
  return of("sha256:", 64) || of("sha512:", 128);
}

Result<Reference> parse_reference(std::string_view text) {
  if (has_login(text)) {
    return wrong(text, "a name has no user or password in it; `oras login` takes them");
  }
  Reference reference;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = rest.substr(at + 1);
    if (!is_digest(reference.digest)) {
      return wrong(text, "a digest is 'sha256:' and 64 hexadecimal digits");
    }
    rest = rest.substr(0, at);
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || !is_host(rest.substr(0, slash))) {
    return wrong(text, "it begins with the registry's host, as in 'docker.io/posit/workbench'");
  }
  reference.host = registry_of(rest.substr(0, slash));
  rest.remove_prefix(slash + 1);
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    if (!is_tag(reference.tag)) {
      return wrong(text,
                   "a tag has at most 128 letters, digits, '_', '.' and '-', and begins with none "
                   "of the last two");
    }
    rest = rest.substr(0, colon);
  }
  if (!is_repository(rest)) {
    return wrong(text,
                 "a repository has lower-case letters and digits, with '.', '_', '-' and '/' "
                 "between them");
  }
  reference.repository = rest;
  return reference;
}

Result<Reference> parse_source(std::string_view text) {
  Result<Reference> source = parse_reference(text);
  if (source && !source->digest.empty() && !source->digest.starts_with("sha256:")) {
    const std::string algorithm = source->digest.substr(0, source->digest.find(':'));
    return Error{{},
                 text::quoted(text, 300) + " has a digest of " + algorithm +
                     "; only sha256 digests are read"};
  }
  return source;
}

std::string to_string(const Reference& reference) {
  std::string text = reference.name();
  if (!reference.tag.empty()) text += ":" + reference.tag;
  if (!reference.digest.empty()) text += "@" + reference.digest;
  return text;
}

}  // namespace retry_exec::publish::oci
