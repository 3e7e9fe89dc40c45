// Platforms as the OCI image specification has them, in the notation of containerd.
#include "publish/oci/platform.hpp"

#include <algorithm>

namespace retry_exec::publish::oci {

namespace {

// "windows(10.0.20348.1+win32k)" is a system, a version and features.
void read_system(std::string_view text, Platform& platform) {
  const std::size_t open = text.find('(');
  platform.os = text.substr(0, open);
  if (open == std::string_view::npos || !text.ends_with(')')) return;
  std::string_view rest = text.substr(open + 1, text.size() - open - 2);
  platform.os_version = rest.substr(0, rest.find('+'));
  for (std::size_t plus = rest.find('+'); plus != std::string_view::npos; plus = rest.find('+')) {
    rest.remove_prefix(plus + 1);
    platform.os_features.emplace_back(rest.substr(0, rest.find('+')));
  }
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace

Platform normalized(Platform platform) {
  std::string& architecture = platform.architecture;
  if (architecture == "x86_64" || architecture == "x86-64") architecture = "amd64";
  if (architecture == "aarch64") architecture = "arm64";
  std::string& variant = platform.variant;
  if (architecture == "amd64" && variant == "v1") variant.clear();
  if (architecture == "arm64" && (variant == "v8" || variant == "8")) variant.clear();
  if (architecture == "arm" && variant.empty()) variant = "v7";
  if (architecture == "arm" && variant.size() == 1) variant.insert(0, "v");
  std::sort(platform.os_features.begin(), platform.os_features.end());
  return platform;
}

Platform without_revision(Platform platform) {
  std::size_t dots = 0;
  const auto third = std::find_if(platform.os_version.begin(), platform.os_version.end(),
                                  [&](char c) { return c == '.' && ++dots == 3; });
  platform.os_version.erase(third, platform.os_version.end());
  return platform;
}

Result<Platform> parse_platform(std::string_view text) {
  const std::size_t slash = text.find('/');
  Platform platform;
  read_system(text.substr(0, slash), platform);
  std::string_view rest = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  platform.architecture = rest.substr(0, rest.find('/'));
  rest.remove_prefix(platform.architecture.size());
  if (!rest.empty()) platform.variant = rest.substr(1);
  const bool fits = is_word(platform.os) && is_word(platform.architecture) &&
                    (rest.empty() || is_word(platform.variant)) &&
                    std::all_of(platform.os_features.begin(), platform.os_features.end(), is_word);
  if (!fits) {
    return Error{{},
                 "'" + std::string(text.substr(0, 100)) +
                     "' is not a valid platform; one is 'linux/amd64', 'linux/arm/v7' or "
                     "'windows(10.0.20348.1)/amd64'"};
  }
  return platform;
}

std::string to_string(const Platform& platform) {
  std::string text = platform.os;
  if (!platform.os_version.empty() || !platform.os_features.empty()) {
    text += "(" + platform.os_version;
    for (const std::string& feature : platform.os_features) text += "+" + feature;
    text += ")";
  }
  text += "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

bool is_same(const Platform& one, const Platform& other) {
  return normalized(one) == normalized(other);
}

bool fits(const Platform& wanted, const Platform& there) {
  const bool any_revision = without_revision(wanted) == wanted;
  Platform relevant = any_revision ? without_revision(there) : there;
  if (wanted.os_version.empty()) relevant.os_version.clear();
  if (wanted.os_features.empty()) relevant.os_features.clear();
  return is_same(wanted, relevant);
}

}  // namespace retry_exec::publish::oci
