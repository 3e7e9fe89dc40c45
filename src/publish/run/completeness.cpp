// Complete, or not at all: whether all is there that must be, and whether a tag would lose
// something, or go back in time.
#include "publish/oci/platform.hpp"
#include "publish/oci/sha256.hpp"
#include "publish/run/target_run.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

constexpr std::string_view created_key = "org.opencontainers.image.created";

std::string names_of(const std::vector<oci::Platform>& platforms) {
  std::string names;
  for (const oci::Platform& platform : platforms) text::append_to(names, to_string(platform));
  return names;
}

// The wanted ones that are not there.
std::vector<oci::Platform> missing_in(const std::vector<oci::Platform>& there,
                                      const std::vector<oci::Platform>& wanted) {
  std::vector<oci::Platform> missing;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(missing),
               [&](const oci::Platform& platform) {
                 return std::none_of(there.begin(), there.end(), [&](const oci::Platform& found) {
                   return oci::fits(platform, found);
                 });
               });
  return missing;
}

std::vector<oci::Platform> images_in(const std::vector<oci::Descriptor>& manifests) {
  std::vector<oci::Platform> platforms;
  for (const oci::Descriptor& manifest : manifests) {
    if (oci::is_image(manifest) && manifest.platform) platforms.push_back(*manifest.platform);
  }
  return platforms;
}

std::optional<oci::Date> created_in(const oci::Annotations& annotations) {
  for (const auto& [key, value] : annotations) {
    if (key == created_key) return oci::parse_date(value);
  }
  return std::nullopt;
}

}  // namespace

void TargetRun::lacks(const std::string& what) {
  if (target_.allow_incomplete) {
    note("incomplete, which is allowed: " + what);
  } else {
    fail(StopReason::permanent, "incomplete: " + what);
  }
}

// These entries, with those of the indexes among them in place of the indexes, which have been read
// to the bottom: what can be pulled of an index are the images at any depth.
std::vector<oci::Descriptor> TargetRun::at_any_depth(
    const std::vector<oci::Descriptor>& manifests) const {
  std::set<std::string> indexes;
  std::vector<oci::Descriptor> found;
  const auto add = [&](const oci::Descriptor& entry) {
    if (oci::holds_images(entry)) {
      indexes.insert(entry.digest);
      return;
    }
    // Several sources may list one index.
    const auto same = [&](const oci::Descriptor& other) {
      return other.digest == entry.digest && other.platform == entry.platform &&
             (!oci::is_attestation(entry) || other.annotations == entry.annotations);
    };
    if (std::none_of(found.begin(), found.end(), same)) found.push_back(entry);
  };
  std::for_each(manifests.begin(), manifests.end(), add);
  for (const oci::Child& child : below_) {
    if (indexes.contains(child.from.digest)) add(child.descriptor);
  }
  return found;
}

// By what is published.
std::vector<oci::Descriptor> TargetRun::listed() const {
  std::vector<oci::Descriptor> manifests;
  for (const oci::Child& child : children_) manifests.push_back(child.descriptor);
  return at_any_depth(manifests);
}

// Of the images that are published.
std::vector<oci::Platform> TargetRun::platforms() const {
  return images_in(listed());
}

// A manifest of the media type of images may attest one, or be something else altogether: beside an
// image it is published, and without one there would be nothing to pull.
void TargetRun::check_any_image() {
  if (!platforms().empty()) return;
  std::string names;
  for (const Image& source : images_) text::append_to(names, to_string(source.reference));
  fail(StopReason::permanent, "no source is an image that can be run: " + names);
}

// Of two nobody could tell which one a client would run.
void TargetRun::check_one_image_a_platform() {
  std::vector<oci::Descriptor> entries = listed();
  std::erase_if(entries, [](const oci::Descriptor& entry) {
    return !entry.platform || !oci::is_image(entry);
  });
  for (auto one = entries.begin(); one != entries.end(); ++one) {
    const auto other = std::find_if(std::next(one), entries.end(), [&](const auto& entry) {
      return entry.digest != one->digest && oci::is_same(*entry.platform, *one->platform);
    });
    if (other == entries.end()) continue;
    fail(StopReason::permanent, "two sources are for " + to_string(*one->platform) + ": " +
                                    one->digest + " and " + other->digest);
    return;
  }
}

// The platforms of ours that another index has no image for.
std::string TargetRun::lost_in(const std::string& index) const {
  const auto contents = oci::parse_index(index);
  if (!contents) return names_of(platforms());
  return names_of(missing_in(images_in(at_any_depth(contents->manifests)), platforms()));
}

