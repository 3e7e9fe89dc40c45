// registry → OCI layout in the scratch folder → soci → registry.
#include "publish/oci/index.hpp"
#include "publish/oci/layout.hpp"
#include "publish/oci/sha256.hpp"
#include "publish/run/target_run.hpp"

#include <algorithm>
#include <iterator>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

// Runs when the scope is left, by whatever way.
class AtEnd {
 public:
  explicit AtEnd(std::function<void()> work) : work_(std::move(work)) {}
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;
  ~AtEnd() { work_(); }

 private:
  std::function<void()> work_;
};

}  // namespace

// Named by what goes into the conversion, which is deterministic: nothing else is ever at this tag.
oci::Reference TargetRun::soci_tag() const {
  std::string options;
  for (const std::string& word : convert_command(plan_, target_.soci, "", "")) {
    options += word;
    options += '\0';
  }
  constexpr std::size_t algorithm = 7;  // "sha256:"
  constexpr std::size_t digits = 8;
  const std::string suffix = "-soci-" + oci::digest_of(options).substr(algorithm, digits);
  return by_tag(target_.staging, oci::staging_tag(target_.name, result_.index, suffix));
}

TargetRun::Task TargetRun::soci() {
  const bool there = co_await soci_is_there();
  if (there) {
    note("it was there already");
  } else if (!failed()) {
    co_await await_digest(by_digest(target_.staging, result_.index));
    if (!failed()) co_await convert();
  }
}

// A run that was cut short, or this very plan, may have made it.
asio::awaitable<bool> TargetRun::soci_is_there() {
  Request wanted = probe(soci_tag(), false);
  const Answer answer = co_await run(std::move(wanted));
  if (answer.run.reason == StopReason::interrupted || answer.run.reason == StopReason::deadline) {
    fail(answer, "the SOCI image could not be made");
  }
  if (!answer.ok()) co_return false;
  soci_was_there_ = true;
  const auto descriptor = oci::parse_descriptor(answer.output);
  if (!descriptor || !oci::is_index(descriptor->media_type)) co_return false;
  Request reading = probe(by_digest(target_.staging, descriptor->digest), true);
  reading.argv = manifest_command(plan_, by_digest(target_.staging, descriptor->digest));
  const Answer read = co_await run(std::move(reading));
  if (!read.ok() || oci::digest_of(read.output) != descriptor->digest) {
    fail(read, "the SOCI image that is there already could not be read");
    co_return false;
  }
  // Something else may have been put there since.
  if (!lost_in(read.output).empty()) co_return false;
  const bool ours =
      co_await is_made_of_ours(read.output) && co_await lists_what_is_there(read.output);
  if (failed() || !ours) co_return false;
  take_converted(read.output, descriptor->media_type);
  co_return true;
}

// A registry may have cleaned up below the tag.
asio::awaitable<bool> TargetRun::lists_what_is_there(std::string index) {
  std::vector<std::string> digests;
  const auto contents = oci::parse_index(index);
  if (!contents) co_return false;
  for (const oci::Descriptor& entry : contents->manifests) digests.push_back(entry.digest);
  const Answer answer = co_await find_whole(soci_tag(), std::move(digests));
  if (!answer.ok() && !answer.absent()) {
    fail(answer, "the SOCI image that is there already could not be read");
  } else if (!answer.ok()) {
    note("not all that " + to_string(soci_tag()) + " lists is there, and it is made again");
  }
  co_return answer.ok();
}

// Whether its images are those that would be converted, and no others: soci adds an annotation to
// the manifest of each, and leaves the config and the layers alone.
asio::awaitable<bool> TargetRun::is_made_of_ours(std::string index) {
  const auto contents = oci::parse_index(index);
  if (!contents) co_return false;
  bool same = true;
  std::vector<Task> comparisons;
  for (const oci::Descriptor& image : contents->manifests) {
    if (!oci::is_image(image)) continue;  // of soci
    const oci::Child* const ours = image_for(image);
    if (ours == nullptr) co_return false;
    if (ours->descriptor.digest == image.digest) continue;
    comparisons.push_back(compare_content(by_digest(target_.staging, image.digest),
                                          by_digest(ours->from, ours->descriptor.digest), same));
  }
  co_await all(std::move(comparisons));
  co_return same;
}

