#include "publish_world.hpp"

#include "catch_shim.hpp"
#include "publish/oci/index.hpp"
#include "publish/oci/sha256.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace world {

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace retry_exec::publish::oci;
using namespace retry_exec::publish::plan;
using namespace std::chrono_literals;

namespace asio = boost::asio;

namespace {

Verdict judge(const retry_exec::Failure& failure) {
  const std::string text = failure.output.standard_error.text();
  Verdict verdict;
  verdict.matched = true;
  verdict.line = text.substr(0, text.find('\n'));
  const auto is = [&](const char* words, const char* name, bool retry) {
    if (!verdict.class_name.empty() || text.find(words) == std::string::npos) return;
    verdict.class_name = name;
    verdict.rule = std::string("test/") + name;
    verdict.retry = retry;
  };
  is("denied", "permanent", false);
  is("immutable", "permanent", false);
  if (text.find("immutable") != std::string::npos) verdict.rule = "oci/immutable-tag";
  is("no ztocs created", "permanent", false);
  if (text.find("no ztocs created") != std::string::npos) verdict.rule = "soci/nothing-to-index";
  is("toomanyrequests", "throttled", true);
  is("not found", "absent", false);
  is("blob unknown", "absent", false);
  is("", "transient", true);
  if (verdict.class_name == "throttled") verdict.retry_after = 20s;
  const std::size_t digest = verdict.line.rfind("sha256:");
  if (digest != std::string::npos) {
    verdict.details.push_back({"missing", verdict.line.substr(digest, World::digest('a').size())});
  }
  for (const char* side : {"source", "destination"}) {
    if (verdict.line.find(std::string("Error from ") + side + " registry") == 0)
      verdict.details.push_back({"registry", side});
  }
  return verdict;
}

}  // namespace

std::string repository_of(const std::string& reference) {
  const std::size_t at = reference.find('@');
  if (at != std::string::npos) return reference.substr(0, at);
  return reference.substr(0, reference.rfind(':'));
}

std::string behind(const std::string& reference, char sign) {
  const std::size_t at = reference.find(sign, reference.find('/'));
  return at == std::string::npos ? "" : reference.substr(at + 1);
}

World::World() {
  plan.rules = {"ghcr"};
  plan.scratch = folder_ / "scratch";
}

Said World::not_found(const std::string& what) {
  return {1, "", "Error response from registry: " + what + ": not found\n"};
}

Target& World::add_target(const std::string& name, const std::vector<char>& sources,
                          const Words& finals) {
  Target target;
  target.name = name;
  target.looked_in = "the plan";
  for (const char c : sources) {
    target.sources.push_back({{"r.io", "tmp", "", digest(c)}, std::nullopt});
    repositories["r.io/tmp"].shows.emplace(digest(c), start);
  }
  target.staging = {"r.io", "tmp", "", ""};
  for (const std::string& tag : finals) target.tags.push_back(parse_reference(tag).value());
  plan.targets.push_back(target);
  return plan.targets.back();
}

std::string World::at(const std::string& tag) const {
  const auto repository = repositories.find(repository_of(tag));
  if (repository == repositories.end()) return {};
  const auto found = repository->second.tags.find(behind(tag, ':'));
  return found == repository->second.tags.end() ? "" : found->second.digest;
}

void World::set_tag(const std::string& tag, const std::string& digest) {
  Repository& repository = repositories[repository_of(tag)];
  repository.shows.emplace(digest, start);
  repository.tags[behind(tag, ':')] = {digest, digest, start};
}

std::string World::add_index(const std::string& repository, const std::string& json) {
  const std::string made = digest_of(json);
  manifests[made] = json;
  repositories[repository].shows[made] = start;
  const auto index = parse_index(json);
  for (const Descriptor& child : index.value().manifests) {
    repositories[repository].shows.emplace(child.digest, start);
  }
  return made;
}

