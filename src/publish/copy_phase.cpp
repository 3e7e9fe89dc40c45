// To the final tags, and looking whether they are there.
#include "publish/index.hpp"
#include "publish/target_run.hpp"

#include <algorithm>

namespace retry_exec::publish {

TargetRun::Task TargetRun::copy() {
  tag_is_ours_.assign(target_.tags.size(), false);
  std::vector<Task> reads;
  reads.push_back(await_digest(by_digest(target_.staging, result_.digest)));
  for (std::size_t i = 0; i < target_.tags.size(); ++i) reads.push_back(find_tag(i));
  co_await all(std::move(reads));
  if (failed()) co_return;
  std::vector<Task> copies;
  for (std::string& repository : destinations()) copies.push_back(copy_into(std::move(repository)));
  co_await all(std::move(copies));
  const auto copied = [](const TagResult& tag) { return tag.copied; };
  const auto done_already =
      static_cast<std::size_t>(std::count(tag_is_ours_.begin(), tag_is_ours_.end(), true) -
                               std::count_if(result_.tags.begin(), result_.tags.end(), copied));
  if (!failed() && done_already > 0) {
    note(std::to_string(done_already) + " of " + std::to_string(target_.tags.size()) +
         " tags had it already");
  }
}

// In the order in which its tags name them.
std::vector<std::string> TargetRun::destinations() const {
  std::vector<std::string> names;
  for (const Reference& tag : target_.tags) {
    if (std::find(names.begin(), names.end(), tag.name()) == names.end()) {
      names.push_back(tag.name());
    }
  }
  return names;
}

// One repository's tags go in the plan's order, across targets too: registries sort tags by the
// time of their push. Between repositories there is no order to see, and none is waited for.
TargetRun::Task TargetRun::copy_into(std::string repository) {
  co_await shared_.copies.enter(repository, number_);
  // The time in the queue was no part of the work.
  phase_deadline_ = std::min(shared_.seams.now() + phase_deadline(plan_, phase_), shared_.deadline);
  for (std::size_t i = 0; i < target_.tags.size() && !failed(); ++i) {
    if (target_.tags[i].name() == repository && !tag_is_ours_[i]) co_await copy_tag(i);
  }
  shared_.copies.leave(repository, number_);
}

// Not being there is the normal case, and any other trouble is left for the copy to tell.
TargetRun::Task TargetRun::find_tag(std::size_t number) {
  Request wanted = probe(target_.tags[number], false);
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) {
    const auto descriptor = parse_descriptor(answer.output);
    tag_is_ours_[number] = descriptor && descriptor->digest == result_.digest;
  }
}

namespace {

bool is_immutable(const Answer& answer) {
  if (!answer.run.verdict) return false;
  const std::string& line = answer.run.verdict->line;
  return line.find("immutab") != std::string::npos ||
         line.find("cannot be overwritten") != std::string::npos;
}

}  // namespace

// The refusal tells that the tag is there, so that one which cannot be read only lags. It may also
// show for a while what it had before, if an attempt before the refused one moved it.
TargetRun::Task TargetRun::find_immutable_tag(std::size_t number, bool may_be_stale) {
  using namespace std::chrono_literals;
  Request wanted = probe(target_.tags[number], true);
  wanted.deadline = std::min(phase_deadline_, shared_.seams.now() + 1min);
  if (may_be_stale) wanted.check = digest_check();
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) tag_is_ours_[number] = !digest_check()(answer.output);
}

TargetRun::Task TargetRun::copy_tag(std::size_t number) {
  const Reference& tag = target_.tags[number];
  const Reference source = by_digest(target_.staging, result_.digest);
  Request wanted =
      request(to_string(tag), copy_command(plan_, source, tag), {source.host, tag.host});
  wanted.missing = [this, source, tag](const Verdict& verdict) {
    return missing(verdict, source, tag);
  };
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) {
    result_.tags[number].copied = true;
    tag_is_ours_[number] = true;
    co_return;
  }
  // An attempt whose answer was lost may have done it, and an immutable tag may hold it already.
  if (shared_.seams.interrupted_by()) {
    // Nothing is asked any more.
  } else if (is_immutable(answer)) {
    co_await find_immutable_tag(number, answer.run.attempts > 1);
  } else {
    co_await find_tag(number);
  }
  if (tag_is_ours_[number]) {
    result_.tags[number].copied = true;
    note(to_string(tag) + " has it although the copy failed");
  } else {
    fail(answer, "the copy to " + to_string(tag) + " failed");
  }
}

// Whether a tag's descriptor is that of what is published.
std::function<std::optional<std::string>(const std::string&)> TargetRun::digest_check() const {
  return [this](const std::string& output) -> std::optional<std::string> {
    const auto descriptor = parse_descriptor(output);
    if (!descriptor) return "the tag's descriptor is not readable";
    if (descriptor->digest == result_.digest) return std::nullopt;
    return "the tag is stale: it has " + descriptor->digest + ", not " + result_.digest;
  };
}

TargetRun::Task TargetRun::verify() {
  std::vector<Task> reads;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) reads.push_back(verify_tag(i));
  co_await all(std::move(reads));
}

TargetRun::Task TargetRun::verify_tag(std::size_t number) {
  const Reference& tag = target_.tags[number];
  Request wanted = probe(tag, true);
  wanted.check = digest_check();
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) {
    note_lag(tag, answer);
    result_.tags[number].verified = true;
    co_return;
  }
  const bool stale = answer.run.verdict && answer.run.verdict->rule == "publish/not-yet";
  fail(answer, "tag " + to_string(tag) + " is " +
                   (stale             ? "stale"
                    : answer.absent() ? "missing"
                                      : "not verified"));
}

}  // namespace retry_exec::publish
