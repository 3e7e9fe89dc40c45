// The digest at each tag is the one that was published, and what it lists is readable.
#include "publish/oci/index.hpp"
#include "publish/oci/sha256.hpp"
#include "publish/run/target_run.hpp"

#include <algorithm>
#include <cmath>

namespace retry_exec::publish {

using namespace std::chrono_literals;

namespace {

// Processor time of oras before its first request, with two processors.
constexpr Duration start_of_command = 8ms;

}  // namespace

TargetRun::Task TargetRun::verify() {
  const auto unverified = [this](std::size_t tag) {
    return !result_.tags[tag].verified && !result_.tags[tag].newer;
  };
  std::vector<Task> reads;
  for (std::vector<std::size_t>& tags : shares(unverified)) {
    reads.push_back(verify_tags(std::move(tags)));
  }
  for (const std::string& place : unconfirmed_) {
    reads.push_back(await_digest(oci::parse_reference(place).value()));
  }
  co_await all(std::move(reads));
  if (failed()) co_return;
  co_await move_what_changed();
  if (failed()) co_return;
  reads.clear();
  for (std::vector<std::size_t>& tags : shares(unverified)) {
    reads.push_back(verify_tags(std::move(tags)));
  }
  co_await all(std::move(reads));
}

// Of those that were moved, what is not there yet, or still has what it had before, is waited for
// one by one.
TargetRun::Task TargetRun::verify_tags(std::vector<std::size_t> tags) {
  const auto moved = [this](std::size_t tag) { return result_.tags[tag].copied; };
  if (tags.size() > 1 || !moved(tags.front())) {
    const std::vector<std::string> digests = co_await read_digests(tags);
    for (std::size_t i = 0; i < tags.size(); ++i) {
      result_.tags[tags[i]].verified = digests[i] == result_.digest;
    }
  }
  std::vector<Task> reads;
  for (const std::size_t tag : tags) {
    if (moved(tag) && !result_.tags[tag].verified) reads.push_back(verify_tag(tag));
  }
  co_await all(std::move(reads));
}

// A tag that had it when we looked may have read stale then, or another run has moved it since.
TargetRun::Task TargetRun::move_what_changed() {
  std::vector<Task> looks;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    const TagResult& tag = result_.tags[i];
    if (!tag.verified && !tag.newer) looks.push_back(look_once_more(i));
  }
  co_await all(std::move(looks));
  if (failed()) co_return;
  const std::vector<std::string> repositories = destinations();
  const bool waited = !repositories.empty() && co_await confirm_content();
  if (waited && !failed()) co_await check_before_move(moving_tags(), phase_deadline_);
  std::vector<Task> moves;
  for (const std::string& repository : repositories) {
    moves.push_back(move_tags_now(repository, phase_deadline_));
  }
  co_await all(std::move(moves));
}

TargetRun::Task TargetRun::look_once_more(std::size_t number) {
  const oci::Reference& tag = target_.tags[number];
  Request wanted = probe(tag, false);
  wanted.argv = manifest_command(plan_, tag);
  wanted.policy.failures.attempts = 0;  // until the deadline
  const Answer answer = co_await run(std::move(wanted));
  looks_[number] = look_of(answer);
  tag_is_ours_[number] = looks_[number].digest == result_.digest;
  result_.tags[number].verified = tag_is_ours_[number];
  if (tag_is_ours_[number]) co_return;
  if (!looks_[number].is_known) {
    fail(answer, "tag " + to_string(tag) + " is not verified");
    co_return;
  }
  result_.tags[number].had_it = false;
  note(to_string(tag) + " had it at first, and does not have it any more");
  co_await guard_tag(number);
}

TargetRun::Task TargetRun::verify_tag(std::size_t number) {
  const oci::Reference& tag = target_.tags[number];
  Request wanted = probe(tag, true);
  wanted.argv = manifest_command(plan_, tag);  // what counts is what is pulled
  wanted.check = [this](const std::string& output) { return stale(oci::digest_of(output)); };
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) {
    note_lag(tag, answer);
    result_.tags[number].verified = true;
    co_return;
  }
  const bool stale = answer.run.verdict && answer.run.verdict->rule == not_yet_rule;
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
    return stale(descriptor->digest);
  };
}

std::optional<std::string> TargetRun::stale(const std::string& digest) const {
  if (digest == result_.digest) return std::nullopt;
  return "the tag is stale: it has " + digest + ", not " + result_.digest;
}

// ---- several tags in one command ---------------------------------------------------------------

// What tags of one repository have, all empty where one of them could not be read.
boost::asio::awaitable<std::vector<std::string>> TargetRun::read_digests(
    const std::vector<std::size_t>& tags) {
  std::vector<std::string> names;
  for (const std::size_t tag : tags) names.push_back(target_.tags[tag].tag);
  Request wanted = probe(target_.tags[tags.front()], false);
  wanted.argv = describe_command(plan_, target_.tags[tags.front()], names);
  const Answer answer = co_await run(std::move(wanted));
  std::vector<std::string> digests(tags.size());
  const auto described = oci::parse_index(answer.ok() ? answer.output : "");
  if (!described || described->manifests.size() != tags.size()) co_return digests;
  std::transform(described->manifests.begin(), described->manifests.end(), digests.begin(),
                 [](const oci::Descriptor& descriptor) { return descriptor.digest; });
  co_return digests;
}

// The wanted tags in as many groups as are read in the least time, each of one repository.
std::vector<std::vector<std::size_t>> TargetRun::shares(
    const std::function<bool(std::size_t)>& wanted) const {
  std::map<std::string, std::vector<std::size_t>> by_repository;
  for (std::size_t i = 0; i < target_.tags.size(); ++i) {
    if (wanted(i)) by_repository[target_.tags[i].name()].push_back(i);
  }
  std::vector<std::vector<std::size_t>> groups;
  for (const auto& [repository, tags] : by_repository) {
    const std::size_t count = commands_for(tags.size(), target_.tags[tags.front()].host);
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = [&](std::size_t group) {
        return tags.begin() + static_cast<std::ptrdiff_t>(group * tags.size() / count);
      };
      groups.emplace_back(at(i), at(i + 1));
    }
  }
  return groups;
}

// How many commands read so many manifests soonest: side by side each costs its share of the
// processors, which all targets have in common; one after the other each costs a request.
std::size_t TargetRun::commands_for(std::size_t reads, const std::string& host) const {
  const auto known = shared_.request_times.find(host);
  if (known == shared_.request_times.end()) return 1;
  const double request = static_cast<double>(known->second.count());
  const double start = static_cast<double>(start_of_command.count()) *
                       static_cast<double>(std::max<std::size_t>(shared_.unfinished, 1));
  const double best = std::round(std::sqrt(static_cast<double>(reads) * request / start));
  const auto count = static_cast<std::size_t>(std::clamp(best, 1.0, static_cast<double>(reads)));
  const std::size_t longest = (reads + count - 1) / count;
  return (reads + longest - 1) / longest;  // no more than it takes for none to be longer
}

// From a command of so many requests in a row. The shortest counts: what takes longer than it must
// waits for a processor, not for the registry.
void TargetRun::note_request_time(const Answer& answer, const std::string& host,
                                  std::size_t requests) {
  if (answer.run.attempts != 1) return;
  const Duration time = std::max(answer.run.elapsed - start_of_command, Duration(0)) /
                        static_cast<Duration::rep>(requests);
  const auto [known, is_first] = shared_.request_times.emplace(host, time);
  if (!is_first) known->second = std::min(known->second, time);
}

}  // namespace retry_exec::publish
