// What the plan runs once a target is published: signatures, attestations. What has been done for a
// digest is recorded beside it, as a referrer, so that a later run, wherever it runs, does the
// rest.
#include "publish/oci/json.hpp"
#include "publish/oci/sha256.hpp"
#include "publish/run/target_run.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <chrono>

namespace retry_exec::publish {

namespace asio = boost::asio;

// At one destination.
struct TargetRun::AfterWork {
  oci::Reference root;
  Attaching& attaching;
  TimePoint deadline;
  std::map<std::string, int> recorded = {};  // ids, by earlier runs
  std::string unrecorded = {};
  bool refused = false;  // a record
  bool more = false;     // since then
};

namespace {

// What is missing may lag; a key that is not there does not, nor does a digest that a command has
// deleted.
constexpr unsigned attempts_of_absent = 8;

// Puts values in the place of {repository}, {digest}, {tag} and {name}; what a value says is not
// looked at again.
std::string filled_in(const std::string& word,
                      const std::vector<std::pair<std::string, std::string>>& values) {
  std::string text;
  for (std::size_t at = 0; at < word.size();) {
    const auto value = std::find_if(values.begin(), values.end(), [&](const auto& entry) {
      return word.compare(at, entry.first.size(), entry.first) == 0;
    });
    text += value == values.end() ? word.substr(at, 1) : value->second;
    at += value == values.end() ? 1 : value->first.size();
  }
  return text;
}

bool names_a_tag(const Arguments& words) {
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.find("{tag}") != std::string::npos;
  });
}

// The same command with the same words is done once.
std::string id_of(const Arguments& argv) {
  std::string words;
  for (const std::string& word : argv) words += word + '\0';
  constexpr std::size_t algorithm = 7;  // "sha256:"
  constexpr std::size_t digits = 16;
  return oci::digest_of(words).substr(algorithm, digits);
}

// How often each id stands in the records that `oras discover` lists, where that is more often than
// was taken back: "-ID:2" makes the first two void. A record may stand there twice, as attaching it
// is tried again where an answer was lost; to take back twice what stands twice changes nothing.
std::map<std::string, int> recorded_in(const std::string& discovered) {
  std::map<std::string, int> ids;
  std::map<std::string, int> taken_back;
  const auto fields = oci::parse_object(discovered);
  if (!fields) return ids;
  for (const boost::json::object* referrer : oci::objects_of(*fields, "referrers")) {
    const boost::json::object* annotations = oci::object_of(*referrer, "annotations");
    if (annotations == nullptr) continue;
    text::for_each_part(
        oci::text_of(*annotations, after_record_key), ',', [&](std::string_view id) {
          if (!id.starts_with('-')) {
            ++ids[std::string(id)];
            return;
          }
          const std::size_t colon = id.find(':');
          if (colon == std::string_view::npos) return;
          int& most = taken_back[std::string(id.substr(1, colon - 1))];
          most = std::max(most, text::number_from<int>(id.substr(colon + 1)).value_or(0));
        });
  }
  std::erase_if(ids, [&](const auto& id) { return id.second <= taken_back[id.first]; });
  return ids;
}

}  // namespace

std::vector<AfterCommand> after_commands(const plan::Plan& plan, const plan::Target& target,
                                         std::span<const oci::Reference> tags,
                                         const std::string& digest) {
  std::vector<AfterCommand> commands;
  const auto add = [&](const Arguments& words, const oci::Reference& about) {
    Arguments argv;
    for (const std::string& word : words) {
      argv.push_back(filled_in(word, {{"{repository}", about.name()},
                                      {"{digest}", digest},
                                      {"{tag}", about.tag},
                                      {"{name}", target.name}}));
    }
    // By the plan's words: where the tool is differs from machine to machine.
    const std::string id = id_of(argv);
    if (argv.front() == "oras") argv.front() = plan.oras;
    if (argv.front() == "soci") argv.front() = plan.soci;
    commands.push_back({about, id, std::move(argv)});
  };
  for (const Arguments& words : target.after) {
    if (!names_a_tag(words)) {
      add(words, by_digest(tags.front(), digest));
      continue;
    }
    for (const oci::Reference& tag : tags) add(words, tag);
  }
  return commands;
}

