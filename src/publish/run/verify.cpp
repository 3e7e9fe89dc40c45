// The digest at each tag is the one that was published, and what it lists is readable.
#include "publish/run/target_run.hpp"

namespace retry_exec::publish {

TargetRun::Task TargetRun::verify() {
  std::vector<Task> reads;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    // What had it when we looked has been read.
    if (!moves(i)) result_.tags[i].verified = tag_is_ours_[i];
    if (result_.tags[i].copied) reads.push_back(verify_tag(i));
  }
  for (const std::string& place : unconfirmed_) {
    reads.push_back(await_digest(oci::parse_reference(place).value()));
  }
  co_await all(std::move(reads));
}

TargetRun::Task TargetRun::verify_tag(std::size_t number) {
  const oci::Reference& tag = target_.tags[number];
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

// Whether a tag's descriptor is that of what is published.
std::function<std::optional<std::string>(const std::string&)> TargetRun::digest_check() const {
  return [this](const std::string& output) -> std::optional<std::string> {
    const auto descriptor = oci::parse_descriptor(output);
    if (!descriptor) return "the tag's descriptor is not readable";
    if (descriptor->digest == result_.digest) return std::nullopt;
    return "the tag is stale: it has " + descriptor->digest + ", not " + result_.digest;
  };
}

}  // namespace retry_exec::publish
