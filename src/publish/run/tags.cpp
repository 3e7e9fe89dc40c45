// Moving the tags, once everything is where they will point to it.
#include "publish/run/target_run.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/text.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <chrono>

namespace retry_exec::publish {

namespace asio = boost::asio;

// One repository's tags go in the plan's order, across targets too: registries sort tags by the
// time of their push. Between repositories there is no order to see, and none is waited for.
TargetRun::Task TargetRun::move_tags(std::string repository) {
  entrance_.reset();  // those before it in the queue may not be in yet
  const TimePoint asked = shared_.seams.now();
  const TimePoint before = phase_deadline_;  // other repositories' tags may wait, too
  const bool waited = co_await take_turn(repository);
  const TimePoint deadline = deadline_after_wait(before, asked);
  phase_deadline_ = std::max(phase_deadline_, deadline);
  if (must_know_all_tags(target_)) co_await check_in_turn(repository, waited, deadline);
  co_await move_tags_now(repository, deadline);
  shared_.copies.leave(repository, number_);
}

// Where no turn has come yet, what the tags hold now says nothing of what they will hold then.
TargetRun::Task TargetRun::check_before_turns(std::vector<std::string> repositories) {
  const bool is_turn =
      std::any_of(repositories.begin(), repositories.end(), [this](const std::string& repository) {
        return shared_.copies.is_turn(repository, number_);
      });
  if (is_turn) {
    co_await check_all_before_move(phase_deadline_);
  } else {
    co_await confirm_content();
  }
}

// Where a tag would lose something, none moves, in no repository: the first turn that comes looks
// at all. A turn that came after that look began has its own.
TargetRun::Task TargetRun::check_in_turn(std::string repository, bool waited, TimePoint deadline) {
  const TimePoint came = shared_.seams.now();
  co_await checking_.take();
  const Slot slot(checking_);
  if (failed()) co_return;
  if (!all_checked_since_) {
    co_await check_all_before_move(deadline);
  } else if (waited && *all_checked_since_ < came) {
    co_await check_before_move(moving_tags(repository), deadline);
  }
}

TargetRun::Task TargetRun::check_all_before_move(TimePoint deadline) {
  all_checked_since_ = shared_.seams.now();
  co_await check_before_move(moving_tags(), deadline);
}

TargetRun::Task TargetRun::move_tags_now(std::string repository, TimePoint deadline) {
  std::vector<std::size_t> tags = moving_tags(repository);
  const bool waited = !failed() && co_await take_records_back(tags, deadline);
  phase_deadline_ = std::max(phase_deadline_, deadline);
  if (waited && !failed() && must_know_all_tags(target_)) {
    co_await check_before_move(tags, deadline);
    tags = moving_tags(repository);
  }
  for (std::vector<std::size_t>& share : that_fit_a_word(tags)) {
    co_await put_tags(std::move(share), deadline);
  }
}

// oras takes the names of tags in one word, of which Linux takes 128 KiB.
std::vector<std::vector<std::size_t>> TargetRun::that_fit_a_word(
    const std::vector<std::size_t>& tags) const {
  constexpr std::size_t longest = std::size_t{64} << 10;
  std::vector<std::vector<std::size_t>> shares;
  std::size_t length = longest;
  for (const std::size_t tag : tags) {
    const std::size_t more = target_.tags[tag].tag.size() + 1;  // the comma
    if (length + more > longest) {
      shares.emplace_back();
      length = 0;
    }
    shares.back().push_back(tag);
    length += more;
  }
  return shares;
}

std::vector<std::size_t> TargetRun::moving_tags(std::string_view repository) const {
  std::vector<std::size_t> tags;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    const bool is_there = repository.empty() || target_.tags[i].name() == repository;
    if (is_there && moves(i)) tags.push_back(i);
  }
  return tags;
}

// Whether there was anything to wait for. The order is for the eye; a target that hangs must not
// keep the others from being published.
asio::awaitable<bool> TargetRun::take_turn(const std::string& repository) {
  using namespace asio::experimental::awaitable_operators;
  constexpr Duration longest_wait = std::chrono::minutes(5);
  if (shared_.copies.is_turn(repository, number_)) co_return false;
  const auto first = co_await (shared_.copies.enter(repository, number_) ||
                               shared_.seams.wait(patience_for(longest_wait)));
  if (first.index() != 0) {
    note("its tags in " + repository + " did not wait for those of an earlier target any longer");
  }
  co_return true;
}

// Since they were looked at, which may be hours ago, another run may have moved them: what they
// hold now decides what they would lose, and a tag that was new may be pulled by now.
TargetRun::Task TargetRun::check_before_move(std::vector<std::size_t> tags, TimePoint deadline) {
  if (must_know_all_tags(target_)) co_await look_again(tags, deadline);
  const bool waited = !failed() && co_await confirm_content();
  if (waited && !failed() && must_know_all_tags(target_)) co_await look_again(tags, deadline);
}

TargetRun::Task TargetRun::look_again(std::vector<std::size_t> tags, TimePoint deadline) {
  std::vector<Task> looks;
  for (const std::size_t tag : tags) looks.push_back(look_again(tag, deadline));
  co_await all(std::move(looks));
}

// Between attempts there may be hours, too.
asio::awaitable<bool> TargetRun::all_still_move(std::vector<std::size_t> tags, TimePoint deadline) {
  co_await check_before_move(tags, deadline);
  co_return !failed() &&
      std::all_of(tags.begin(), tags.end(), [this](std::size_t tag) { return moves(tag); });
}

