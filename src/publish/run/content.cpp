// To every destination by digest, so that nothing is disturbed before the tags move.
#include "publish/oci/index.hpp"
#include "publish/run/target_run.hpp"

#include <algorithm>

namespace retry_exec::publish {

namespace asio = boost::asio;
using namespace std::chrono_literals;

bool was_put(const Attempt& failed, const Verdict& verdict, const std::string& digest) {
  return verdict.class_name == "absent" && detail_of(verdict, missing_detail) == digest &&
         detail_of(verdict, registry_detail).empty() &&
         begins_to_put(failed.output.standard_output.text(), digest);
}

TargetRun::Task TargetRun::copy() {
  if (uses_soci()) leave_newer_alone();
  tag_is_ours_.resize(target_.tags.size());
  asked_.resize(target_.tags.size());
  for (std::size_t i = 0; i < looks_.size(); ++i) {
    tag_is_ours_[i] = looks_[i].digest == result_.digest;
  }
  co_await look_at_the_rest();
  for (std::size_t i = 0; i < looks_.size(); ++i) result_.tags[i].had_it = tag_is_ours_[i];
  if (failed()) co_return;
  const std::vector<std::string> repositories = destinations();
  const bool several = repositories.size() > 1;
  std::vector<Task> copies;
  for (const std::string& repository : repositories) {
    copies.push_back(copy_content(repository, several));
  }
  for (const oci::Reference& tag : target_.tags) {
    const std::string repository = tag.name();
    const bool moves_there =
        std::find(repositories.begin(), repositories.end(), repository) != repositories.end();
    if (!moves_there && tag == any_tag_in(repository)) copies.push_back(mend_content(repository));
  }
  co_await all(std::move(copies));
  if (!failed()) co_await check_before_turns(repositories);
  if (failed()) co_return;
  std::vector<Task> moves;
  for (const std::string& repository : repositories) moves.push_back(move_tags(repository));
  co_await all(std::move(moves));
  if (!failed()) note_tags_that_had_it();
}

// Where a tag is to move, in the order in which the tags name them.
std::vector<std::string> TargetRun::destinations() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    const std::string name = target_.tags[i].name();
    if (moves(i) && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  return names;
}

oci::Reference TargetRun::any_tag_in(const std::string& repository) const {
  return *std::find_if(target_.tags.begin(), target_.tags.end(),
                       [&](const oci::Reference& tag) { return tag.name() == repository; });
}

// What the index lists, and the index itself where a tag elsewhere must not move before it is here.
// oras looks no further below a manifest that is there already, so each image goes by itself, and
// an index of the index after what it lists.
TargetRun::Task TargetRun::copy_content(std::string repository, bool with_root) {
  const oci::Reference place = any_tag_in(repository);
  std::vector<oci::Child> indexes;
  std::vector<Task> copies;
  std::set<std::string> digests;  // one may be listed for several platforms
  const auto add = [&](const oci::Child& child) {
    const bool fresh = digests.insert(child.descriptor.digest).second;
    if (child.from.name() == repository || !fresh) return;
    if (oci::is_index(child.descriptor.media_type)) {
      indexes.push_back(child);
    } else {
      copies.push_back(copy_child(child, place));
    }
  };
  std::for_each(children_.begin(), children_.end(), add);
  std::for_each(below_.begin(), below_.end(), add);
  co_await all(std::move(copies));
  for (auto index = indexes.rbegin(); index != indexes.rend() && !failed(); ++index) {
    co_await copy_child(*index, place);
  }
  if (failed() || !with_root) co_return;
  const oci::Reference root = by_digest(place, result_.digest);
  const Answer answer = co_await put_root(root, {}, phase_deadline_);
  if (!answer.ok()) fail(answer, "the copy to " + repository + " failed");
}

// A tag that has it says nothing of what it lists: a registry may have cleaned that up since, or
// never have kept it.
TargetRun::Task TargetRun::mend_content(std::string repository) {
  std::set<std::string> digests;
  for (const std::vector<oci::Child>* list : {&children_, &below_}) {
    for (const oci::Child& child : *list) {
      if (child.from.name() != repository) digests.insert(child.descriptor.digest);
    }
  }
  bool ours = false;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    ours = ours || (tag_is_ours_[i] && target_.tags[i].name() == repository);
  }
  if (digests.empty() || !ours) co_return;
  const oci::Reference place = any_tag_in(repository);
  const std::vector<std::string> all_digests(digests.begin(), digests.end());
  const Answer answer = co_await find_all(probe(place, false), place, all_digests);
  if (answer.ok() || failed()) co_return;
  const std::string what = "what the tags in " + repository + " list";
  if (!answer.absent()) co_return fail(answer, what + " could not be read");
  note("not all that the tags in " + repository + " list was there, and it is copied again");
  co_await copy_content(repository, false);
  if (!failed()) co_await check_whole(place, all_digests, what);
}

// What was there before is not copied again, though its config may be gone.
TargetRun::Task TargetRun::check_whole(oci::Reference place, std::vector<std::string> digests,
                                       std::string what) {
  const Answer answer = co_await find_whole(std::move(place), digests);
  if (answer.ok()) co_return;
  if (!answer.absent()) co_return fail(answer, what + " could not be read");
  const std::string_view missing = detail_of(*answer.run.verdict, missing_detail);
  if (std::find(digests.begin(), digests.end(), missing) != digests.end()) {
    co_return fail(answer, what + " is not there, although the copy succeeded");
  }
  fail(answer, what +
                   " is there, but not all that it needs; where the manifest is deleted, the next "
                   "run copies it whole");
}

