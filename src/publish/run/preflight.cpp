// Reading what there is: every source and its config, once they are readable, and what stands at
// the tags.
#include "publish/oci/sha256.hpp"
#include "publish/run/target_run.hpp"

#include <algorithm>
#include <tuple>

namespace retry_exec::publish {

namespace asio = boost::asio;
using namespace std::chrono_literals;

TargetRun::Task TargetRun::preflight() {
  check_sources_known();
  if (failed() || result_.left_out) co_return;
  images_.resize(target_.sources.size());
  looks_.resize(target_.tags.size());
  std::vector<Task> reads;
  for (std::size_t i = 0; i < images_.size(); ++i) reads.push_back(read_source(i));
  for (std::size_t i = 0; i < looks_.size(); ++i) {
    if (must_know_all_tags(target_) || is_first_in_repository(i)) reads.push_back(look_at_tag(i));
  }
  co_await all(std::move(reads));
  std::erase_if(images_, [](const Image& image) { return image.reference.digest.empty(); });
  result_.left_out = images_.empty() && !failed();
  if (result_.left_out) co_return;
  if (!failed()) co_await date_rivals();
  if (!failed()) keep_newest();
  if (!failed()) gather_children();
  if (!failed()) check_any_image();
  if (!failed()) check_one_image_a_platform();
  if (!failed()) check_platforms();
  if (failed()) co_return;
  make_index();
  take_date_of_index();
  if (!uses_soci()) {  // what soci makes of it is not known yet
    for (std::size_t i = 0; i < looks_.size(); ++i) {
      result_.tags[i].had_it = looks_[i].digest == result_.digest;
    }
  }
  std::vector<Task> guards;
  for (std::size_t i = 0; i < looks_.size(); ++i) guards.push_back(guard_tag(i));
  co_await all(std::move(guards));
}

namespace {

// A source is read with its config in one command, and the failure names one of the two, or none.
std::string what_is_absent(const oci::Reference& source, const Answer& answer) {
  const std::string name = to_string(source);
  const std::string missing(detail_of(*answer.run.verdict, missing_detail));
  if (missing == source.digest) return name + " is not there";
  if (!oci::is_digest(missing)) return name + ", or its config, is not there";
  return name + " needs " + missing + ", its config, which is not there";
}

}  // namespace

// An image with its config, which may lag behind its manifest, in one command.
TargetRun::Task TargetRun::read_source(std::size_t number) {
  const oci::Reference& reference = target_.sources[number].reference;
  Request wanted = probe(reference, true);
  wanted.argv = describe_command(plan_, reference, {reference.digest});
  const Answer answer = co_await run(std::move(wanted));
  const bool was_waited_for = answer.absent() && answer.run.reason != StopReason::interrupted &&
                              shared_.seams.now() < shared_.deadline;
  if (was_waited_for && target_.allow_incomplete) {
    lacks("source " + what_is_absent(reference, answer));
    // It has been waited for until the phase's deadline, which was not for what follows.
    phase_deadline_ =
        std::min(std::max(phase_deadline_, shared_.seams.now() + 1min), shared_.deadline);
    co_return;
  }
  if (!answer.ok()) {
    fail(answer, "source " + to_string(reference) + " could not be read");
    co_return;
  }
  note_lag(reference, answer);
  const auto described = oci::parse_index(answer.output);
  if (!described || described->manifests.size() != 1 ||
      described->manifests.front().digest != reference.digest) {
    fail(StopReason::permanent, "the answer for source " + to_string(reference) +
                                    " is not a descriptor of it: " + answer.output.substr(0, 200));
    co_return;
  }
  seen_.emplace(to_string(reference), described->manifests.front().size);
  Image& image = images_[number];
  image.reference = reference;
  image.created = target_.sources[number].created;
  image.place = target_.sources[number].place;
  image.descriptor = described->manifests.front();
  const std::string& type = image.descriptor.media_type;
  if (oci::is_image_manifest(type)) {
    if (target_.only_newer) co_await read_config(reference, image.descriptor.platform);
    if (!image.descriptor.platform) {
      fail(StopReason::permanent, to_string(reference) + ": the image's config names no platform");
    }
    image.children = {image.descriptor};
  } else if (oci::is_index(type)) {
    co_await read_index(number);
  } else {
    fail(StopReason::permanent,
         "source " + to_string(reference) + " is not an image: its media type is '" + type + "'");
  }
}

// What there must be of a source, once it is readable; nothing where the target has failed.
asio::awaitable<std::optional<std::string>> TargetRun::read_needed(oci::Reference reference,
                                                                   Arguments argv,
                                                                   std::string what) {
  Request wanted = probe(reference, true);
  wanted.argv = std::move(argv);
  Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) {
    fail(answer, what + " could not be read");
    co_return std::nullopt;
  }
  note_lag(reference, answer);
  co_return std::move(answer.output);
}

asio::awaitable<std::optional<std::string>> TargetRun::config_of(oci::Reference image) {
  Arguments argv = config_command(plan_, image);
  std::string what = "the config of " + to_string(image);
  co_return co_await read_needed(std::move(image), std::move(argv), std::move(what));
}

// Its date, and its platform where the index does not say it.
TargetRun::Task TargetRun::read_config(oci::Reference image,
                                       std::optional<oci::Platform>& platform) {
  const auto config = co_await config_of(image);
  if (!config) co_return;
  created_ = std::max(created_, oci::date_of_config(*config));
  if (platform) co_return;
  const auto read = oci::parse_config_platform(*config);
  if (!read) {
    fail(StopReason::permanent, to_string(image) + ": " + read.error().what);
  } else {
    platform = *read;
  }
}