// Each destination by itself: a failure at one does not keep another from being signed.
TargetRun::Task TargetRun::after() {
  std::map<std::string, std::vector<oci::Reference>> destinations;
  for (const TagResult& tag : result_.tags) {
    if (!tag.newer) destinations[tag.tag.name()].push_back(tag.tag);
  }
  std::vector<Task> tasks;
  for (auto& [repository, tags] : destinations) tasks.push_back(after_at(std::move(tags)));
  co_await all(std::move(tasks));
  note_what_was_done();
}

void TargetRun::note_what_was_done() {
  std::size_t before = 0;
  std::size_t for_others = 0;
  for (const AfterResult& result : result_.after) {
    before += result.was_done && !result.for_another;
    for_others += result.for_another;
  }
  if (before > 0) note(std::to_string(before) + " had been done by an earlier run");
  if (for_others > 0) note(std::to_string(for_others) + " had been done for another target");
}

// Whether it came. The wait for other targets is not part of the work.
asio::awaitable<bool> TargetRun::take_turn(Attaching& attaching, Duration patience,
                                           TimePoint& deadline) {
  const TimePoint asked = shared_.seams.now();
  if (attaching.turn.are_free()) {
    co_await attaching.turn.take();
    co_return true;
  }
  entrance_.reset();
  const bool came = co_await attaching.turn.take(shared_.seams.wait(patience));
  deadline = deadline_after_wait(deadline, asked);
  co_return came;
}

// As long as the others get on, their turns are waited for. One that hangs keeps nobody from being
// signed: the next begins beside it. Where many hang, each is waited for half as long as the one
// before, so that all of them cost no more than two.
asio::awaitable<bool> TargetRun::take_turn_or_pass(Attaching& attaching, TimePoint& deadline) {
  constexpr Duration longest_wait = std::chrono::minutes(5);
  constexpr unsigned most_halvings = 16;
  while (!shared_.seams.interrupted_by()) {
    const Duration patience =
        std::clamp(deadline - shared_.seams.now(), Duration(0), patience_for(longest_wait));
    const std::size_t turns = attaching.turns;
    const unsigned halvings = std::min(attaching.hung, most_halvings);
    if (co_await take_turn(attaching, patience / (1U << halvings), deadline)) co_return true;
    if (attaching.turns != turns) continue;
    ++attaching.hung;
    co_return true;
  }
  co_return false;
}

// What has been done about a tag was done the last time that it had this digest. Before it moves
// there again, so that no run that ends in between leaves it as done. Whether anything was, which
// takes its time.
asio::awaitable<bool> TargetRun::take_records_back(std::vector<std::size_t> numbers,
                                                   TimePoint& deadline) {
  std::vector<oci::Reference> tags;
  for (const std::size_t number : numbers) tags.push_back(target_.tags[number]);
  if (tags.empty() || std::none_of(target_.after.begin(), target_.after.end(), names_a_tag)) {
    co_return false;
  }
  const oci::Reference root = by_digest(tags.front(), result_.digest);
  Request wanted = probe(root, false);
  wanted.argv = discover_command(plan_, root);
  wanted.deadline = deadline;
  const Answer answer = co_await run(std::move(wanted));
  if (!answer.ok()) co_return false;  // not there yet, as a rule; of anything else, after() tells
  const std::map<std::string, int> done = recorded_in(answer.output);
  std::string back;
  for (const AfterCommand& command : after_commands(plan_, target_, tags, result_.digest)) {
    const auto known = done.find(command.id);
    if (command.about.tag.empty() || known == done.end()) continue;
    text::append_to(back, "-" + command.id + ":" + std::to_string(known->second), ",");
  }
  if (back.empty()) co_return false;
  Attaching& attaching = shared_.attaching[to_string(root)];
  // Publishing does not wait for another target's commands: those have been done about something
  // that is published already.
  constexpr Duration longest_wait = std::chrono::minutes(1);
  std::optional<AttachingTurn> turn;
  if (co_await take_turn(attaching, patience_for(longest_wait), deadline)) turn.emplace(attaching);
  co_await record_at(root, back, deadline);
  co_return true;
}

