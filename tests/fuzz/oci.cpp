// What registries say: references, platforms, descriptors and indexes that are read say the same
// when they are written and read again.
#include "insist.hpp"
#include "publish/oci/date.hpp"
#include "publish/oci/index.hpp"
#include "publish/oci/platform.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

using namespace retry_exec;
using namespace retry_exec::publish::oci;
using fuzz::insist;

namespace {

std::string digests_of(const std::vector<Descriptor>& manifests) {
  std::string text;
  for (const Descriptor& one : manifests) {
    text += one.media_type + " " + one.digest + " " + std::to_string(one.size) +
            (one.platform ? " " + to_string(*one.platform) : "") + "\n";
  }
  return text;
}

void read_names(std::string_view text) {
  if (const auto reference = parse_reference(text)) {
    const auto again = parse_reference(to_string(*reference));
    insist(again && *again == *reference, "another reference", text);
    insist(registry_of(reference->host) == reference->host, "another registry", text);
  }
  if (const auto platform = parse_platform(text)) {
    const auto again = parse_platform(to_string(*platform));
    insist(again && *again == *platform, "another platform", text);
    insist(normalized(normalized(*platform)) == normalized(*platform), "normal twice", text);
    insist(fits(*platform, *platform), "does not fit itself", text);
  }
  parse_date(text);
}

void read_index(std::string_view text) {
  const auto index = parse_index(text);
  if (!index) return;
  const std::string written = index_json(index->manifests, index->annotations);
  const auto again = parse_index(written);
  insist(again && digests_of(again->manifests) == digests_of(index->manifests) &&
             again->annotations == index->annotations,
         "another index", written);
  std::vector<Child> children;
  for (const Descriptor& one : index->manifests) children.push_back({one, {}});
  const std::vector<Child> once = in_order(children);
  const std::vector<Child> twice = in_order(once);
  insist(once.size() == twice.size(), "ordered twice", text);
  for (std::size_t i = 0; i < once.size(); ++i)
    insist(once[i].descriptor.digest == twice[i].descriptor.digest, "ordered twice", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  read_names(text);
  read_index(text);
  if (const auto descriptor = parse_descriptor(text)) {
    const auto again = parse_index(index_json({{*descriptor}}, {}));
    insist(again && digests_of(again->manifests) == digests_of({*descriptor}), "another descriptor",
           text);
  }
  if (const auto platform = parse_config_platform(text)) to_string(*platform);
  return 0;
}
