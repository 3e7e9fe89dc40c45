// Rule files: YAML in, verdicts out.
//
//   load_rule_sets(names)  →  Classifier  →  classify(failure)  →  Verdict
//
// This room knows nothing of processes: it reads text and an Outcome. Rule files and evidence are
// untrusted: files are bounded in size, depth and number of nodes; every pattern runs under PCRE2's
// match, depth and heap limits; what cannot be evaluated under them is reported, never taken for a
// match nor silently for a miss.
//
// The format of a rule file is documented in README.md, "Rules".
#pragma once

#include <retry_exec/captured.hpp>
#include <retry_exec/config.hpp>
#include <retry_exec/error.hpp>
#include <retry_exec/outcome.hpp>
#include <retry_exec/policy.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

// ---- the parsed form -------------------------------------------------------------------------

enum class Stream { standard_output, standard_error, both };

// Inclusive. One code is {n, n}.
struct CodeRange {
  int first = 0;
  int last = 0;
  bool operator==(const CodeRange&) const = default;
};

// "1,64-78": exit codes 0 to 255, ranges, and (for --retry-on and --stop-on) signal names and
// "timeout". A code is what a shell would see: 137 is also a death by KILL, 124 a time limit of
// ours, 127 a command that was not found.
struct CodeSet {
  std::vector<CodeRange> codes;
  std::vector<int> signals;
  bool timeouts = false;  // a time limit of ours, and not the exit code 124 of the command
  bool contains(const Outcome& outcome) const;
  bool empty() const { return codes.empty() && signals.empty() && !timeouts; }
  bool operator==(const CodeSet&) const = default;
};
Result<CodeSet> parse_code_set(std::string_view text);

// A regular expression as written, with its place in the file.
struct PatternSource {
  std::string text;
  Position where;
};

struct Example {
  std::string text;
  Position where;
};

// Two classes that are final unless the caller can do something about them.
inline constexpr std::string_view expired_class = "expired";  // credentials that ran out
inline constexpr std::string_view done_class = "done";        // the thing is there already
// How a kind of failure is treated. Built in: permanent, expired and done (final); transient,
// throttled, absent and suspect (retried, each with its own policy). A file may add its own.
struct FailureClass {
  std::string name;
  bool retry = true;
  PolicyFields policy;  // what it leaves out comes from the file's policy
};

// Which outcomes a rule is for. `any` is every failure but a time-out: what a command printed
// before it hung says little about why it hung, so a rule that is for time-outs says so.
enum class OutcomeKind { any, exited, signalled, timed_out };

struct Rule {
  std::string id;        // "manifest-by-digest"
  std::string set_name;  // the set that it was written in: "oras"
  std::string class_name;
  std::optional<PatternSource> match;        // absent: the other conditions decide alone
  std::optional<PatternSource> unless;       // where this matches, the rule does not
  std::optional<PatternSource> unless_near;  // a match counts where this is not within a few lines
  std::optional<Stream> stream;              // default: the evidence's stream
  CodeSet codes;                             // exit-codes and signals; empty: any failure
  OutcomeKind outcome = OutcomeKind::any;
  std::vector<std::string> commands;  // names of commands that it is for; empty: all
  bool last = false;                  // it sums up: tried when no rule that is not `last` holds
  PolicyFields policy;
  std::string because;
  std::vector<std::string> see;
  std::vector<Example> examples_match;
  std::vector<Example> examples_no_match;
  Position where;

  // "oras/manifest-by-digest"
  std::string full_id() const { return set_name + "/" + id; }
};

// What rules may look at, for some commands.
struct EvidenceSource {
  std::vector<std::string> commands;   // empty: all
  std::optional<Stream> stream;        // default: stderr, and stdout where stderr is empty
  std::optional<PatternSource> focus;  // from its last match to the end
  std::vector<PatternSource> mask;     // blanked out before rules look
};

struct DetailPattern {
  std::string name;
  PatternSource pattern;
};

// What `--rules auto` picks a set for: names of commands, and registry hosts among their arguments
// ('*' stands for any letters: "*.dkr.ecr.*.amazonaws.com"). In a file:
//
//   for: {commands: [docker, podman], hosts: [ghcr.io]}
struct Serves {
  std::vector<std::string> commands;
  std::vector<std::string> hosts;
};

// One file and all that it includes, flattened in the order in which rules are tried: a file comes
// before what it includes, and includes come in their order. What is included twice comes once,
// behind all that include it, so that the particular always stands before the general.
//
// A rule whose id is that of an included rule ("denied", or "oras/denied") overrides it in its
// place: the fields that it names replace, the others stay. Rules that are `last` come behind all
// others, in the same order among themselves. Policies, classes, evidence and details
// are layered: the includer's word beats the included's, the earlier include's the later's.
struct RuleSet {
  std::string name;
  std::string about;
  std::string file;                // as given; "ghcr (built in)"
  std::vector<std::string> files;  // that it was read from, with what they include
  std::vector<std::string> see;    // where the words of the file itself come from
  Serves serves;                   // of the file itself, not of what it includes
  PolicyFields policy;
  std::map<std::string, FailureClass, std::less<>> classes;
  std::vector<EvidenceSource> evidence;
  std::vector<DetailPattern> details;
  std::vector<Rule> rules;
};

// ---- loading ---------------------------------------------------------------------------------

// A set that is compiled into the program.
struct BuiltinSet {
  std::string_view name;
  std::string_view about;
  std::string_view yaml;
  config::FlatTree tree;                       // the same, parsed
  std::span<const std::string_view> commands;  // that `--rules auto` picks it for
  std::span<const std::string_view> hosts;
  std::span<const std::string_view> see;  // where its words come from, those of its rules included
  PolicyFields policy;                    // what the file's policy ends up as, includes resolved
};