// In one command; where the registry refuses one of them, each by itself. `before` is a command
// that may have moved them already.
TargetRun::Task TargetRun::put_tags(std::vector<std::size_t> tags, TimePoint deadline,
                                    const Answer* before) {
  if (failed() || tags.empty()) co_return;
  std::vector<std::string> more;
  for (std::size_t i = 1; i < tags.size(); ++i) more.push_back(target_.tags[tags[i]].tag);
  std::function<asio::awaitable<bool>()> still_wanted;
  if (must_know_all_tags(target_)) {
    still_wanted = [this, tags, deadline] { return all_still_move(tags, deadline); };
  }
  const Answer answer =
      co_await put_root(target_.tags[tags.front()], more, deadline, std::move(still_wanted));
  if (answer.ok()) {
    note_request_time(answer, target_.tags[tags.front()].host, tags.size() + 2);
    for (const std::size_t tag : tags) result_.tags[tag].copied = tag_is_ours_[tag] = true;
    co_return;
  }
  const auto left = [this](std::size_t tag) { return !moves(tag); };
  if (!failed() && std::any_of(tags.begin(), tags.end(), left)) {
    std::erase_if(tags, left);
    co_await put_tags(std::move(tags), deadline, answer.was_begun() ? &answer : before);
    co_return;
  }
  const bool is_refused = answer.is_immutable_tag() || (answer.was_begun() && !answer.may_be_done);
  const bool of_several = answer.was_begun() && tags.size() > 1;
  if (!failed() && tags.size() > 1 && is_refused) {
    co_await put_each(std::move(tags), answer, deadline);
  } else if (before != nullptr && !answer.was_begun()) {
    co_await find_tags(tags, *before, true, deadline);
  } else if (answer.was_begun()) {
    co_await find_tags(tags, answer, of_several, deadline);
  } else {
    cannot_move(tags.front(), answer);
  }
}

// The refusal of one alone tells that it did not move. oras moves them one after the other: behind
// that one, none was tried, and a look is enough.
TargetRun::Task TargetRun::put_each(std::vector<std::size_t> tags, const Answer& together,
                                    TimePoint deadline) {
  bool were_tried = true;
  while (!tags.empty() && !failed()) {
    const TagResult& first = result_.tags[tags.front()];
    co_await put_tags(std::vector(1, tags.front()), deadline, &together);
    were_tried = together.may_be_done || first.copied || first.may_have_moved;
    tags.erase(tags.begin());
  }
  const Answer nothing;
  if (!tags.empty()) {
    co_await find_tags(tags, were_tried ? together : nothing, were_tried, deadline);
  }
}

void TargetRun::cannot_move(std::size_t tag, const Answer& answer) {
  fail(answer, "tag " + to_string(target_.tags[tag]) + " could not be moved");
}

// An attempt whose answer was lost may have moved some, as may one in which another of several tags
// was refused; and an immutable tag may hold it already. Other targets need not wait for that.
TargetRun::Task TargetRun::find_tags(std::vector<std::size_t> tags, const Answer& answer,
                                     bool of_several, TimePoint deadline) {
  shared_.copies.leave(target_.tags[tags.front()].name(), number_);
  const bool may_be_stale = answer.may_be_done || of_several;
  std::vector<Task> finds;
  for (const std::size_t tag : tags) {
    if (shared_.seams.interrupted_by()) break;  // nothing is asked any more
    finds.push_back(find_tag(tag, answer, may_be_stale, deadline));
  }
  co_await all(std::move(finds));
  std::string unknown;
  for (const std::size_t tag : tags) {
    TagResult& result = result_.tags[tag];
    result.copied = tag_is_ours_[tag];
    // What has been asked for is known.
    result.may_have_moved = !result.copied && !asked_[tag] && may_be_stale;
    if (result.may_have_moved) text::append_to(unknown, to_string(result.tag));
    if (result.copied) note(to_string(result.tag) + " has it although the copy failed");
  }
  for (const std::size_t tag : tags) {
    if (tag_is_ours_[tag]) continue;
    if (unknown.empty())
      cannot_move(tag, answer);
    else
      fail(answer, "it is not known whether " + unknown + " moved");
  }
}

// One that an attempt moved may show that later. An immutable one that cannot be read only lags:
// the refusal tells that it is there.
TargetRun::Task TargetRun::find_tag(std::size_t number, const Answer& put, bool may_be_stale,
                                    TimePoint deadline) {
  using namespace std::chrono_literals;
  Request wanted = probe(target_.tags[number], may_be_stale || put.is_immutable_tag());
  const Duration patience = put.may_be_done || put.is_immutable_tag() ? 1min : 5s;
  if (wanted.waits) deadline = std::min(deadline, shared_.seams.now() + patience);
  wanted.deadline = deadline;
  wanted.abandoned = nullptr;
  if (may_be_stale) wanted.check = digest_check();
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) tag_is_ours_[number] = !digest_check()(answer.output);
  asked_[number] = answer.ok() || !may_be_stale;
}

void TargetRun::note_tags_that_had_it() {
  std::size_t had = 0;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    had += tag_is_ours_[i] && !result_.tags[i].copied;
  }
  if (had == 0) return;
  note(std::to_string(had) + " of " + text::counted(target_.tags.size(), "tag") +
       " had it already");
}

}  // namespace retry_exec::publish
