// What builders leave behind: its first letter says as what the rest is read. What is found is
// whole, and of each platform once; what is not is said with the file's name.
#include "insist.hpp"
#include "publish/oci/platform.hpp"
#include "publish/plan/plan_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::plan;
using fuzz::insist;

namespace {

// A file with this text, in memory.
class File {
 public:
  explicit File(std::string_view text) : fd_(::memfd_create("input", MFD_CLOEXEC)) {
    insist(fd_ >= 0 && ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
           "no file", text);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void insist_on_sources(const TargetDraft& draft, bool newest, std::string_view text) {
  std::set<std::string> platforms;
  for (const Source& source : draft.found) {
    const auto again = oci::parse_reference(to_string(source.reference));
    insist(again && *again == source.reference, "reads back as something else", text);
    insist(oci::is_digest(source.reference.digest), "not a digest", text);
    if (!newest || !source.platform) continue;
    const std::string platform = to_string(oci::normalized(*source.platform));
    insist(platforms.insert(platform).second, "a platform twice", text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text = fuzz::text_of(data + 1, size - 1);
  const File file(text);
  PlanFile plan;
  plan.plan.file = "plan.yaml";
  Errors errors;
  std::vector<TargetDraft> drafts(2);
  drafts[0].name = "a";
  drafts[1].name = "b";
  const std::vector<std::string> files = {file.path()};
  const char kind = static_cast<char>(*data);
  if (kind == 'f') {
    read_flat_metadata(files, drafts[0], errors);
  } else if (kind == 'b') {
    Bake bake = read_bake(file.path(), {}, errors);
    for (const auto& [name, members] : bake.groups) targets_of(bake, name);
    drafts = std::move(bake.targets);
  } else if (kind == 'd') {
    drafts[0].inputs = {{.kind = SourceInput::Kind::digest_file,
                         .value = {file.path(), {}},
                         .repository = PlanText{"ghcr.io/o/r", {}}}};
    read_inputs(plan, drafts[0], errors);
  } else if (kind == 'a') {
    drafts[0].metadata_action = PlanText{text, {}};
    if (text.starts_with('{')) read_metadata_action(plan, drafts[0], errors);
  } else {
    read_metadata(files, drafts, errors);
  }
  for (const TargetDraft& draft : drafts) insist_on_sources(draft, kind != 'd', text);
  const auto targets = finish_targets(
      plan, drafts, [](const auto&) { return nullptr; }, errors);
  insist(targets.size() == drafts.size(), "a target is lost", text);
  for (const Error& error : errors) insist(!error.what.empty(), "an empty reason", text);
  return 0;
}