// What can be told before anything is read.
void TargetRun::check_sources_known() {
  // What the build would have said there, nobody knows; to be incomplete is something else.
  for (const std::string& what : target_.broken) fail(StopReason::permanent, what);
  if (failed()) return;
  if (target_.sources.empty()) {
    lacks("no source of it was found in " + target_.looked_in);
    result_.left_out = !failed();
    return;
  }
  for (const std::string& remark : target_.remarks) lacks(remark);
  std::vector<oci::Platform> there;
  for (const plan::Source& source : target_.sources) {
    if (!source.platform) return;
    there.push_back(*source.platform);
  }
  const std::vector<oci::Platform> missing = missing_in(there, target_.platforms);
  if (!missing.empty() && !target_.allow_incomplete) {
    lacks(names_of(missing) + " is not among the sources in " + target_.looked_in);
  }
}

void TargetRun::check_platforms() {
  const std::vector<oci::Platform> missing = missing_in(platforms(), target_.platforms);
  if (missing.empty()) return;
  lacks(names_of(missing) + " is not among the sources in " + target_.looked_in);
}

// What the index says goes before what its images do.
void TargetRun::take_date_of_index() {
  const auto index = oci::parse_index(root_.bytes);
  const auto created = index ? created_in(index->annotations) : std::nullopt;
  if (created) created_ = created;
}

// Also as it was before soci, or as soci made it.
bool TargetRun::is_ours(const std::string& digest) const {
  return digest == result_.index || digest == result_.digest || digest == converted_;
}

void TargetRun::leave_alone(std::size_t number) {
  note(to_string(target_.tags[number]) + " is left alone: the image there was created later");
}

// What soci makes is not known before it is made: what a tag holds may be just that, whatever its
// date.
void TargetRun::leave_newer_alone() {
  for (std::size_t i = 0; i < looks_.size(); ++i) {
    if (!result_.tags[i].newer) continue;
    result_.tags[i].newer = !is_ours(looks_[i].digest);
    if (result_.tags[i].newer) leave_alone(i);
  }
}

// Before anything is written: what a tag holds and would lose, and what is newer than ours.
TargetRun::Task TargetRun::guard_tag(std::size_t number) {
  const Look& look = looks_[number];
  const std::string tag = to_string(target_.tags[number]);
  const bool unsaid = target_.platforms.empty();
  if (look.digest.empty() || is_ours(look.digest) || failed()) co_return;
  if (target_.only_newer) {
    if (!created_) {
      fail(StopReason::permanent,
           "no source says when it was created, so 'only-newer' cannot be decided for tag " + tag);
      co_return;
    }
    const std::optional<oci::Date> theirs = co_await created_at(number);
    if (failed()) co_return;
    result_.tags[number].newer = *theirs > *created_;
    if (result_.tags[number].newer) {
      const bool may_be_ours = uses_soci() && phase_ == plan::Phase::preflight;
      if (!may_be_ours) leave_alone(number);
      co_return;
    }
  }
  if (!unsaid) co_return;
  std::vector<oci::Platform> held = co_await platforms_at(number);
  if (failed()) co_return;
  std::transform(held.begin(), held.end(), held.begin(), oci::without_revision);
  std::vector<oci::Platform> there = platforms();
  std::transform(there.begin(), there.end(), there.begin(), oci::without_revision);
  const std::vector<oci::Platform> missing = missing_in(there, held);
  if (missing.empty()) co_return;
  lacks("tag " + tag + " holds " + names_of(missing) +
        " too, which no source provides; if it is no longer wanted, list the others under "
        "'platforms'");
}

// What cannot be read is not nothing.
void TargetRun::cannot_read_tag(std::size_t number, const Answer& answer) {
  const std::string tag = to_string(target_.tags[number]);
  if (target_.only_newer) {
    fail(answer, "what is at tag " + tag + " could not be read, so 'only-newer' cannot be decided");
  } else if (!target_.platforms.empty()) {
    return;
  } else if (target_.allow_incomplete) {
    note("incomplete, which is allowed: what is at tag " + tag + " could not be read");
  } else {
    fail(answer, "what is at tag " + tag +
                     " could not be read, and nothing else says which platforms are meant; list "
                     "them under 'platforms'");
  }
}

