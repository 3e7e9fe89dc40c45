// How often, and after which waits, a command is tried again.
//
// Pure values and arithmetic: no clock, no process. Randomness comes in from outside.
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/quantity.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace retry_exec {

// How the n-th wait (n from 1) grows out of `delay` d and `factor` f, before max-delay and jitter:
//   constant       d
//   linear         d·n
//   exponential    d·fⁿ⁻¹
//   decorrelated   uniform in [d, 3·previous wait]  (Brooker, "Exponential Backoff And Jitter",
//                  https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)
enum class Growth { constant, linear, exponential, decorrelated };

// What chance does to a computed wait w:
//   none      w
//   equal     uniform in [w/2, w]: keeps a floor, so that a lagging registry is given time
//   full      uniform in [0, w]
//   percent   uniform in [w·(1-p), w·(1+p)], then cut to max-delay
//   added     w plus uniform in [0, amount]
struct Jitter {
  enum class Kind { none, equal, full, percent, added };
  Kind kind = Kind::equal;
  double percent = 0;  // of Kind::percent, 0 to 100
  Duration added{};    // of Kind::added
  bool operator==(const Jitter&) const = default;
};

// One layer's say. What it leaves out, a weaker layer decides. Strongest first: option,
// environment, rule, its class (of the rule file, else ours), the file's own policy, default. A
// limit that is `unlimited` (quantity.hpp) is switched off, whatever a weaker layer says.
struct PolicyFields {
  std::optional<unsigned> attempts;  // in all, the first included; ≥ 1; 0 stands for no end
  std::optional<Duration> delay;
  std::optional<double> factor;
  std::optional<Duration> max_delay;
  std::optional<Growth> backoff;
  std::optional<Jitter> jitter;
  std::optional<Duration> timeout;        // of one attempt
  std::optional<Duration> idle_timeout;   // of one attempt that prints nothing
  std::optional<Duration> stall_timeout;  // of one attempt in which nothing moves
  std::optional<Duration> deadline;       // of the whole run
  std::optional<Duration> kill_after;     // from the first signal to KILL
  // `delay` was said by a stronger layer than `max_delay`, which then does not cut it short.
  bool delay_outranks_max = false;

  bool operator==(const PolicyFields&) const = default;
};

// A policy with nothing left open. The defaults: 5 attempts, 2 s
// growing by 2 up to 32 s, equal jitter, no time limit, KILL 10 s after the first signal.
struct Policy {
  unsigned attempts = 5;  // 0: no end
  Duration delay = std::chrono::seconds(2);
  double factor = 2;
  Duration max_delay = std::chrono::seconds(32);
  Growth backoff = Growth::exponential;
  Jitter jitter;
  std::optional<Duration> timeout;
  std::optional<Duration> idle_timeout;
  std::optional<Duration> stall_timeout;
  std::optional<Duration> deadline;
  Duration kill_after = std::chrono::seconds(10);

  bool operator==(const Policy&) const = default;
};

// Words and back. The parsers' errors name the words that would be right.
std::string_view to_string(Growth growth);
Result<Growth> parse_growth(std::string_view text);
std::string to_string(const Jitter& jitter);
Result<Jitter> parse_jitter(std::string_view text);      // "none", "equal", "full", "25%", "500ms"
Result<unsigned> parse_attempts(std::string_view text);  // ≥ 1, at most 1,000,000
Result<double> parse_factor(std::string_view text);      // 0.1 to 1000

// ---- the fields, once ------------------------------------------------------------------------

enum class PolicyPart { pace, attempt, run };  // the waits, limits of one attempt, of the whole run

// A field, from which follow how it is read, layered, described, compiled in, printed as JSON, and
// what rule-file.schema.json says of it.
template <class Value, class Chosen>
struct PolicyField {
  std::string_view name;  // in files and in JSON
  std::optional<Value> PolicyFields::*said;
  Chosen Policy::*chosen;  // a Value; of a limit, an optional one
  PolicyPart part;
  Result<Value> (*parse)(std::string_view);
  std::string_view wanted;  // by files, for messages
  std::string_view schema;  // its $defs in the schema
  const char* option;       // of retry-exec
  const char* argument;
  const char* help;
  std::string_view limits;  // of a limit: "30s an attempt"
};
template <class Value, class Chosen, class... Rest>
PolicyField(std::string_view, std::optional<Value> PolicyFields::*, Chosen Policy::*, Rest...)
    -> PolicyField<Value, Chosen>;

// In the order in which they are shown.
inline constexpr std::tuple policy_fields = {
    PolicyField{"attempts", &PolicyFields::attempts, &Policy::attempts, PolicyPart::pace,
                parse_attempts, "a number", "attempts", "attempts,a", "N",
                "attempts in all, the first included (5)", ""},
    PolicyField{"delay", &PolicyFields::delay, &Policy::delay, PolicyPart::pace, parse_duration,
                "a duration such as 30s", "duration", "delay,d", "DUR", "first wait (2s)", ""},
    PolicyField{"factor", &PolicyFields::factor, &Policy::factor, PolicyPart::pace, parse_factor,
                "a number", "factor", "factor", "F", "growth per wait (2)", ""},
    PolicyField{"max-delay", &PolicyFields::max_delay, &Policy::max_delay, PolicyPart::pace,
                parse_limit, "a duration such as 30s, or none", "limit", "max-delay,m", "DUR",
                "longest wait, or none (32s; never less than a --delay that is given)", ""},
    PolicyField{"backoff", &PolicyFields::backoff, &Policy::backoff, PolicyPart::pace, parse_growth,
                "a word", "backoff", "backoff", "KIND",
                "constant, linear, exponential or decorrelated (exponential)", ""},
    PolicyField{"jitter", &PolicyFields::jitter, &Policy::jitter, PolicyPart::pace, parse_jitter,
                "a word, 'N%' or a duration", "jitter", "jitter,j", "KIND",
                "none, equal, full, N%, or a duration that is added (equal)", ""},
    PolicyField{"timeout", &PolicyFields::timeout, &Policy::timeout, PolicyPart::attempt,
                parse_limit, "a duration such as 30s, or none", "limit", "timeout,t", "DUR",
                "of one attempt (none)", "an attempt"},
    PolicyField{"idle-timeout", &PolicyFields::idle_timeout, &Policy::idle_timeout,
                PolicyPart::attempt, parse_limit, "a duration such as 30s, or none", "limit",
                "idle-timeout", "DUR", "of an attempt that prints nothing (none)",
                "without output"},
    PolicyField{"stall-timeout", &PolicyFields::stall_timeout, &Policy::stall_timeout,
                PolicyPart::attempt, parse_limit, "a duration such as 30s, or none", "limit",
                "stall-timeout", "DUR",
                "of an attempt in which nothing moves: no output, no bytes read, written, sent "
                "or received, next to no CPU time (none)",
                "without movement"},
    PolicyField{"deadline", &PolicyFields::deadline, &Policy::deadline, PolicyPart::run,
                parse_limit, "a duration such as 30s, or none", "limit", "deadline", "DUR",
                "of the whole run: no attempt outlives it, and the run stops if the next wait "
                "would not fit (none)",
                "in all"},
    PolicyField{"kill-after", &PolicyFields::kill_after, &Policy::kill_after, PolicyPart::attempt,
                parse_duration, "a duration such as 30s", "duration", "kill-after,k", "DUR",
                "from that signal to KILL (10s)", ""},
};

// Calls `f` with each.
template <class F>
void for_each_policy_field(F f) {
  std::apply([&f](const auto&... field) { (f(field), ...); }, policy_fields);
}

// ---- what is done with them ------------------------------------------------------------------

// The fields of `strong`, and where it is silent those of `weak`.
PolicyFields layered(const PolicyFields& strong, const PolicyFields& weak);

// What one layer must not say: a longest wait that is shorter than its delay. Empty: nothing.
std::string contradiction(const PolicyFields& fields);

// Those of one part.
PolicyFields only(PolicyPart part, const PolicyFields& fields);

// `fields`, and where they are silent the defaults. A longest wait that was not chosen for this
// delay is at least the delay.
Policy policy_from(const PolicyFields& fields);

// "5 attempts, delay 2s": what is said, in the words of files.
std::string describe(const PolicyFields& fields);

// "up to 5 attempts, exponential waits from 2s by 2 up to 32s, jitter equal, 30s an attempt".
std::string describe(const Policy& policy);

// ---- waits -----------------------------------------------------------------------------------

// A number, uniform in [0, 1).
using Random = std::function<double()>;

// The default Random: a 64-bit Mersenne twister, so that --seed N gives the same waits everywhere.
Random seeded_random(std::uint64_t seed);

// The waits of one class of failure, in order.
class Backoff {
 public:
  Backoff(Policy policy, Random random);

  // The next wait. `floor` is what the registry asked for (Retry-After): it is never shortened, not
  // even by max-delay, and jitter is only added to it, up to a tenth, so that many waiters do not
  // return in the same instant.
  Duration next(std::optional<Duration> floor = std::nullopt);

  // The longest that next() could return without a floor, n waits from now (n from 1): what
  // `explain` and `--dry-run` print.
  Duration longest(unsigned n) const;

 private:
  Policy policy_;
  Random random_;
  unsigned waits_ = 0;
  Duration previous_{};
};

}  // namespace retry_exec