// Of ours, the one for its platform; null where there is none.
const oci::Child* TargetRun::image_for(const oci::Descriptor& converted) const {
  const auto ours = std::find_if(children_.begin(), children_.end(), [&](const oci::Child& child) {
    return oci::is_image(child.descriptor) && converted.platform && child.descriptor.platform &&
           oci::is_same(*converted.platform, *child.descriptor.platform);
  });
  return ours == children_.end() ? nullptr : &*ours;
}

TargetRun::Task TargetRun::compare_content(oci::Reference theirs, oci::Reference ours, bool& same) {
  Request wanted = probe(theirs, false);
  wanted.argv = manifest_command(plan_, theirs);
  const Answer there = co_await run(std::move(wanted));
  if (!there.ok() && !there.absent()) {
    fail(there, "manifest " + to_string(theirs) + " could not be read");
  }
  same = same && there.ok();
  if (!same) co_return;
  Request source = probe(ours, true);
  source.argv = manifest_command(plan_, ours);
  const Answer meant = co_await run(std::move(source));
  if (!meant.ok()) fail(meant, "manifest " + to_string(ours) + " could not be read");
  if (failed()) co_return;
  const auto one = oci::image_content(there.output);
  const auto other = oci::image_content(meant.output);
  same = same && one && other && *one == *other;
}

// What our index and its entries say of themselves, which soci leaves out.
oci::IndexContents TargetRun::with_annotations(oci::IndexContents converted) const {
  const auto ours = oci::parse_index(root_.bytes);
  if (ours) converted.annotations = oci::joined(ours->annotations, converted.annotations);
  for (oci::Descriptor& entry : converted.manifests) {
    const oci::Child* const image = oci::is_image(entry) ? image_for(entry) : nullptr;
    if (image == nullptr) continue;
    entry.annotations = oci::joined(std::move(entry.annotations), image->descriptor.annotations);
  }
  return converted;
}

// From here on this is what is published, with what we say of it. Where that is nothing, it is the
// index of soci itself.
void TargetRun::take_converted(const std::string& index, const std::string& media_type) {
  const auto contents = oci::parse_index(index);
  if (!contents) return fail(StopReason::permanent, "the SOCI image: " + contents.error().what);
  const oci::IndexContents whole = with_annotations(*contents);
  const std::string ours = oci::index_json(whole.manifests, whole.annotations);
  const bool adds = ours != oci::index_json(contents->manifests, contents->annotations);
  root_ = adds ? Root{ours, std::string(oci::oci_index)} : Root{index, media_type};
  root_file_.clear();
  converted_ = oci::digest_of(index);
  result_.digest = oci::digest_of(root_.bytes);
  known_manifests_.insert({converted_, result_.digest});
  children_.clear();
  for (const oci::Descriptor& manifest : whole.manifests) {
    children_.push_back({manifest, target_.staging});
    known_manifests_.insert(manifest.digest);
  }
}

TargetRun::Task TargetRun::convert() {
  std::uint64_t bytes = 0;
  std::vector<Task> sizes;
  for (std::size_t i = 0; i < children_.size(); ++i) sizes.push_back(measure(i, bytes));
  co_await all(std::move(sizes));
  if (failed()) co_return;
  // The layout, soci's copy of it, its unpacked layers, and what it makes of them.
  constexpr std::uint64_t copies = 4;
  const std::uint64_t needed = copies * bytes;
  if (const Result<void> opened = shared_.scratch.open(); !opened) {
    fail(StopReason::permanent, opened.error().what);
    co_return;
  }
  const TimePoint asked = shared_.seams.now();
  const Result<void> reserved = co_await shared_.scratch.reserve(needed);
  if (!reserved) {
    fail(StopReason::permanent, reserved.error().what);
    co_return;
  }
  phase_deadline_ = deadline_after_wait(phase_deadline_, asked);
  const AtEnd give_back([&] { shared_.scratch.release(needed); });
  const std::string name = std::to_string(number_);
  const Result<std::string> made = shared_.scratch.make_folder(name);
  if (!made) {
    fail(StopReason::permanent, made.error().what);
    co_return;
  }
  const AtEnd remove([&] { shared_.scratch.remove_folder(name); });
  co_await pull_and_convert(*made);
}

