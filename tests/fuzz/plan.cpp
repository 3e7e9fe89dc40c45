// A plan is read, or refused with a reason; what is read is whole, and says the same when it is
// written again.
#include "insist.hpp"

#include <retry_exec/publish_plan.hpp>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace retry_exec;
using namespace retry_exec::publish;
using fuzz::insist;

namespace {

void insist_on_whole(const oci::Reference& reference) {
  const std::string text = to_string(reference);
  const auto again = oci::parse_reference(text);
  insist(again && *again == reference, "reads back as something else", text);
}

const char* variable(const std::string& name) {
  return name == "TAG" ? "1.0" : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  // Nothing of this machine is to be read.
  constexpr std::array<std::string_view, 4> real = {"/proc", "/sys", "/dev", "*"};
  const auto is_meant = [&](std::string_view path) { return text.find(path) != std::string::npos; };
  if (std::any_of(real.begin(), real.end(), is_meant)) return 0;
  const auto plan = plan::read_plan(text, variable);
  if (!plan) {
    insist(!plan.error().empty(), "refused without a reason", text);
    for (const Error& error : plan.error()) insist(!error.what.empty(), "an empty reason", text);
    return 0;
  }
  insist(!plan->targets.empty(), "a plan for nothing", text);
  for (const plan::Target& target : plan->targets) {
    insist(!target.tags.empty(), "a target without tags", text);
    for (const oci::Reference& tag : target.tags) {
      insist(!tag.tag.empty() && tag.digest.empty(), "not a tag", to_string(tag));
      insist_on_whole(tag);
    }
    for (const plan::Source& source : target.sources) {
      insist(oci::is_digest(source.reference.digest), "not a digest", text);
      insist_on_whole(source.reference);
    }
  }
  const auto matrix = boost::json::parse(plan::matrix(*plan));
  insist(matrix.at("include").as_array().size() == plan->targets.size(), "a wrong matrix", text);
  return 0;
}