asio::awaitable<void> World::pass(Duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  struct Place {
    std::multimap<TimePoint, asio::steady_timer*>& all;
    std::multimap<TimePoint, asio::steady_timer*>::iterator at;
    ~Place() { all.erase(at); }
  } place{sleeping_, sleeping_.emplace(now + duration, &timer)};
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

std::optional<int> World::interrupted() const {
  if (killed_) return 9;
  return interrupted_at && now >= *interrupted_at ? std::optional(2) : std::nullopt;
}

// A system starts no program that is not there, nor one with a word that is too long.
Outcome World::not_started(const Words& argv) const {
  constexpr std::size_t longest_word = std::size_t{128} << 10;
  const bool is_long = std::any_of(argv.begin(), argv.end(), [](const std::string& word) {
    return word.size() >= longest_word;
  });
  if (is_long) return NotStarted{E2BIG, argv[0] + ": a word is too long"};
  if (is_gone && is_gone(argv)) return NotStarted{ENOENT, argv[0] + ": not found"};
  return Exited{0};
}

asio::awaitable<Attempt> World::run_command(Words argv, AttemptOptions limits) {
  if (killed_) co_return Attempt{.outcome = Signalled{9}, .interrupted_by = 9};
  std::string line;
  for (std::size_t i = 1; i < argv.size(); ++i) line += (i > 1 ? " " : "") + argv[i];
  log.push_back(line);
  times.emplace_back(line, now);
  Attempt attempt;
  attempt.outcome = not_started(argv);
  if (std::holds_alternative<NotStarted>(attempt.outcome)) co_return attempt;
  Said said = answer(argv);
  const std::function<void()> at_its_end = std::exchange(at_its_end_, nullptr);
  attempt.elapsed = said.took;
  attempt.outcome = Exited{said.code};
  if (limits.timeout && said.took > *limits.timeout) {
    attempt.elapsed = *limits.timeout;
    attempt.outcome = TimedOut{TimeLimit::attempt, *limits.timeout};
  }
  if (said.stalls && limits.stall_timeout) {
    attempt.elapsed = *limits.stall_timeout;
    attempt.outcome = TimedOut{TimeLimit::stalled, *limits.stall_timeout};
  }
  if (limits.deadline && now + attempt.elapsed > *limits.deadline) {
    attempt.elapsed = *limits.deadline - now;
    attempt.outcome = TimedOut{TimeLimit::deadline, attempt.elapsed};
  }
  co_await pass(attempt.elapsed);
  if (at_its_end && !killed_ && attempt.elapsed == said.took) at_its_end();
  attempt.interrupted_by = interrupted();
  attempt.output.standard_output.tail = said.out;
  attempt.output.standard_error.tail = said.err;
  co_return attempt;
}

asio::awaitable<std::optional<int>> World::wait(Duration duration) {
  if (killed_) co_return 9;
  if (interrupted_at && now + duration > *interrupted_at) {
    duration = std::max(*interrupted_at - now, Duration(0));
  }
  co_await pass(duration);
  co_return interrupted();
}

PublishSeams World::seams() {
  PublishSeams seams;
  seams.run = [this](const Command& command, const AttemptOptions& limits) {
    return run_command(command.argv, limits);
  };
  seams.wait = [this](Duration duration) { return wait(duration); };
  seams.interrupted_by = [this] { return interrupted(); };
  seams.now = [this] { return now; };
  seams.judge = judge;
  seams.random = seeded_random(seed);
  seams.events = [this](const PublishEvent& event) {
    if (!killed_ && keeps_events) events.push_back(event);
  };
  return seams;
}

PublishResult World::run() {
  return run(1).front().value();
}

std::vector<std::optional<PublishResult>> World::run(std::size_t runs, TimePoint until) {
  std::vector<std::optional<PublishResult>> results(runs);
  std::vector<std::optional<PublishResult>> left;
  TimePoint killed_at;
  {
    asio::io_context context;
    for (std::optional<PublishResult>& result : results) {
      asio::co_spawn(
          context,
          [&]() -> asio::awaitable<void> {
            result = co_await publish::publish(plan, options, seams());
          },
          [](const std::exception_ptr& failure) {
            if (failure) std::rethrow_exception(failure);
          });
    }
    const auto ended = [](const auto& result) { return result.has_value(); };
    while (true) {
      context.restart();
      context.poll();
      if (std::all_of(results.begin(), results.end(), ended)) break;
      if (sleeping_.empty()) FAIL("everybody waits, and nobody for the time");
      now = std::max(now, sleeping_.begin()->first);
      sleeping_.begin()->second->cancel();
      if (killed_ || now < until) continue;
      killed_ = true;
      killed_at = now;
      left = results;
    }
  }
  if (!std::exchange(killed_, false)) return results;
  now = killed_at;
  return left;
}

std::size_t World::count(const std::string& beginning) const {
  return static_cast<std::size_t>(
      std::count_if(log.begin(), log.end(),
                    [&](const std::string& line) { return line.starts_with(beginning); }));
}

std::size_t World::writes() const {
  return count("cp") + count("manifest push") + count("attach");
}

}  // namespace world