// All built-in sets, sorted by name.
std::span<const BuiltinSet> builtin_sets();

// The policy that a built-in set's file ends up with, includes resolved, worked out when the
// project was built: a run that succeeds never reads YAML. Nullptr when there is no such set.
const PolicyFields* builtin_policy(std::string_view name);

// "ghcr" for "ghcr", and for "ghcr.yaml" where there is no such file: a built-in set; otherwise
// nothing: it is a path. So a bare name is never a file ("oras", where oras is run, is oras
// itself): a file without an extension is named "./oras".
std::optional<std::string_view> builtin_name(std::string_view name_or_path);

// Loads one set with its includes: a built-in set or a path, as builtin_name() has it. All errors
// at once. Includes are built-in names or paths beside the including file.
Result<RuleSet, Errors> load_rule_set(const std::string& name_or_path);

// Several, as `--rules A --rules B` names them: one set that includes them in this order.
Result<RuleSet, Errors> load_rule_sets(std::span<const std::string> names_or_paths);

// The same from a text in memory; `file` is for messages and for relative includes.
Result<RuleSet, Errors> parse_rule_set(std::string_view yaml, const std::string& file);

// Runs every example of every rule of `set` that was written in it or in
// what it includes, through the whole classifier. An example that comes out otherwise is an error
// at its own line.
Errors check_examples(const RuleSet& set);

// Allowed, but probably a mistake: rules that are never reached, rules without examples.
Errors find_warnings(const RuleSet& set);

// What `--rules auto` stands for: the built-in sets that serve the hosts among the arguments of
// `command`, then those that serve the command itself, then `generic`, which knows the words that
// most tools share, and last those that serve a host near the end of what the command has
// `printed`: a tool that wraps another often names the registry nowhere else. In this order a host
// that was asked for decides how a class is treated, and one that was merely mentioned does not.
std::vector<std::string> pick_rule_sets(std::span<const std::string> command,
                                        std::string_view printed = {});

// ---- judging ---------------------------------------------------------------------------------

// One failed attempt, as rules see it.
struct Failure {
  std::span<const std::string> command;  // argv; names are looked at through env, sudo and paths
  Outcome outcome;
  const CapturedOutput& output;
  // Polled while the failure is judged, every millisecond or so; true ends it, and leaves the rules
  // that were not tried yet unevaluated. Empty: never.
  std::function<bool()> give_up = {};
};

struct Detail {
  std::string name;
  std::string value;
  bool operator==(const Detail&) const = default;
};

// What classification says of an outcome.
struct Verdict {
  std::string class_name;  // "absent"; "unmatched" when no rule holds
  bool matched = false;
  bool retry = false;   // the class's treatment; of "unmatched" the caller decides
  std::string rule;     // "ghcr/manifest-by-digest"; empty when unmatched
  std::string because;  // the rule's reason
  std::string line;     // the evidence line that matched, as printed; unmatched: the last line
  std::vector<Detail> details;  // first match of each detail pattern in the unmasked evidence
  std::optional<Duration> retry_after;   // what the other side asked us to wait
  PolicyFields policy;                   // rule > class > file
  std::vector<std::string> unevaluated;  // rules that cost more than the work that judging may
  std::string note;                      // what else a person should know; mostly empty
};

// Why a verdict was given.
struct RuleTrial {
  std::string rule;
  std::string class_name;
  bool held = false;
  std::string why_not;  // "wrong exit code", "match: no", "unless: 'x'", ...
};
struct Explanation {
  Verdict verdict;
  std::string stream;    // which stream(s) the evidence was taken from
  std::string evidence;  // what rules were shown, masks applied
  std::string unmasked;  // the same, before masks
  std::vector<RuleTrial> trials;
};

// Rule sets, compiled. Cheap to move, immutable, one per run.
//
// Causes stand in the last lines of what a command prints. So of a stream of more than 64 KiB the
// rules are tried in order on its last 64 KiB, as if there were no more; when none holds there,
// they are tried in order on all of it. A rule without `match` is for what none before it holds on,
// so it waits for the second round.
//
// Judging is bounded by steps of work, not by time: a failure gets the same verdict on every
// machine. Each rule has a share of the steps, so that a costly one takes nothing from the others.
// A rule that runs out of them is in `unevaluated`, and the next that holds decides. When none
// does, the failure is `suspect`, by the rule "built-in/not-evaluated": it is tried once more.
class Classifier {
 public:
  // Earlier sets are tried first.
  explicit Classifier(std::vector<RuleSet> sets);
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;
  ~Classifier();

  // `now` is for a Retry-After that is a date.
  using WallTime = std::chrono::system_clock::time_point;
  Verdict classify(const Failure& failure, WallTime now = std::chrono::system_clock::now()) const;
  Explanation explain(const Failure& failure,
                      WallTime now = std::chrono::system_clock::now()) const;
  std::span<const RuleSet> sets() const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

// The name rules know a command by: the base name of what is really run, seen through env, sudo,
// nice, nohup, timeout, stdbuf, time, xargs and retry-exec itself.
// {"sudo","-u","x","/usr/bin/oras"} is "oras".
//
// A shell's is its own: "bash".
std::string command_name(std::span<const std::string> command);

// The names of all commands that `sh -c SCRIPT` runs, in order and each once; of any other command
// its one name.
std::vector<std::string> command_names(std::span<const std::string> command);

}  // namespace retry_exec
