#include "publish/oci/sha256.hpp"
#include "publish/run/target_run.hpp"

#include <algorithm>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

// Whether an image comes behind something else for its platform, which a client would take.
bool hides_an_image(const std::vector<oci::Child>& children) {
  for (auto entry = children.begin(); entry != children.end(); ++entry) {
    const oci::Descriptor& first = entry->descriptor;
    if (!oci::is_artifact(first) || !first.platform) continue;
    const bool hides = std::any_of(entry, children.end(), [&](const oci::Child& other) {
      const oci::Descriptor& image = other.descriptor;
      return oci::is_image(image) && image.platform &&
             oci::is_same(*image.platform, *first.platform);
    });
    if (hides) return true;
  }
  return false;
}

}  // namespace

// One source that is an index already, with nothing to add, to take away or to put in order.
bool TargetRun::is_ready() const {
  if (images_.size() != 1 || images_.front().bytes.empty()) return false;
  if (!target_.annotations.empty() || target_.flatten) return false;
  std::vector<oci::Child> all;
  for (const oci::Descriptor& child : images_.front().children) all.push_back({child, {}});
  if (hides_an_image(all)) return false;
  // What it lists twice has been taken once, which takes nothing away.
  return children_.size() == oci::in_order(std::move(all)).size();
}

// An index that is the only source goes on saying what it said of itself, but for what the plan
// says. Of several, none speaks for all.
oci::Annotations TargetRun::annotations() const {
  if (images_.size() != 1) return target_.annotations;
  const auto source = oci::parse_index(images_.front().bytes);
  return source ? oci::joined(target_.annotations, source->annotations) : target_.annotations;
}

void TargetRun::make_index() {
  std::vector<oci::Descriptor> manifests;
  for (const oci::Child& child : children_) manifests.push_back(child.descriptor);
  if (is_ready()) {
    root_ = {images_.front().bytes, images_.front().descriptor.media_type};
    result_.index = images_.front().descriptor.digest;
    note("the source is published as it is");
  } else {
    root_ = {oci::index_json(manifests, annotations()), std::string(oci::oci_index)};
    result_.index = oci::digest_of(root_.bytes);
  }
  result_.digest = result_.index;
  known_manifests_.insert(result_.index);
  for (const oci::Descriptor& manifest : manifests) known_manifests_.insert(manifest.digest);
}

// For soci, which takes it from one repository with all that it lists.
TargetRun::Task TargetRun::index() {
  const bool there = co_await index_is_there();
  if (there) {
    note("it was there already");
  } else if (!failed()) {
    co_await stage_index();
  }
}

// A run that was cut short, or this very plan, may have left it; and a registry may have cleaned up
// below it since.
asio::awaitable<bool> TargetRun::index_is_there() {
  const oci::Reference reference = by_digest(target_.staging, result_.index);
  Request wanted = probe(reference, false);
  const Answer answer = co_await run(std::move(wanted));
  if (answer.run.reason == StopReason::interrupted || answer.run.reason == StopReason::deadline) {
    fail(answer, "the index could not be created");
  }
  if (!answer.ok()) co_return false;
  seen_.emplace(to_string(reference), root_.bytes.size());
  co_return co_await has_all_images(reference);
}

// Those that come from elsewhere: what was in staging before has been read.
asio::awaitable<bool> TargetRun::has_all_images(oci::Reference index) {
  std::vector<std::string> digests;
  for (const oci::Child& child : children_) {
    if (child.from.name() != index.name()) digests.push_back(child.descriptor.digest);
  }
  if (digests.empty()) co_return true;
  const Answer answer = co_await find_all(probe(index, false), index, std::move(digests));
  if (answer.absent()) {
    note("not all that the index in staging lists was there, and it is copied again");
  } else if (!answer.ok()) {
    fail(answer, "what the index in staging lists could not be read");
  }
  co_return answer.ok();
}

TargetRun::Task TargetRun::stage_index() {
  std::vector<Task> copies;
  for (oci::Child& child : children_) {
    if (child.from.name() != target_.staging.name()) {
      copies.push_back(copy_child(child, target_.staging));
    }
  }
  co_await all(std::move(copies));
  if (failed()) co_return;
  const oci::Reference staging =
      by_tag(target_.staging, oci::staging_tag(target_.name, result_.index));
  const Answer answer = co_await put_root(staging, {}, phase_deadline_);
  if (!answer.ok()) fail(answer, "the index could not be created");
}

}  // namespace retry_exec::publish
