// Decides what becomes of each request: the plan, what was pushed when, and the counts so far.
// No input or output; time comes in from outside.
#pragma once

#include "plan.hpp"
#include "request.hpp"

#include <map>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace flaky {

using Instant = std::chrono::steady_clock::time_point;

// What the session has to do.
struct Pass {};
struct Redirected {  // serve this manifest instead of the tag's; empty: there was none
  std::string digest;
};
struct NotVisible {};   // 404
struct ParentRefused {  // of this child
  std::string digest;
};
using Action = std::variant<Pass, Redirected, NotVisible, ParentRefused, Answer, ImmutableTags,
                            Reset, Cut, Silence>;

struct Decision {
  Action action = Pass{};
  std::string fault;  // its name; empty when none struck
  bool forward = false;
  Duration delay{};
};

class Chaos {
 public:
  Chaos(Plan plan, Instant now) { replace(std::move(plan), now); }

  void replace(Plan plan, Instant now);

  // `body` is that of a manifest PUT; `tag_exists` tells of the tag that such a PUT is for.
  Decision decide(const Subject& subject, std::string_view body, bool tag_exists, Instant now);

  // The registry has taken these. `before` is what the tag said before; empty: nothing.
  void pushed(const std::string& repository, const std::string& reference, Instant now);
  void moved(const std::string& repository, const std::string& tag, const std::string& before,
             const std::string& digest, Instant now);
  void removed(const std::string& key);

 private:
  struct Counted {  // one fault's state
    std::mt19937_64 random;
    std::map<std::string, unsigned> seen;   // requests that the selection fits
    std::map<std::string, unsigned> reads;  // answered as invisible or stale
  };
  struct Move {
    Instant at;
    std::string digest;
  };

  bool selected(const Fault& fault, const Subject& subject) const;
  bool due(const Fault& fault, Counted& counted, const std::string& key);
  std::optional<Action> effect_of(const Fault& fault, Counted& counted, const Subject& subject,
                                  std::string_view body, bool tag_exists, Instant now);
  bool invisible(const Invisible& effect, Counted& counted, const std::string& key, bool counts,
                 Instant now) const;
  std::optional<Action> stale(const Stale& effect, Counted& counted, const std::string& key,
                              Instant now) const;

  Plan plan_;
  Instant loaded_;
  std::vector<Counted> counted_;
  std::map<std::string, Instant> pushes_;
  std::map<std::string, std::vector<Move>> moves_;
};

}  // namespace flaky
