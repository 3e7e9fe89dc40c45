// Moving the tags, once everything is where they will point to it.
#include "publish/run/target_run.hpp"

#include <algorithm>

namespace retry_exec::publish {

// One repository's tags go in the plan's order, across targets too: registries sort tags by the
// time of their push. Between repositories there is no order to see, and none is waited for.
TargetRun::Task TargetRun::move_tags(std::string repository, bool root_is_there) {
  entrance_.reset();  // those before it in the queue may not be in yet
  const TimePoint asked = shared_.seams.now();
  co_await shared_.copies.enter(repository, number_);
  const TimePoint deadline = deadline_after_wait(asked);
  std::vector<std::size_t> tags;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    if (target_.tags[i].name() == repository && moves(i)) tags.push_back(i);
  }
  // The first goes with the index itself.
  if (!tags.empty() && !root_is_there) {
    co_await put_tag(tags.front(), deadline);
    tags.erase(tags.begin());
  }
  if (tags.size() == 1) {
    co_await put_tag(tags.front(), deadline);
  } else if (!tags.empty()) {
    co_await tag_rest(std::move(tags), deadline);
  }
  shared_.copies.leave(repository, number_);
}

namespace {

bool is_immutable(const Answer& answer) {
  if (!answer.run.verdict) return false;
  const std::string& line = answer.run.verdict->line;
  return line.find("immutab") != std::string::npos ||
         line.find("cannot be overwritten") != std::string::npos;
}

}  // namespace

TargetRun::Task TargetRun::put_tag(std::size_t number, TimePoint deadline) {
  if (failed()) co_return;
  const oci::Reference& tag = target_.tags[number];
  const Answer answer = co_await put_root(tag, deadline);
  if (failed()) co_return;
  if (answer.ok()) {
    result_.tags[number].copied = true;
    tag_is_ours_[number] = true;
    co_return;
  }
  // An attempt whose answer was lost may have done it, and an immutable tag may hold it already.
  if (shared_.seams.interrupted_by()) {
    // Nothing is asked any more.
  } else if (is_immutable(answer)) {
    co_await find_immutable_tag(number, answer.run.attempts > 1, deadline);
  } else {
    co_await find_tag(number, deadline);
  }
  if (tag_is_ours_[number]) {
    result_.tags[number].copied = true;
    note(to_string(tag) + " has it although the copy failed");
  } else {
    fail(answer, "tag " + to_string(tag) + " could not be moved");
  }
}

// In one command; where that cannot be, each by itself.
TargetRun::Task TargetRun::tag_rest(std::vector<std::size_t> tags, TimePoint deadline) {
  if (failed()) co_return;
  const oci::Reference root = by_digest(target_.tags[tags.front()], result_.digest);
  std::vector<std::string> names;
  for (const std::size_t tag : tags) names.push_back(target_.tags[tag].tag);
  Request wanted = request(to_string(root), tag_command(plan_, root, names), {root.host});
  wanted.deadline = deadline;
  wanted.absent_is_final = true;  // it does not show yet: a tag can be put without reading it
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok() && (answer.absent() || is_immutable(answer))) {
    for (const std::size_t tag : tags) co_await put_tag(tag, deadline);
    co_return;
  }
  for (const std::size_t tag : tags) {
    if (!answer.ok() && !shared_.seams.interrupted_by()) co_await find_tag(tag, deadline);
    if (answer.ok()) tag_is_ours_[tag] = true;
    result_.tags[tag].copied = tag_is_ours_[tag];
    if (!tag_is_ours_[tag]) {
      fail(answer, "tag " + to_string(target_.tags[tag]) + " could not be moved");
    }
  }
}

TargetRun::Task TargetRun::find_tag(std::size_t number, TimePoint deadline) {
  Request wanted = probe(target_.tags[number], false);
  wanted.deadline = deadline;
  wanted.abandoned = nullptr;
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) tag_is_ours_[number] = !digest_check()(answer.output);
}

// The refusal tells that the tag is there, so that one which cannot be read only lags. It may also
// show for a while what it had before, if an attempt before the refused one moved it.
TargetRun::Task TargetRun::find_immutable_tag(std::size_t number, bool may_be_stale,
                                              TimePoint deadline) {
  using namespace std::chrono_literals;
  Request wanted = probe(target_.tags[number], true);
  wanted.deadline = std::min(deadline, shared_.seams.now() + 1min);
  if (may_be_stale) wanted.check = digest_check();
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) tag_is_ours_[number] = !digest_check()(answer.output);
}

void TargetRun::note_tags_that_had_it() {
  std::size_t had = 0;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    had += tag_is_ours_[i] && !result_.tags[i].copied;
  }
  if (had == 0) return;
  note(std::to_string(had) + " of " + std::to_string(target_.tags.size()) + " tags had it already");
}

}  // namespace retry_exec::publish