// The one platform that it is for.
std::optional<oci::Platform> TargetRun::Image::platform() const {
  std::optional<oci::Platform> only;
  for (const oci::Descriptor& child : children) {
    if (!oci::is_image(child) && !oci::holds_images(child)) continue;
    if (only || !child.platform || oci::is_index(child.media_type)) return std::nullopt;
    only = child.platform;
  }
  return only;
}

// Metadata files may name what was built before as well.
bool TargetRun::are_rivals(const Image& one, const Image& other) const {
  const std::optional<oci::Platform> platform = one.platform();
  const std::optional<oci::Platform> its = other.platform();
  return one.place && other.place && one.place != other.place && platform && its &&
         oci::is_same(*platform, *its);
}

// Of rivals of which metadata does not say it, the configs say when they were made.
TargetRun::Task TargetRun::date_rivals() {
  std::vector<Task> reads;
  for (std::size_t i = 0; i < images_.size(); ++i) {
    const bool has_rival = std::any_of(images_.begin(), images_.end(), [&](const Image& other) {
      return are_rivals(images_[i], other);
    });
    if (has_rival && !images_[i].created) reads.push_back(date_rival(i));
  }
  co_await all(std::move(reads));
}

TargetRun::Task TargetRun::date_rival(std::size_t number) {
  const std::vector<oci::Descriptor>& children = images_[number].children;
  const auto image = std::find_if(children.begin(), children.end(), oci::is_image);
  const auto config = co_await config_of(by_digest(images_[number].reference, image->digest));
  if (config) images_[number].created = oci::date_of_config(*config);
}

// One that says nowhere when it was made counts as made now.
void TargetRun::keep_newest() {
  const auto age = [](const Image& image) {
    return std::tuple(image.created.value_or(oci::Date::max()), image.place);
  };
  std::vector<Image> kept;
  for (const Image& image : images_) {
    const auto newer = std::find_if(images_.begin(), images_.end(), [&](const Image& other) {
      return are_rivals(image, other) && age(other) > age(image);
    });
    if (newer == images_.end()) {
      kept.push_back(image);
    } else {
      note(to_string(image.reference) + " is left out: " + newer->reference.digest + " for " +
           to_string(*image.platform()) +
           (newer->created == image.created ? " stands later in the metadata" : " is newer"));
    }
  }
  images_ = std::move(kept);
}

// In the same order each time, whatever the order of the metadata files.
void TargetRun::gather_children() {
  for (const Image& image : images_) {
    for (const oci::Descriptor& child : image.children)
      children_.push_back({child, image.reference});
  }
  children_ = oci::in_order(std::move(children_));
  if (!target_.soci.enabled) return;
  const auto leave_out = [&](bool (*kind)(const oci::Descriptor&), const std::string& name) {
    const auto first =
        std::stable_partition(children_.begin(), children_.end(),
                              [&](const oci::Child& child) { return !kind(child.descriptor); });
    if (first == children_.end()) return;
    left_out_.insert(left_out_.end(), first, children_.end());
    children_.erase(first, children_.end());
    note(name + " are left out: soci makes other images of these");
  };
  leave_out(oci::is_attestation, "attestations");
  leave_out(oci::is_artifact, "SOCI indexes and the like");
  for (const oci::Child& child : children_) {
    if (!oci::holds_images(child.descriptor) || child.descriptor.platform) continue;
    fail(StopReason::permanent, to_string(by_digest(child.from, child.descriptor.digest)) +
                                    " is an index in an index without a platform, which soci "
                                    "needs: name its images as sources of their own");
  }
}

bool must_know_all_tags(const plan::Target& target) {
  return target.only_newer || target.platforms.empty();
}

bool TargetRun::is_first_in_repository(std::size_t tag) const {
  return any_tag_in(target_.tags[tag].name()) == target_.tags[tag];
}

// Where the first is ours, and what the others have has not been read.
TargetRun::Task TargetRun::look_at_the_rest() {
  if (must_know_all_tags(target_)) co_return;
  const auto unknown = [this](std::size_t tag) {
    const auto first =
        std::find(target_.tags.begin(), target_.tags.end(), any_tag_in(target_.tags[tag].name()));
    const auto number = static_cast<std::size_t>(first - target_.tags.begin());
    return number != tag && tag_is_ours_[number];
  };
  std::vector<Task> reads;
  for (const std::vector<std::size_t>& tags : shares(unknown)) reads.push_back(look_at_tags(tags));
  co_await all(std::move(reads));
}

TargetRun::Task TargetRun::look_at_tags(std::vector<std::size_t> tags) {
  const std::vector<std::string> digests = co_await read_digests(tags);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    tag_is_ours_[tags[i]] = digests[i] == result_.digest;
  }
}

// Not being there is the normal case.
TargetRun::Task TargetRun::look_at_tag(std::size_t number) {
  const oci::Reference& tag = target_.tags[number];
  Request wanted = probe(tag, false);
  wanted.argv = manifest_command(plan_, tag);
  // Until the deadline, as sources are read.
  if (must_know_all_tags(target_)) wanted.policy.failures.attempts = 0;
  const Answer answer = co_await run(std::move(wanted));
  constexpr std::size_t requests = 3;  // to connect, to be told how to log in, to read
  note_request_time(answer, tag.host, requests);
  if (!answer.ok() && !answer.absent()) cannot_read_tag(number, answer);
  looks_[number] = look_of(answer);
}

TargetRun::Look TargetRun::look_of(const Answer& answer) {
  if (!answer.ok()) return {.digest = {}, .bytes = {}, .is_known = answer.absent()};
  return {.digest = oci::digest_of(answer.output), .bytes = answer.output, .is_known = true};
}

}  // namespace retry_exec::publish
