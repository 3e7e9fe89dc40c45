// Whole runs against a registry that lags, throttles and fails, in a time that jumps: no process,
// no sleep.
#include "catch_shim.hpp"
#include "publish/index.hpp"
#include "publish/sha256.hpp"

#include <retry_exec/publish_run.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

using namespace retry_exec;
using namespace retry_exec::publish;
using namespace std::chrono_literals;

namespace asio = boost::asio;

namespace {

struct Said {
  int code = 0;
  std::string out;
  std::string err;
  Duration took = 50ms;
};

// A registry, and an oras that speaks to it.
struct World {
  Plan plan;
  PublishOptions options;
  std::optional<TimePoint> interrupted_at;

  std::map<std::string, TimePoint> visible;      // digest → since when
  std::map<std::string, std::string> tags;       // "host/repo:tag" → digest
  std::map<std::string, TimePoint> stale_until;  // a tag shows what was there before
  std::map<std::string, std::string> stale;
  // Asked first; a command that it has an answer for goes no further.
  std::function<std::optional<Said>(const std::vector<std::string>&)> fault;
  Duration index_lag{};

  TimePoint start = TimePoint{} + 1000h;
  TimePoint now = start;
  std::vector<std::string> log;  // "manifest fetch …", without options
  std::vector<std::pair<std::string, TimePoint>> times;
  std::vector<PublishEvent> events;

  World() {
    plan.rules = {"ghcr"};
    plan.scratch = "/nonexistent";
  }

  static std::string digest(char c) { return "sha256:" + std::string(64, c); }

  Target& add_target(const std::string& name, const std::vector<char>& sources,
                     const std::vector<std::string>& finals) {
    Target target;
    target.name = name;
    for (const char c : sources) {
      target.sources.push_back({{"r.io", "tmp", "", digest(c)}, std::nullopt});
      visible.emplace(digest(c), start);
    }
    target.staging = {"r.io", "tmp", "", ""};
    for (const std::string& tag : finals) target.tags.push_back(parse_reference(tag).value());
    plan.targets.push_back(target);
    return plan.targets.back();
  }

  // ---- oras ----

  static Said not_found(const std::string& what) {
    return {1, "", "Error response from registry: " + what + ": not found\n"};
  }

  std::string digest_of_reference(const std::string& reference) {
    const std::size_t at = reference.find('@');
    if (at != std::string::npos) {
      const std::string digest = reference.substr(at + 1);
      const auto found = visible.find(digest);
      return found != visible.end() && found->second <= now ? digest : "";
    }
    if (const auto until = stale_until.find(reference); until != stale_until.end()) {
      if (now < until->second) return stale[reference];
    }
    const auto found = tags.find(reference);
    return found == tags.end() ? "" : found->second;
  }