// What takes its records back may lag, or could not be attached.
bool TargetRun::has_moved(const oci::Reference& tag) const {
  return std::any_of(result_.tags.begin(), result_.tags.end(),
                     [&](const TagResult& result) { return result.copied && result.tag == tag; });
}

// Each command is recorded as soon as it is done: a run that ends during the next one does not take
// that back. Where a record could not be made, the rest waits for the end: its attempts take the
// time of the commands.
TargetRun::Task TargetRun::after_at(std::vector<oci::Reference> tags) {
  const oci::Reference root = by_digest(tags.front(), result_.digest);
  AfterWork work{
      .root = root, .attaching = shared_.attaching[to_string(root)], .deadline = phase_deadline_};
  const std::optional<std::map<std::string, int>> done = co_await recorded_at(root, work.deadline);
  if (done) work.recorded = *done;
  bool goes_on = done.has_value();
  for (const AfterCommand& command : after_commands(plan_, target_, tags, result_.digest)) {
    AfterResult result{.command = command.argv, .about = to_string(command.about)};
    see_whether_done(work, command, result);
    if (!result.was_done && goes_on) co_await do_after(work, command, result);
    result.done = result.done || result.was_done;
    goes_on = goes_on && result.done;  // what follows may build on it
    result_.after.push_back(result);
  }
  if (work.more) {
    std::optional<AttachingTurn> turn;
    if (co_await take_turn_or_pass(work.attaching, work.deadline)) turn.emplace(work.attaching);
    if (co_await record_at(root, work.unrecorded, work.deadline)) work.unrecorded.clear();
  }
  if (work.unrecorded.empty()) co_return;
  note("what has been done could not be recorded at " + root.name() +
       ": the next run does it again");
}

void TargetRun::see_whether_done(const AfterWork& work, const AfterCommand& command,
                                 AfterResult& result) const {
  const auto run = work.attaching.commands.find(command.id);
  const bool for_another = run != work.attaching.commands.end() && run->second.answer &&
                           run->second.answer->ok() && run->second.target != target_.name;
  const bool is_known = for_another || work.recorded.contains(command.id);
  result.was_done = is_known && !has_moved(command.about);
  result.for_another = result.was_done && for_another;
}

// The same command is run for one target at a time, and the others share what comes of it.
TargetRun::Task TargetRun::do_after(AfterWork& work, const AfterCommand& command,
                                    AfterResult& result) {
  Attaching::Command& run = work.attaching.commands[command.id];
  const TimePoint asked = shared_.seams.now();
  if (!run.turn.are_free()) entrance_.reset();
  co_await run.turn.take();
  const Slot slot(run.turn);
  work.deadline = deadline_after_wait(work.deadline, asked);
  see_whether_done(work, command, result);
  if (result.was_done) co_return;
  if (run.answer && run.target != target_.name && is_failure_of_all(*run.answer)) {
    result.failed = true;
    co_return fail_after(command, *run.answer, "for target '" + run.target + "'");
  }
  std::optional<AttachingTurn> turn;
  if (co_await take_turn_or_pass(work.attaching, work.deadline)) turn.emplace(work.attaching);
  run.answer = co_await run_after(command.argv, command.about, work.deadline);
  run.target = target_.name;
  result.done = run.answer->ok();
  result.failed = !result.done;
  if (result.done) {
    text::append_to(work.unrecorded, command.id, ",");
    work.more = work.refused;
  } else {
    work.attaching.hung +=
        run.answer->run.reason == StopReason::deadline && run.answer->was_begun();
    fail_after(command, *run.answer, "for it");
  }
  if (work.unrecorded.empty() || work.refused) co_return;
  work.refused = !co_await record_at(work.root, work.unrecorded, work.deadline);
  if (!work.refused) work.unrecorded.clear();
}