// Manifests and their configs. What is missing may only lag, for a while; a registry that throttles
// or fails has as long as the phase.
asio::awaitable<Answer> TargetRun::find_whole(oci::Reference place,
                                              std::vector<std::string> digests) {
  Request wanted = probe(place, true);
  wanted.deadline = std::min(phase_deadline_, shared_.seams.now() + 1min);
  Answer answer = co_await find_all(wanted, place, digests);
  if (answer.ok() || answer.absent() || shared_.seams.now() >= phase_deadline_) co_return answer;
  wanted.deadline = phase_deadline_;
  co_return co_await find_all(std::move(wanted), std::move(place), std::move(digests));
}

// Images and indexes with what oras reads of them in one command; it refuses to list anything else,
// which is looked for by itself.
asio::awaitable<Answer> TargetRun::find_all(Request wanted, oci::Reference place,
                                            std::vector<std::string> digests) {
  const auto others =
      std::stable_partition(digests.begin(), digests.end(),
                            [this](const std::string& digest) { return is_described(digest); });
  std::vector<std::string> described(digests.begin(), others);
  Answer answer;
  if (!described.empty()) {
    wanted.argv = describe_command(plan_, place, described);
    answer = co_await run(wanted);
  }
  for (auto other = others; other != digests.end() && answer.ok(); ++other) {
    wanted.argv = probe_command(plan_, by_digest(place, *other));
    answer = co_await run(wanted);
  }
  co_return answer;
}

// Whether oras takes it into an index; what is not known here, soci has made.
bool TargetRun::is_described(const std::string& digest) const {
  const auto is_other = [&](const oci::Child& child) {
    const std::string& type = child.descriptor.media_type;
    return child.descriptor.digest == digest && !oci::is_image_manifest(type) &&
           !oci::is_index(type);
  };
  return std::none_of(children_.begin(), children_.end(), is_other) &&
         std::none_of(below_.begin(), below_.end(), is_other);
}

// What was put and has not been read since may show later. Where a tag is pulled already, it does
// not move before that; a new one has nobody who could be disturbed. Whether anything was read.
asio::awaitable<bool> TargetRun::confirm_content() {
  std::set<std::string> places = unconfirmed_;
  for (const oci::Child& child : children_) {  // of SOCI, where they were pushed
    const std::string place = to_string(by_digest(child.from, child.descriptor.digest));
    if (!seen_.contains(place)) places.insert(place);
  }
  if (places.empty() || !co_await is_pulled()) co_return false;
  std::vector<Task> reads;
  for (const std::string& place : places) {
    reads.push_back(await_digest(oci::parse_reference(place).value()));
  }
  co_await all(std::move(reads));
  if (!failed()) unconfirmed_.clear();  // not before: another repository's tags wait for it too
  co_return true;
}

// Whether any of the tags that are to move holds something now.
asio::awaitable<bool> TargetRun::is_pulled() {
  bool pulled = false;
  std::vector<Task> reads;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    pulled = pulled || (moves(i) && !looks_[i].digest.empty());
    if (moves(i) && !looks_[i].is_known) reads.push_back(is_pulled(i, pulled));
  }
  if (!pulled) co_await all(std::move(reads));
  co_return pulled;
}

TargetRun::Task TargetRun::is_pulled(std::size_t tag, bool& pulled) {
  Request wanted = probe(target_.tags[tag], false);
  const Answer answer = co_await run(std::move(wanted));
  pulled = pulled || !answer.absent();
}

TargetRun::Task TargetRun::copy_child(const oci::Child& child, oci::Reference repository) {
  const oci::Reference source = by_digest(child.from, child.descriptor.digest);
  const oci::Reference place = by_digest(repository, child.descriptor.digest);
  co_await await_digest(source);
  if (failed()) co_return;
  Request wanted =
      request(to_string(place), copy_command(plan_, source, place), {source.host, place.host});
  wanted.missing = [this, source, place](const Verdict& verdict) {
    return missing(verdict, source, place);
  };
  wanted.done = [digest = child.descriptor.digest](const Attempt& failed, const Verdict& verdict) {
    return was_put(failed, verdict, digest);
  };
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) {
    fail(answer, "the copy of " + to_string(source) + " to " + repository.name() + " failed");
    co_return;
  }
  if (answer.unconfirmed) {
    unconfirmed_.insert(to_string(place));
  } else if (!begins_to_put(answer.output, child.descriptor.digest) &&
             !shared_.whole.contains(to_string(place))) {
    co_await check_whole(place, std::vector(1, place.digest), to_string(place));
  }
  if (!failed()) shared_.whole.insert(to_string(place));
}

asio::awaitable<Answer> TargetRun::put_root(oci::Reference place,
                                            std::vector<std::string> more_tags, TimePoint deadline,
                                            std::function<asio::awaitable<bool>()> still_wanted) {
  if (root_file_.empty()) {
    const Result<void> opened = shared_.scratch.open();
    const Result<std::string> file =
        opened ? shared_.scratch.write_file(std::to_string(number_) + ".json", root_.bytes)
               : Result<std::string>(opened.error());
    if (!file) {
      fail(StopReason::permanent, file.error().what);
      Answer nothing;
      nothing.run.reason = StopReason::permanent;
      co_return nothing;
    }
    root_file_ = *file;
  }
  Request wanted =
      request(to_string(place), put_command(plan_, place, more_tags, root_.media_type, root_file_),
              {place.host});
  wanted.deadline = deadline;
  wanted.still_wanted = std::move(still_wanted);
  wanted.missing = [this, place](const Verdict& verdict) { return missing(verdict, place, place); };
  co_return co_await run(std::move(wanted));
}

}  // namespace retry_exec::publish