  Said manifest(const std::vector<std::string>& argv) {
    const std::string& reference = argv.back();
    const std::string found = digest_of_reference(reference);
    if (found.empty()) return not_found(reference);
    if (argv[2] == "fetch-config") {
      const std::string architecture = "cpu-" + found.substr(7, 1);
      return {0, R"({"os":"linux","architecture":")" + architecture + "\"}", ""};
    }
    return {0,
            R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + found +
                R"(","size":10})",
            ""};
  }

  Said create_index(const std::vector<std::string>& argv) {
    std::vector<Descriptor> manifests;
    std::size_t word = 4;
    while (argv[word].starts_with("--")) word += 2;
    const std::string staging = argv[word++];
    for (; word < argv.size(); ++word) {
      manifests.push_back(
          {"application/vnd.oci.image.manifest.v1+json", argv[word], 10,
           Platform{.os = "linux", .architecture = "cpu-" + argv[word].substr(7, 1)}});
    }
    const std::string made = publish::digest_of(index_json(manifests, {}));
    visible.emplace(made, now + index_lag);
    tags[staging] = made;
    return {0, "Pushed\nDigest: " + made + "\n", ""};
  }

  Said copy(const std::vector<std::string>& argv) {
    const std::string found = digest_of_reference(argv[argv.size() - 2]);
    if (found.empty()) return not_found(argv[argv.size() - 2]);
    if (tags.contains(argv.back())) stale[argv.back()] = tags[argv.back()];
    tags[argv.back()] = found;
    return {0, "Copied\n", ""};
  }

  Said answer(const std::vector<std::string>& argv) {
    if (fault) {
      if (const auto said = fault(argv)) return *said;
    }
    if (argv[1] == "cp") return copy(argv);
    return argv[2] == "index" ? create_index(argv) : manifest(argv);
  }

  // ---- seams ----

  asio::awaitable<void> pass(Duration duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    const auto place = sleeping_.emplace(now + duration, &timer);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    sleeping_.erase(place);
  }

  std::optional<int> interrupted() const {
    return interrupted_at && now >= *interrupted_at ? std::optional(2) : std::nullopt;
  }

  asio::awaitable<Attempt> run_command(std::vector<std::string> argv, AttemptOptions limits) {
    std::string line;
    for (std::size_t i = 1; i < argv.size(); ++i) line += (i > 1 ? " " : "") + argv[i];
    log.push_back(line);
    times.emplace_back(line, now);
    Said said = answer(argv);
    Attempt attempt;
    attempt.elapsed = said.took;
    attempt.outcome = Exited{said.code};
    if (limits.timeout && said.took > *limits.timeout) {
      attempt.elapsed = *limits.timeout;
      attempt.outcome = TimedOut{TimeLimit::attempt, *limits.timeout};
    }
    if (limits.deadline && now + attempt.elapsed > *limits.deadline) {
      attempt.elapsed = *limits.deadline - now;
      attempt.outcome = TimedOut{TimeLimit::deadline, attempt.elapsed};
    }
    co_await pass(attempt.elapsed);
    attempt.interrupted_by = interrupted();
    attempt.output.standard_output.tail = said.out;
    attempt.output.standard_error.tail = said.err;
    co_return attempt;
  }

  asio::awaitable<std::optional<int>> wait(Duration duration) {
    if (interrupted_at && now + duration > *interrupted_at) {
      duration = std::max(*interrupted_at - now, Duration(0));
    }
    co_await pass(duration);
    co_return interrupted();
  }

  static Verdict judge(const retry_exec::Failure& failure) {
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
    is("toomanyrequests", "throttled", true);
    is("not found", "absent", false);
    is("", "transient", true);
    if (verdict.class_name == "throttled") verdict.retry_after = 20s;
    return verdict;
  }

  PublishResult run() {
    PublishSeams seams;
    seams.run = [this](const Command& command, const AttemptOptions& limits) {
      return run_command(command.argv, limits);
    };
    seams.wait = [this](Duration duration) { return wait(duration); };
    seams.interrupted_by = [this] { return interrupted(); };
    seams.now = [this] { return now; };
    seams.judge = judge;
    seams.random = seeded_random(1);
    seams.events = [this](const PublishEvent& event) { events.push_back(event); };
    asio::io_context context;
    std::optional<PublishResult> result;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
          result = co_await publish::publish(plan, options, seams);
        },
        [](const std::exception_ptr& failure) {
          if (failure) std::rethrow_exception(failure);
        });
    while (!result) {
      context.restart();
      context.poll();
      if (result) break;
      REQUIRE_FALSE(sleeping_.empty());
      now = std::max(now, sleeping_.begin()->first);
      sleeping_.begin()->second->cancel();
    }
    return *result;
  }

  std::size_t count(const std::string& beginning) const {
    return static_cast<std::size_t>(
        std::count_if(log.begin(), log.end(),
                      [&](const std::string& line) { return line.starts_with(beginning); }));
  }

  Duration elapsed() const { return now - start; }

 private:
  std::multimap<TimePoint, asio::steady_timer*> sleeping_;
};

