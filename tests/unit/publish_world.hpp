// Registries that lag, throttle and fail, and the oras and soci that speak to them, in a time that
// jumps: no process, no sleep.
#pragma once

#include "temporary_folder.hpp"

#include <retry_exec/publish_run.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace world {

using retry_exec::Duration;
using retry_exec::TimePoint;
using Words = std::vector<std::string>;

struct Said {
  int code = 0;
  std::string out;
  std::string err;
  Duration took = std::chrono::milliseconds(50);
  bool stalls = false;  // nothing moves in it
};

// "host/name" of "host/name@sha256:…" and of "host/name:tag".
std::string repository_of(const std::string& reference);
// What is behind that.
std::string behind(const std::string& reference, char sign);

// A repository: since when what shows, and what its tags hold.
struct Repository {
  std::map<std::string, TimePoint> shows;  // digest → since when
  std::set<std::string> without_config;    // images that are there and cannot be run
  struct Tag {
    std::string digest;
    std::string before;  // what reads give until it shows; empty: nothing
    TimePoint shows = {};
  };
  std::map<std::string, Tag> tags;
};

struct World {
  retry_exec::publish::plan::Plan plan;
  retry_exec::publish::PublishOptions options;
  std::optional<TimePoint> interrupted_at;
  std::uint64_t seed = 1;  // of the jitter

  std::map<std::string, Repository> repositories;  // by "host/name"
  std::map<std::string, std::string> manifests;    // digest → bytes; images need none
  std::map<std::string, std::string> converted;    // digest → that of the image it was
  std::set<std::string> no_images;                 // digests of manifests that attest something
  // How long what is put somewhere does not show: a digest or "tag NAME" of a repository.
  std::function<Duration(const std::string& repository, const std::string& what)> lag;
  // Asked first; a command that it has an answer for goes no further.
  std::function<std::optional<Said>(const Words&)> fault;
  // Whether the program of a command is not there.
  std::function<bool(const Words&)> is_gone;
  // Asked afterwards: may spoil the answer to what has been done.
  std::function<Said(const Words&, Said)> spoil;

  // What commands of the plan's own did ("cosign sign r@sha256:…"), and what is recorded of that.
  std::vector<std::string> done_after;
  std::multimap<std::string, std::string> records;  // by "repository@digest"
  // Repositories whose registry does not list what belongs to a digest: oras keeps the list in a
  // tag, which it reads and writes back.
  std::set<std::string> without_referrers;

  TimePoint start = TimePoint{} + std::chrono::hours(1000);
  TimePoint now = start;
  std::vector<std::string> log;  // "manifest fetch …"
  std::vector<std::pair<std::string, TimePoint>> times;
  std::vector<retry_exec::publish::PublishEvent> events;
  bool keeps_events = true;
  std::size_t moves = 0;  // of tags, so far

  World();

  static std::string digest(char c) { return "sha256:" + std::string(64, c); }
  static constexpr std::uint64_t image_size = 243;  // bytes of the manifest of any image
  static Said not_found(const std::string& what);

  // A target of images in r.io/tmp, each named by a letter that is also its processor.
  retry_exec::publish::plan::Target& add_target(const std::string& name,
                                                const std::vector<char>& sources,
                                                const Words& finals);
  // Since when a source of add_target shows.
  TimePoint& shows(char source) { return repositories["r.io/tmp"].shows[digest(source)]; }
  // What a tag ("f.io/r:1") holds, in truth.
  std::string at(const std::string& tag) const;
  // What it reads as now: the registry may lag.
  std::string shown(const std::string& tag) const { return read(tag); }
  void set_tag(const std::string& tag, const std::string& digest);
  // Puts a manifest of these bytes somewhere, and what it lists.
  std::string add_index(const std::string& repository, const std::string& json);

  Said answer(const Words& argv);

  retry_exec::publish::PublishResult run();
  // Side by side; those that have not ended when `until` comes are killed. What they hold must
  // still be given back in its order, so they go on to their end, but nothing that they do counts.
  std::vector<std::optional<retry_exec::publish::PublishResult>> run(
      std::size_t runs, TimePoint until = TimePoint::max());

  std::size_t count(const std::string& beginning) const;
  std::size_t writes() const;
  Duration elapsed() const { return now - start; }

 private:
  std::string read(const std::string& reference) const;
  std::string content_of(const std::string& digest) const;
  std::string descriptor_of(const std::string& digest) const;
  void put(const std::string& repository, const std::string& digest);
  void move_tag(const std::string& repository, const std::string& tag, const std::string& digest);
  Said fetch(const Words& argv) const;
  Said push(const Words& argv);
  Said describe(const Words& argv) const;
  Said discover(const Words& argv) const;
  Said attach(const Words& argv);
  Said copy(const Words& argv);
  Said pull(const Words& argv);
  Said push_layout(const Words& argv);
  Said convert(const Words& argv);

  retry_exec::Outcome not_started(const Words& argv) const;
  boost::asio::awaitable<void> pass(Duration duration);
  boost::asio::awaitable<retry_exec::Attempt> run_command(Words argv,
                                                          retry_exec::AttemptOptions limits);
  boost::asio::awaitable<std::optional<int>> wait(Duration duration);
  std::optional<int> interrupted() const;
  retry_exec::publish::PublishSeams seams();

  test::TemporaryFolder folder_;
  std::function<void()> at_its_end_;  // of the command that begins
  std::multimap<TimePoint, boost::asio::steady_timer*> sleeping_;
  bool killed_ = false;
};

}  // namespace world
