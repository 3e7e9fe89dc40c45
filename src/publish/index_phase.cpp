#include "publish/index.hpp"
#include "publish/sha256.hpp"
#include "publish/target_run.hpp"

namespace retry_exec::publish {

namespace asio = boost::asio;

TargetRun::Task TargetRun::index() {
  result_.index = digest_of(index_json(manifests_, target_.annotations));
  result_.digest = result_.index;
  known_manifests_.insert(result_.index);
  for (const Descriptor& manifest : manifests_) known_manifests_.insert(manifest.digest);
  const bool there = co_await index_is_there();
  if (there) {
    note("it was there already");
  } else if (!failed()) {
    co_await create_index();
  }
}

// A run that was cut short, or this very plan, may have left it.
asio::awaitable<bool> TargetRun::index_is_there() {
  const Reference reference = by_digest(target_.staging, result_.index);
  Request wanted = probe(reference, false);
  const Answer answer = co_await run(std::move(wanted));
  if (answer.run.reason == StopReason::interrupted || answer.run.reason == StopReason::deadline) {
    fail(answer, "the index could not be created");
  }
  if (answer.ok()) seen_.insert(to_string(reference));
  co_return answer.ok();
}

TargetRun::Task TargetRun::create_index() {
  const Reference staging = by_tag(target_.staging, staging_tag(target_.name, result_.index));
  std::vector<std::string> digests;
  for (const Descriptor& manifest : manifests_) digests.push_back(manifest.digest);
  Request wanted =
      request(to_string(staging), index_command(plan_, target_, staging, digests), {staging.host});
  wanted.missing = [this](const Verdict& verdict) {
    return missing(verdict, target_.staging, target_.staging);
  };
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) {
    fail(answer, "the index could not be created");
    co_return;
  }
  const std::string printed = printed_digest(answer.output);
  if (printed != result_.index) {
    fail(StopReason::permanent, "oras made the index " +
                                    (printed.empty() ? "(no digest printed)" : printed) +
                                    ", its sources and annotations make " + result_.index +
                                    "; a source, or oras, is not what it seems");
  }
}

}  // namespace retry_exec::publish