bool is_probe_of(const std::vector<std::string>& argv, const std::string& part) {
  return argv[1] == "manifest" && argv.back().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("A target goes from its sources to verified tags", "[publish]") {
  World world;
  world.add_target("one", {'b', 'a'}, {"f.io/r:1", "f.io/r:latest"});
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  const TargetResult& target = result.targets[0];
  CHECK(world.tags["f.io/r:1"] == target.digest);
  CHECK(world.tags["f.io/r:latest"] == target.digest);
  CHECK(target.tags[0].copied);
  CHECK(target.tags[0].verified);
  CHECK(target.phases.size() == 4);
  CHECK(world.count("cp") == 2);
  // Sources in the order of their platforms, whatever the plan's order.
  CHECK(std::any_of(world.log.begin(), world.log.end(), [](const std::string& line) {
    return line.starts_with("manifest index create") &&
           line.ends_with(World::digest('a') + " " + World::digest('b'));
  }));
}

TEST_CASE("A second run copies nothing and creates nothing", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  REQUIRE(world.run().exit_code() == 0);
  world.log.clear();
  const PublishResult again = world.run();
  CHECK(again.exit_code() == 0);
  CHECK(world.count("cp") == 0);
  CHECK(world.count("manifest index") == 0);
  CHECK_FALSE(again.targets[0].tags[0].copied);
  CHECK(again.targets[0].tags[0].verified);
}

TEST_CASE("A lagging source is found within a tenth of its lag and a second", "[publish]") {
  for (const Duration lag : {1s, 5s, 20s, 60s, 300s}) {
    World world;
    world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
    world.visible[World::digest('b')] = world.start + lag;
    const PublishResult result = world.run();
    REQUIRE(result.exit_code() == 0);
    const PhaseResult& preflight = result.targets[0].phases[0];
    CHECK(preflight.elapsed <= lag + lag / 10 + 1s);
    REQUIRE(result.targets[0].lags.size() == 1);
    CHECK(result.targets[0].lags[0].what == "r.io/tmp@" + World::digest('b'));
    CHECK(result.targets[0].lags[0].probes < 60);
  }
}

TEST_CASE("A digest that never comes ends its target alone", "[publish]") {
  World world;
  world.add_target("lost", {'a'}, {"f.io/r:1"});
  world.add_target("good", {'b'}, {"f.io/r:2"});
  world.visible[World::digest('a')] = TimePoint::max();
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  CHECK_FALSE(result.targets[1].failure);
  REQUIRE(result.targets[0].failure);
  const publish::Failure& failure = *result.targets[0].failure;
  CHECK(failure.phase == Phase::preflight);
  CHECK(failure.reason == StopReason::deadline);
  CHECK(failure.what.find(World::digest('a')) != std::string::npos);
  CHECK(failure.what.find("not found") != std::string::npos);
  CHECK(failure.command.size() == 5);
  CHECK(world.elapsed() < 11min);
}

TEST_CASE("What is denied ends its target at once, whatever else is waited for", "[publish]") {
  World world;
  world.add_target("one", {'a', 'b'}, {"f.io/r:1"});
  world.visible[World::digest('a')] = TimePoint::max();
  world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (!is_probe_of(argv, World::digest('b'))) return std::nullopt;
    return Said{1, "", "Error response from registry: denied: requested access\n"};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->reason == StopReason::permanent);
  CHECK(world.elapsed() < 2s);
}

TEST_CASE("The new index is waited for before it is copied", "[publish]") {
  World world;
  world.index_lag = 20s;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 0);
  CHECK(world.count("cp") == 1);
  CHECK(world.elapsed() < 24s);
}

TEST_CASE(
    "A copy that misses something is repeated when that is readable, not to see whether it is",
    "[publish]") {
  for (const Duration lag : {3s, 20s, 60s}) {
    World world;
    world.add_target("one", {'a'}, {"f.io/r:1"});
    std::optional<TimePoint> since;
    world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
      const bool copies = argv[1] == "cp";
      const bool probes = !copies && argv.back() == "f.io/r@" + World::digest('a');
      if (!copies && !probes) return std::nullopt;
      if (!since) since = world.now;
      if (world.now < *since + lag) {
        return World::not_found(World::digest('a'));
      }
      return copies ? std::nullopt : std::optional(Said{0, "{}", ""});
    };
    const PublishResult result = world.run();
    REQUIRE(result.exit_code() == 0);
    CHECK(world.elapsed() < lag + lag / 10 + 3s);
    CHECK(world.count("cp") < 15);
  }
}

TEST_CASE("The plan's attempts are those of failures, not of what is waited for", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.plan.policy.attempts = 2;
  world.visible[World::digest('a')] = world.start + 60s;
  unsigned copies = 0;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[1] != "cp" || ++copies > 4) return std::nullopt;
    return World::not_found(World::digest('b'));
  };
  CHECK(world.run().exit_code() == 0);
  unsigned failures = 0;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[1] != "cp") return std::nullopt;
    ++failures;
    return Said{1, "", "connection refused\n"};
  };
  world.tags.clear();
  CHECK(world.run().exit_code() == 1);
  CHECK(failures == 2);
}

