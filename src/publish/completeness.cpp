// Complete, or not at all: whether all is there that must be, and whether a tag would lose
// something, or go back in time.
#include "publish/json.hpp"
#include "publish/target_run.hpp"

#include <algorithm>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

constexpr std::string_view created_key = "org.opencontainers.image.created";

std::string names_of(const std::vector<Platform>& platforms) {
  std::string names;
  for (const Platform& platform : platforms) {
    names += (names.empty() ? "" : ", ") + to_string(platform);
  }
  return names;
}

// The wanted ones that are not there.
std::vector<Platform> missing_in(const std::vector<Platform>& there,
                                 const std::vector<Platform>& wanted) {
  std::vector<Platform> missing;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(missing),
               [&](const Platform& platform) {
                 return std::none_of(there.begin(), there.end(),
                                     [&](const Platform& found) { return fits(platform, found); });
               });
  return missing;
}

// A version of Windows without its revision, which every update changes: "10.0.20348".
Platform without_revision(Platform platform) {
  std::size_t dots = 0;
  const auto third = std::find_if(platform.os_version.begin(), platform.os_version.end(),
                                  [&](char c) { return c == '.' && ++dots == 3; });
  platform.os_version.erase(third, platform.os_version.end());
  return platform;
}

std::vector<Platform> images_in(const std::vector<Descriptor>& manifests) {
  std::vector<Platform> platforms;
  for (const Descriptor& manifest : manifests) {
    if (is_attestation(manifest) || !manifest.platform || !manifest.artifact_type.empty()) continue;
    platforms.push_back(*manifest.platform);
  }
  return platforms;
}

std::optional<Date> created_in(const Annotations& annotations) {
  for (const auto& [key, value] : annotations) {
    if (key == created_key) return parse_date(value);
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

// What can be told before anything is read.
void TargetRun::check_sources_known() {
  if (target_.sources.empty()) {
    lacks("no source of it was found in " + target_.looked_in);
    result_.left_out = !failed();
    return;
  }
  for (const std::string& remark : target_.remarks) lacks(remark);
  std::vector<Platform> there;
  for (const Source& source : target_.sources) {
    if (!source.platform) return;
    there.push_back(*source.platform);
  }
  const std::vector<Platform> missing = missing_in(there, target_.platforms);
  if (!missing.empty() && !target_.allow_incomplete) {
    lacks(names_of(missing) + " is not among the sources in " + target_.looked_in);
  }
}

void TargetRun::check_platforms() {
  std::vector<Descriptor> manifests;
  for (const Child& child : children_) manifests.push_back(child.descriptor);
  const std::vector<Platform> missing = missing_in(images_in(manifests), target_.platforms);
  if (missing.empty()) return;
  lacks(names_of(missing) + " is not among the sources in " + target_.looked_in);
}

// Before anything is written: what a tag holds and would lose, and what is newer than ours.
TargetRun::Task TargetRun::guard_tag(std::size_t number) {
  const Look& look = looks_[number];
  const std::string tag = to_string(target_.tags[number]);
  const bool unsaid = target_.platforms.empty();
  if (look.digest.empty() || look.digest == result_.index || failed()) co_return;
  if (target_.only_newer) {
    const std::optional<Date> theirs = co_await created_at(number);
    if (failed()) co_return;
    const std::optional<Date> ours =
        created_in(target_.annotations) ? created_in(target_.annotations) : created_;
    result_.tags[number].newer = !ours || *theirs > *ours;
    if (result_.tags[number].newer) {
      note(tag + " is left alone: the image there was created later");
      co_return;
    }
  }
  if (!unsaid) co_return;
  std::vector<Platform> held = co_await platforms_at(number);
  if (failed()) co_return;
  std::transform(held.begin(), held.end(), held.begin(), without_revision);
  std::vector<Descriptor> ours;
  for (const Child& child : children_) ours.push_back(child.descriptor);
  std::vector<Platform> there = images_in(ours);
  std::transform(there.begin(), there.end(), there.begin(), without_revision);
  const std::vector<Platform> missing = missing_in(there, held);
  if (missing.empty()) co_return;
  lacks("tag " + tag + " holds " + names_of(missing) +
        " too, and no source is for it; if it is no longer wanted, list the others under "
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

asio::awaitable<std::vector<Platform>> TargetRun::platforms_at(std::size_t number) {
  const auto index = parse_index(looks_[number].bytes);
  if (index && (!index->manifests.empty() || is_index(index->media_type))) {
    co_return images_in(index->manifests);
  }
  Request wanted = probe(target_.tags[number], false);
  wanted.argv = config_command(plan_, target_.tags[number]);
  const Answer answer = co_await run(std::move(wanted));
  // An image whose config is not there, or not there yet, is of no platform that could be lost.
  if (!answer.ok() && !answer.absent()) cannot_read_tag(number, answer);
  const auto platform = parse_config_platform(answer.ok() ? answer.output : "");
  co_return platform ? std::vector{*platform} : std::vector<Platform>();
}

// The index says it, or the config of an image does: all of one index are of about one time.
// Without a date the target fails: unknown is not older.
asio::awaitable<std::optional<Date>> TargetRun::created_at(std::size_t number) {
  Reference image = target_.tags[number];
  if (const auto index = parse_index(looks_[number].bytes)) {
    if (const auto created = created_in(index->annotations)) co_return created;
    for (const Descriptor& manifest : index->manifests) {
      if (is_attestation(manifest) || !is_image_manifest(manifest.media_type)) continue;
      image = by_digest(image, manifest.digest);
      break;
    }
  }
  Request wanted = probe(image, false);
  wanted.argv = config_command(plan_, image);
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) {
    cannot_read_tag(number, answer);
    co_return std::nullopt;
  }
  const auto config = parse_object(answer.output);
  const auto created = config ? parse_date(text_of(*config, "created")) : std::nullopt;
  if (!created) {
    fail(StopReason::permanent, "the image at tag " + to_string(target_.tags[number]) +
                                    " does not say when it was created, so 'only-newer' cannot be "
                                    "decided; publish once without it");
  }
  co_return created;
}

}  // namespace retry_exec::publish