// Of a target that had little time left, another may have more.
bool TargetRun::is_failure_of_all(const Answer& answer) const {
  if (answer.ok()) return false;
  return answer.run.reason != StopReason::deadline || answer.deadline == shared_.deadline ||
         answer.run.elapsed >= phase_deadline(plan_, plan::Phase::after) / 2;
}

void TargetRun::fail_after(const AfterCommand& command, const Answer& answer,
                           const std::string& where) {
  fail(answer, to_string(command.about) + " is published, but '" + command.argv.front() +
                   (answer.was_too_late() ? "' did not run " : "' failed ") + where);
}

namespace {

// To tell megabytes, with their secrets hidden, would hold up all that runs meanwhile.
std::string end_of(const std::string& printed) {
  constexpr std::size_t most = std::size_t{64} << 10;
  if (printed.size() <= most) return printed;
  const std::size_t end_of_line = printed.find('\n', printed.size() - most);
  const std::size_t begin = end_of_line == std::string::npos ? printed.size() : end_of_line + 1;
  return "(the first " + std::to_string(begin) + " bytes are left out)\n" + printed.substr(begin);
}

}  // namespace

asio::awaitable<Answer> TargetRun::run_after(Arguments argv, oci::Reference about,
                                             TimePoint deadline) {
  Request wanted = request(to_string(about), std::move(argv), {about.host});
  wanted.deadline = deadline;
  wanted.abandoned = nullptr;
  wanted.policy.absent.attempts = attempts_of_absent;
  Answer answer = co_await run(std::move(wanted));
  std::string text = answer.output;
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  text += answer.run.deciding.output.standard_error.text();
  if (!text.empty()) tell(AfterPrinted{target_.name, end_of(text)});
  co_return answer;
}

// Where that cannot be read, everything is done again: better twice than never. Not where it took
// all the time that there is: a command would be begun only to be killed. Then there is nothing.
asio::awaitable<std::optional<std::map<std::string, int>>> TargetRun::recorded_at(
    oci::Reference root, TimePoint deadline) {
  Request wanted = probe(root, false);
  wanted.argv = discover_command(plan_, root);
  wanted.deadline = deadline;
  wanted.abandoned = nullptr;  // by a failure at another destination
  Answer answer = co_await run(wanted);
  if (answer.absent()) {
    if (!co_await is_readable(root, deadline)) co_return std::nullopt;
    // By one replica; by another perhaps not yet.
    wanted.absent_is_final = false;
    wanted.policy.absent.attempts = attempts_of_absent;
    answer = co_await run(std::move(wanted));
  }
  if (answer.ok()) co_return recorded_in(answer.output);
  const std::string what = "what earlier runs have done after publishing to " + root.name();
  if (answer.run.reason == StopReason::deadline) {
    fail(answer, what + " could not be read");
    co_return std::nullopt;
  }
  note(what + " could not be read, and is done again");
  co_return std::map<std::string, int>();
}

// A registry may show a tag before it shows the digest that the tag has. That does not mean
// that nothing has been done, and a command that reads the digest would fail.
asio::awaitable<bool> TargetRun::is_readable(oci::Reference root, TimePoint deadline) {
  Request wanted = probe(root, true);
  wanted.deadline = deadline;
  wanted.abandoned = nullptr;
  const Answer answer = co_await run(std::move(wanted));
  if (answer.ok()) {
    note_lag(root, answer);
  } else {
    fail(answer, to_string(root) + " is published, but could not be read by its digest");
  }
  co_return answer.ok();
}

asio::awaitable<bool> TargetRun::record_at(oci::Reference root, std::string ids,
                                           TimePoint deadline) {
  Request wanted = request(to_string(root), record_command(plan_, root, ids), {root.host});
  wanted.deadline = deadline;
  wanted.abandoned = nullptr;
  wanted.policy.absent.attempts = attempts_of_absent;
  const Answer answer = co_await run(std::move(wanted));
  co_return answer.ok();
}

}  // namespace retry_exec::publish