TEST_CASE("A tag that reads stale or not at all is waited for", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:latest"});
  world.tags["f.io/r:latest"] = World::digest('c');
  world.stale["f.io/r:latest"] = World::digest('c');
  world.stale_until["f.io/r:latest"] = world.start + 10s;
  const PublishResult result = world.run();
  REQUIRE(result.exit_code() == 0);
  CHECK(world.tags["f.io/r:latest"] == result.targets[0].digest);
  CHECK(world.elapsed() < 12s);
  REQUIRE(result.targets[0].lags.size() == 1);
  CHECK(result.targets[0].lags[0].phase == Phase::verify);
}

TEST_CASE("A tag that stays stale is told as stale, one that is gone as missing", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:latest"});
  world.add_target("two", {'b'}, {"f.io/r:2"});
  world.tags["f.io/r:latest"] = World::digest('c');
  world.stale_until["f.io/r:latest"] = TimePoint::max();
  world.stale_until["f.io/r:2"] = TimePoint::max();
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->what.find("is stale") != std::string::npos);
  REQUIRE(result.targets[1].failure);
  CHECK(result.targets[1].failure->what.find("is missing") != std::string::npos);
}

TEST_CASE("Copies into one repository go in the plan's order; to others nobody waits",
          "[publish]") {
  World world;
  world.add_target("late", {'a'}, {"f.io/r:1", "g.io/r:1"});
  world.add_target("second", {'b'}, {"g.io/r:2"});
  world.add_target("other", {'c'}, {"f.io/other:3"});
  world.visible[World::digest('a')] = world.start + 30s;
  CHECK(world.run().exit_code() == 0);
  std::map<std::string, TimePoint> copied;
  for (const auto& [line, at] : world.times) {
    if (line.starts_with("cp")) copied[line.substr(line.rfind(' ') + 1)] = at;
  }
  CHECK(copied["f.io/other:3"] < world.start + 2s);
  CHECK(copied["g.io/r:1"] >= world.start + 30s);
  CHECK(copied["g.io/r:1"] < copied["g.io/r:2"]);
  CHECK(copied["f.io/r:1"] == copied["g.io/r:1"]);
}

TEST_CASE("Copies go in the plan's order, and a failed target lets the next one pass",
          "[publish]") {
  World world;
  world.add_target("late", {'a'}, {"f.io/r:1"});
  world.add_target("lost", {'b'}, {"f.io/r:2"});
  world.add_target("last", {'c'}, {"f.io/r:3"});
  world.visible[World::digest('a')] = world.start + 30s;
  world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (!is_probe_of(argv, World::digest('b'))) return std::nullopt;
    return Said{1, "", "denied\n"};
  };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  std::vector<std::string> copies;
  for (const std::string& line : world.log) {
    if (line.starts_with("cp")) copies.push_back(line.substr(line.rfind(' ') + 1));
  }
  CHECK(copies == std::vector<std::string>{"f.io/r:1", "f.io/r:3"});
}

TEST_CASE("A refusal to overwrite a tag is no failure when the tag is ours", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[1] != "cp") return std::nullopt;
    world.copy(argv);  // done, and the answer lost; then refused
    return Said{1, "", "tag invalid: cannot be overwritten because the tag is immutable\n"};
  };
  CHECK(world.run().exit_code() == 0);
}

TEST_CASE("A refusal to overwrite a tag of ours that reads stale or not at all is waited for",
          "[publish]") {
  const bool was_there = GENERATE(false, true);
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  if (was_there) world.tags["f.io/r:1"] = World::digest('c');
  bool done = false;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[1] != "cp") return std::nullopt;
    if (done) {
      return Said{1, "", "tag invalid: cannot be overwritten because the tag is immutable\n"};
    }
    done = true;
    world.copy(argv);
    world.stale_until["f.io/r:1"] = world.now + 20s;
    return Said{1, "", "connection reset\n"};
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.elapsed() < 30s);
}

TEST_CASE("A refusal to overwrite another's tag is a failure", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.tags["f.io/r:1"] = World::digest('c');
  world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[1] != "cp") return std::nullopt;
    return Said{1, "", "tag invalid: cannot be overwritten because the tag is immutable\n"};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->phase == Phase::copy);
  CHECK(world.tags["f.io/r:1"] == World::digest('c'));
}

