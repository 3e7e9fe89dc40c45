// Waiting for the sources: every manifest readable, and its config as well.
#include "publish/index.hpp"
#include "publish/target_run.hpp"

#include <algorithm>
#include <tuple>

namespace retry_exec::publish {

TargetRun::Task TargetRun::preflight() {
  images_.resize(target_.sources.size());
  std::vector<Task> probes;
  for (std::size_t i = 0; i < images_.size(); ++i) probes.push_back(probe_source(i));
  co_await all(std::move(probes));
  if (!failed()) order_images();
}

TargetRun::Task TargetRun::probe_source(std::size_t number) {
  const Reference& reference = target_.sources[number].reference;
  Request wanted = probe(reference, true);
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) {
    fail(answer, "source " + to_string(reference) + " could not be read");
    co_return;
  }
  note_lag(reference, answer);
  auto descriptor = parse_descriptor(answer.output);
  if (!descriptor || descriptor->digest != reference.digest) {
    fail(StopReason::permanent, "the answer for source " + to_string(reference) +
                                    " is no descriptor of it: " + answer.output.substr(0, 200));
    co_return;
  }
  images_[number].reference = reference;
  images_[number].descriptor = *std::move(descriptor);
  const std::string& type = images_[number].descriptor.media_type;
  if (is_image_manifest(type)) {
    co_await read_platform(number);
  } else if (is_index(type) && target_.flatten) {
    co_await flatten(number);
  } else if (is_index(type)) {
    fail(
        StopReason::permanent,
        "source " + to_string(reference) +
            " is itself an index (built with provenance or for several platforms?), which would be "
            "nested; set 'flatten: true' to take its images, or build with --provenance=false");
  } else {
    fail(StopReason::permanent,
         "source " + to_string(reference) + " is no image: its media type is '" + type + "'");
  }
}

// Reads the config too, which creating the index will: it may lag behind its manifest.
TargetRun::Task TargetRun::read_platform(std::size_t number) {
  Image& image = images_[number];
  Request wanted = probe(image.reference, true);
  wanted.argv = config_command(plan_, image.reference);
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) {
    fail(answer, "the config of source " + to_string(image.reference) + " could not be read");
    co_return;
  }
  note_lag(image.reference, answer);
  const auto platform = parse_config_platform(answer.output);
  if (!platform) {
    fail(StopReason::permanent,
         "source " + to_string(image.reference) + ": " + platform.error().what);
    co_return;
  }
  image.descriptor.platform = *platform;
  image.children = {image.descriptor};
}

TargetRun::Task TargetRun::flatten(std::size_t number) {
  Image& image = images_[number];
  Request wanted = probe(image.reference, true);
  wanted.argv = manifest_command(plan_, image.reference);
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) {
    fail(answer, "source " + to_string(image.reference) + " could not be read");
    co_return;
  }
  auto children = parse_index_images(answer.output);
  const bool complete =
      children && !children->empty() &&
      std::all_of(children->begin(), children->end(), [](const Descriptor& child) {
        return child.platform && is_image_manifest(child.media_type);
      });
  if (!complete) {
    fail(StopReason::permanent, "source " + to_string(image.reference) +
                                    " is an index without images, or with some of no platform");
    co_return;
  }
  image.children = *std::move(children);
  for (Descriptor& child : image.children) {
    co_await await_digest(by_digest(image.reference, child.digest));
  }
}

// The same images in the same order each time, whatever the order of the metadata files.
void TargetRun::order_images() {
  for (const Image& image : images_) {
    manifests_.insert(manifests_.end(), image.children.begin(), image.children.end());
  }
  std::stable_sort(manifests_.begin(), manifests_.end(),
                   [](const Descriptor& one, const Descriptor& other) {
                     return std::tuple(to_string(*one.platform), one.digest) <
                            std::tuple(to_string(*other.platform), other.digest);
                   });
  const auto twice = std::adjacent_find(manifests_.begin(), manifests_.end(),
                                        [](const Descriptor& one, const Descriptor& other) {
                                          return one.platform == other.platform;
                                        });
  if (twice != manifests_.end()) {
    fail(StopReason::permanent, "two sources are for " + to_string(*twice->platform) + ": " +
                                    twice->digest + " and " + std::next(twice)->digest);
  }
}

}  // namespace retry_exec::publish