TargetRun::Task TargetRun::measure(std::size_t number, std::uint64_t& bytes) {
  const oci::Reference reference = by_digest(target_.staging, children_[number].descriptor.digest);
  Request wanted = probe(reference, true);
  wanted.argv = manifest_command(plan_, reference);
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) {
    fail(answer, "manifest " + to_string(reference) + " could not be read");
    co_return;
  }
  if (const auto size = oci::image_size(answer.output)) bytes += *size;
}

TargetRun::Task TargetRun::pull_and_convert(const std::string& folder) {
  const std::string layout = folder + "/image";
  const std::string output = folder + "/soci";
  const oci::Reference image = by_digest(target_.staging, result_.index);
  Request pull = request(to_string(image), pull_command(plan_, image, layout), {image.host});
  pull.missing = [this](const Verdict& verdict) {
    return missing(verdict, target_.staging, target_.staging);
  };
  const Answer pulled = co_await run(std::move(pull));
  if (!pulled.ok()) {
    fail(pulled, "the image could not be pulled");
    co_return;
  }
  if (const auto reduced = shared_.scratch.reduce_to_root(layout, result_.index); !reduced) {
    fail(StopReason::permanent, to_string(reduced.error()));
    co_return;
  }
  Request conversion =
      request(to_string(image), convert_command(plan_, target_.soci, layout, output), {});
  conversion.environment = {{"TMPDIR", folder}};  // so that what a kill leaves is found
  conversion.absent_is_final = true;              // all that it reads is here, or never will be
  const Answer converted = co_await run(std::move(conversion));
  if (!converted.ok()) {
    if (converted.is_by(nothing_to_index_rule) && !target_.soci.fail_on_empty) {
      note("no layer is worth indexing: the image is published as it is");
      take_back_what_was_left_out();
    } else {
      fail(converted, "the image could not be converted");
    }
    co_return;
  }
  co_await push_converted(output);
}

// Soci has made no other images, so that what belongs to these goes with them.
void TargetRun::take_back_what_was_left_out() {
  if (left_out_.empty()) return;
  std::move(left_out_.begin(), left_out_.end(), std::back_inserter(children_));
  left_out_.clear();
  children_ = oci::in_order(std::move(children_));
  make_index();
  root_file_.clear();  // what it holds was staged
  note("what was left out for soci is in it again");
}

TargetRun::Task TargetRun::push_converted(const std::string& layout) {
  const Result<std::string> index = shared_.scratch.converted_index(layout);
  if (!index) {
    fail(StopReason::permanent, to_string(index.error()));
    co_return;
  }
  if (const std::string lost = lost_in(*index); !lost.empty()) {
    fail(StopReason::permanent, "soci has left out " + lost);
    co_return;
  }
  take_converted(*index, std::string(oci::oci_index));
  // Below an index that is there, oras pushes nothing.
  if (soci_was_there_) co_await push_entries(layout);
  if (failed()) co_return;
  const oci::Reference staging = soci_tag();
  Request push =
      request(to_string(staging), push_command(plan_, layout, converted_, staging), {staging.host});
  push.missing = [this](const Verdict& verdict) {
    return missing(verdict, target_.staging, target_.staging);
  };
  const Answer pushed = co_await run(std::move(push));
  if (!pushed.ok()) {
    fail(pushed, "the SOCI image could not be pushed");
  }
}

TargetRun::Task TargetRun::push_entries(const std::string& layout) {
  if (const auto named = shared_.scratch.name_entries(layout); !named) {
    fail(StopReason::permanent, to_string(named.error()));
    co_return;
  }
  for (const oci::Child& child : children_) {
    const oci::Reference place = by_digest(target_.staging, child.descriptor.digest);
    Request push =
        request(to_string(place), push_command(plan_, layout, place.digest, place), {place.host});
    push.done = [digest = place.digest](const Attempt& failed, const Verdict& verdict) {
      return was_put(failed, verdict, digest);
    };
    const Answer pushed = co_await run(std::move(push));
    if (!pushed.ok()) {
      fail(pushed, "the SOCI image could not be pushed");
      co_return;
    }
  }
}

}  // namespace retry_exec::publish
