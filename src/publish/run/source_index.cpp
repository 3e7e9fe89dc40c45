// A source that is an index: all that it lists is read, to the bottom, for what is not there nobody
// can pull.
#include "publish/oci/sha256.hpp"
#include "publish/run/target_run.hpp"

#include <retry_exec/counted.hpp>

#include <algorithm>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

constexpr std::size_t deepest = 8;  // indexes in indexes

bool is_for_a_platform(const oci::Descriptor& entry) {
  return oci::is_image(entry) && entry.platform;
}

bool is_not_an_image(const oci::Descriptor& entry) {
  return !oci::is_image(entry) && !oci::holds_images(entry);
}

}  // namespace

// What buildx makes of one image and its attestations, or an index of several platforms.
TargetRun::Task TargetRun::read_index(std::size_t number) {
  Image& image = images_[number];
  auto index = co_await fetch_index(image.reference);
  if (!index) co_return;
  image.bytes = std::move(*index);
  auto contents = oci::parse_index(image.bytes);
  if (contents && target_.flatten) {
    std::erase_if(contents->manifests, is_not_an_image);
    if (std::any_of(contents->manifests.begin(), contents->manifests.end(),
                    [](const oci::Descriptor& entry) { return oci::is_index(entry.media_type); })) {
      fail(StopReason::permanent, "source " + to_string(image.reference) +
                                      " lists another index, whose images 'flatten' does not take");
      co_return;
    }
  }
  const auto may_hold_one = [](const oci::Descriptor& entry) {
    return is_for_a_platform(entry) || oci::is_index(entry.media_type);
  };
  if (contents &&
      std::any_of(contents->manifests.begin(), contents->manifests.end(), may_hold_one)) {
    image.children = std::move(contents->manifests);
    co_await read_entries(image.reference, image.children, 1);
  }
  const std::vector<oci::Descriptor> all = at_any_depth(image.children);
  if (std::none_of(all.begin(), all.end(), is_for_a_platform)) {
    fail(StopReason::permanent,
         "source " + to_string(image.reference) + " is an index without an image of any platform");
  }
}

// Its bytes; nothing where the target has failed.
asio::awaitable<std::optional<std::string>> TargetRun::fetch_index(oci::Reference reference) {
  auto bytes = co_await read_needed(reference, manifest_command(plan_, reference),
                                    "source " + to_string(reference));
  if (bytes && oci::digest_of(*bytes) != reference.digest) {
    fail(StopReason::permanent, "the answer for source " + to_string(reference) +
                                    " is not it: it has " + oci::digest_of(*bytes));
    bytes.reset();
  }
  co_return bytes;
}

TargetRun::Task TargetRun::read_entries(oci::Reference repository,
                                        std::vector<oci::Descriptor>& entries, std::size_t depth) {
  std::vector<oci::Reference> references;  // the reads begin when this loop is over
  for (const oci::Descriptor& entry : entries) {
    references.push_back(by_digest(repository, entry.digest));
  }
  std::vector<Task> reads;
  for (std::size_t i = 0; i < references.size(); ++i) {
    oci::Descriptor& entry = entries[i];
    if (oci::is_index(entry.media_type)) {
      reads.push_back(read_inner_index(references[i], entry, depth));
      continue;
    }
    reads.push_back(await_digest(references[i], entry.size,
                                 is_for_a_platform(entry) ? With::config : With::nothing));
    if (target_.only_newer && is_for_a_platform(entry)) {
      reads.push_back(read_config(references[i], entry.platform));
    }
  }
  co_await all(std::move(reads));
}

TargetRun::Task TargetRun::read_inner_index(oci::Reference reference, oci::Descriptor& entry,
                                            std::size_t depth) {
  if (depth == deepest) {
    fail(StopReason::permanent, to_string(reference) + " is an index that is more than " +
                                    std::to_string(deepest) + " deep in others");
    co_return;
  }
  const auto bytes = co_await fetch_index(reference);
  if (!bytes) co_return;
  seen_.emplace(to_string(reference), bytes->size());
  check_size(to_string(reference), entry.size);
  auto contents = oci::parse_index(*bytes);
  if (!contents) {
    fail(StopReason::permanent, to_string(reference) + ": " + contents.error().what);
    co_return;
  }
  for (const oci::Descriptor& below : contents->manifests) below_.push_back({below, reference});
  co_await read_entries(reference, contents->manifests, depth + 1);
}

// Waits until it is readable, an image with its config, unless it has been read before.
TargetRun::Task TargetRun::await_digest(oci::Reference reference, std::optional<std::uint64_t> size,
                                        With with) {
  const std::string name = to_string(reference);
  if (!seen_.contains(name)) {
    Request wanted = probe(reference, true);
    if (with == With::config) {
      wanted.argv = describe_command(plan_, reference, {reference.digest});
    }
    const Answer answer = co_await run(std::move(wanted));
    if (!answer.ok()) {
      fail(answer, name + " could not be read");
      co_return;
    }
    note_lag(reference, answer);
    seen_.emplace(name, size_in(answer.output, with));
  }
  if (size) check_size(name, *size);
}

// Of the manifest that an answer is about.
std::optional<std::uint64_t> TargetRun::size_in(const std::string& output, With with) {
  if (with == With::nothing) {
    const auto there = oci::parse_descriptor(output);
    return there ? std::optional(there->size) : std::nullopt;
  }
  const auto described = oci::parse_index(output);
  if (!described || described->manifests.size() != 1) return std::nullopt;
  return described->manifests.front().size;
}

void TargetRun::check_size(const std::string& name, std::uint64_t said) {
  const std::optional<std::uint64_t> found = seen_.at(name);
  if (!found || *found == said) return;
  fail(StopReason::permanent, name + " has " + text::counted(*found, "byte") +
                                  ", and the index that lists it says " + std::to_string(said) +
                                  ": clients would refuse it");
}

}  // namespace retry_exec::publish