TEST_CASE("A registry that throttles is left alone by every target", "[publish]") {
  World world;
  for (int i = 0; i < 5; ++i) {
    world.add_target("t" + std::to_string(i), {static_cast<char>('a' + i)},
                     {"f.io/r:" + std::to_string(i)});
  }
  bool throttled = false;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (throttled || argv[1] != "manifest" || argv[2] != "index") return std::nullopt;
    throttled = true;
    return Said{1, "", "toomanyrequests: slow down\n"};
  };
  CHECK(world.run().exit_code() == 0);
  const TimePoint struck = std::find_if(world.times.begin(), world.times.end(), [](const auto& at) {
                             return at.first.starts_with("manifest index");
                           })->second;
  for (const auto& [line, at] : world.times) {
    // What was on its way already is not called back.
    const bool in_pause = at > struck + 200ms && at < struck + 20s;
    if (line.find("r.io/tmp") != std::string::npos) CHECK_FALSE(in_pause);
  }
}

TEST_CASE("A dead registry is not hammered by every target", "[publish]") {
  World world;
  for (int i = 0; i < 200; ++i) {
    world.add_target("t" + std::to_string(i), {static_cast<char>('a' + i % 6)},
                     {"f.io/r:" + std::to_string(i)});
  }
  world.plan.phases[Phase::preflight].deadline = 60s;
  world.fault = [](const std::vector<std::string>&) { return Said{1, "", "connection refused\n"}; };
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 1);
  // The first of each, the bucket, and two a second.
  CHECK(world.log.size() <= 200 + 30 + 2 * 61);
}

TEST_CASE("A hang is cut and tried again", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  bool hung = false;
  world.fault = [&](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (hung || argv[1] != "manifest") return std::nullopt;
    hung = true;
    return Said{1, "", "", 24h};
  };
  CHECK(world.run().exit_code() == 0);
  CHECK(world.elapsed() < 40s);
}

TEST_CASE("The deadline of the whole run ends it with 124", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.visible[World::digest('a')] = TimePoint::max();
  world.options.deadline = 10s;
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 124);
  CHECK(world.elapsed() <= 11s);
}

TEST_CASE("An interruption ends every target", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.add_target("two", {'b'}, {"f.io/r:2"});
  world.visible[World::digest('a')] = TimePoint::max();
  world.interrupted_at = world.start + 5s;
  const PublishResult result = world.run();
  CHECK(result.exit_code() == 130);
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->reason == StopReason::interrupted);
  CHECK(world.elapsed() < 7s);
}

TEST_CASE("An index as a source is told, or its images are taken", "[publish]") {
  World world;
  Target& target = world.add_target("one", {'a'}, {"f.io/r:1"});
  world.visible[World::digest('d')] = world.start;
  world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (!is_probe_of(argv, World::digest('a'))) return std::nullopt;
    if (argv[3] == "--descriptor") {
      return Said{0,
                  R"({"mediaType":"application/vnd.oci.image.index.v1+json","digest":")" +
                      World::digest('a') + R"(","size":10})",
                  ""};
    }
    return Said{
        0,
        R"({"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
            World::digest('d') +
            R"(","size":10,"platform":{"os":"linux","architecture":"cpu-d"}},)"
            R"({"digest":")" +
            World::digest('e') + R"(","platform":{"os":"unknown","architecture":"unknown"}}]})",
        ""};
  };
  const PublishResult refused = world.run();
  REQUIRE(refused.targets[0].failure);
  CHECK(refused.targets[0].failure->what.find("flatten: true") != std::string::npos);
  target.flatten = true;
  CHECK(world.run().exit_code() == 0);
}

TEST_CASE("An index that is not what its sources make is not published", "[publish]") {
  World world;
  world.add_target("one", {'a'}, {"f.io/r:1"});
  world.fault = [](const std::vector<std::string>& argv) -> std::optional<Said> {
    if (argv[1] != "manifest" || argv[2] != "index") return std::nullopt;
    return Said{0, "Digest: " + World::digest('f') + "\n", ""};
  };
  const PublishResult result = world.run();
  REQUIRE(result.targets[0].failure);
  CHECK(result.targets[0].failure->phase == Phase::index);
  CHECK(world.count("cp") == 0);
}