// The images that a tag holds, those of indexes in its index too.
asio::awaitable<std::vector<TargetRun::Held>> TargetRun::images_at(std::size_t number) {
  constexpr std::size_t most_indexes = 100;
  const oci::Reference& tag = target_.tags[number];
  std::vector<std::string> indexes = {looks_[number].bytes};
  std::vector<Held> images;
  for (std::size_t i = 0; i < indexes.size() && !failed(); ++i) {
    const auto index = oci::parse_index(indexes[i]);
    const bool is_index = index && (!index->manifests.empty() || oci::is_index(index->media_type));
    if (!is_index && i == 0) images.push_back({tag, std::nullopt});
    if (!is_index) continue;
    for (const oci::Descriptor& entry : index->manifests) {
      const oci::Reference manifest = by_digest(tag, entry.digest);
      if (oci::is_image(entry)) images.push_back({manifest, entry.platform});
      if (!oci::holds_images(entry)) continue;
      if (indexes.size() == most_indexes) {
        fail(StopReason::permanent, "tag " + to_string(tag) + " holds more than " +
                                        std::to_string(most_indexes) + " indexes");
        break;
      }
      Answer answer = co_await read_what_a_tag_holds(
          number, manifest, manifest_command(plan_, manifest), to_string(manifest));
      if (answer.ok()) indexes.push_back(std::move(answer.output));
    }
  }
  co_return images;
}

asio::awaitable<std::vector<oci::Platform>> TargetRun::platforms_at(std::size_t number) {
  std::vector<oci::Platform> platforms;
  for (const Held& held : co_await images_at(number)) {
    if (held.platform) {
      platforms.push_back(*held.platform);
      continue;
    }
    const Answer answer = co_await config_at(number, held.image);
    const auto platform = oci::parse_config_platform(answer.ok() ? answer.output : "");
    if (platform) platforms.push_back(*platform);
  }
  co_return platforms;
}

asio::awaitable<Answer> TargetRun::config_at(std::size_t tag, oci::Reference image) {
  Arguments argv = config_command(plan_, image);
  std::string name = "the config of " + to_string(image);
  co_return co_await read_what_a_tag_holds(tag, std::move(image), std::move(argv), std::move(name));
}

// An image whose config stays away, however long it might lag, is of no platform that could be
// lost: nobody can run it.
asio::awaitable<Answer> TargetRun::read_what_a_tag_holds(std::size_t tag, oci::Reference manifest,
                                                         Arguments argv, std::string name) {
  using namespace std::chrono_literals;
  Request wanted = probe(manifest, true);
  wanted.argv = std::move(argv);
  wanted.deadline = std::min(phase_deadline_, shared_.seams.now() + 1min);
  Answer answer = co_await run(std::move(wanted));
  if (answer.absent()) {
    note(name + " is not there");
  } else if (!answer.ok()) {
    cannot_read_tag(tag, answer);
  }
  co_return answer;
}

// The index says it, or the configs of its images do: the newest, as with ours. Without a date the
// target fails: unknown is not older.
asio::awaitable<std::optional<oci::Date>> TargetRun::created_at(std::size_t number) {
  if (const auto index = oci::parse_index(looks_[number].bytes)) {
    if (const auto created = created_in(index->annotations)) co_return created;
  }
  std::optional<oci::Date> newest;
  for (const Held& held : co_await images_at(number)) {
    const Answer answer = co_await config_at(number, held.image);
    if (answer.ok()) newest = std::max(newest, oci::date_of_config(answer.output));
  }
  if (!newest) {
    fail(StopReason::permanent, "the image at tag " + to_string(target_.tags[number]) +
                                    " does not say when it was created, so 'only-newer' cannot be "
                                    "decided; publish once without it");
  }
  co_return newest;
}

TargetRun::Task TargetRun::look_again(std::size_t number, TimePoint deadline) {
  const bool decides = target_.only_newer || !target_.allow_incomplete;
  if (!decides && !looks_[number].is_known) co_return;  // as has been said
  const oci::Reference& tag = target_.tags[number];
  Request wanted = probe(tag, false);
  wanted.argv = manifest_command(plan_, tag);
  if (decides) wanted.policy.failures.attempts = 0;  // until the deadline
  wanted.deadline = deadline;
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok() && !answer.absent()) cannot_read_tag(number, answer);
  Look look = look_of(answer);
  if (!look.is_known || (looks_[number].is_known && look.digest == looks_[number].digest))
    co_return;
  looks_[number] = std::move(look);
  co_await guard_tag(number);
}

}  // namespace retry_exec::publish
