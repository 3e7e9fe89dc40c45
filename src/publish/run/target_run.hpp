// One target, from its sources to its verified tags.
#pragma once

#include "publish/oci/date.hpp"
#include "publish/oci/index.hpp"
#include "publish/run/commands.hpp"
#include "publish/run/scratch.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <set>

namespace retry_exec::publish {

// A digest in a repository, once it is published: of the targets that publish it there, one at a
// time attaches something to it. Where a registry does not list what belongs to a digest, oras and
// others keep the list in a tag, and whoever writes that back loses what was added meanwhile.
struct Attaching {
  Slots turn = Slots(1);
  std::size_t turns = 0;  // taken so far; the last of them is on
  unsigned hung = 0;      // turns that took all of their time, or beside which another was begun
  struct Command {
    Slots turn = Slots(1);
    std::optional<Answer> answer;  // of the last target that ran it
    std::string target;            // its name
  };
  std::map<std::string, Command> commands;  // of this run, by id
};

// A turn for as long as the object lives; one that was passed over ends nothing.
class AttachingTurn {
 public:
  explicit AttachingTurn(Attaching& attaching)
      : attaching_(attaching), number_(++attaching.turns) {}
  AttachingTurn(const AttachingTurn&) = delete;
  AttachingTurn& operator=(const AttachingTurn&) = delete;
  ~AttachingTurn() {
    if (attaching_.turns == number_) attaching_.turn.give_back();
  }

 private:
  Attaching& attaching_;
  const std::size_t number_;
};

// What the targets of a run have in common.
struct Shared {
  const plan::Plan& plan;
  const PublishSeams& seams;
  std::function<boost::asio::awaitable<Answer>(Request)> run;  // a command, to its end
  Entrances entrances;
  Scratch& scratch;
  Queues copies;                                  // by destination repository
  std::set<std::string> whole;                    // references; copied or asked for by any target
  std::map<std::string, Attaching> attaching;     // by reference
  std::map<std::string, Duration> request_times;  // the shortest seen, by host
  TimePoint started;
  std::size_t unfinished = 0;             // targets
  TimePoint deadline = TimePoint::max();  // of the whole run
  bool deadline_ended_it = false;         // a target, that is
};

struct AfterCommand;

class TargetRun {
 public:
  TargetRun(Shared& shared, const plan::Target& target, std::size_t number);

  boost::asio::awaitable<TargetResult> run();

 private:
  using Task = boost::asio::awaitable<void>;
  struct Image;
  // What stood at a tag before.
  struct Look {
    std::string digest;  // empty: nothing, or that is not known
    std::string bytes;
    bool is_known = false;  // it was looked at, and read or found not to be there
  };

  // Phases. Each ends early when the target has failed.
  struct PhaseBody {
    plan::Phase phase;
    Task (TargetRun::*body)();
    bool (TargetRun::*wanted)() const;
  };
  static const std::array<PhaseBody, plan::phases.size()> bodies;
  bool always() const { return true; }
  bool uses_soci() const { return target_.soci.enabled; }
  bool has_after() const { return !target_.after.empty(); }
  Task phase(plan::Phase phase, Task (TargetRun::*body)());
  Task preflight();
  Task index();
  Task soci();
  Task copy();
  Task verify();
  Task after();

  // preflight: the sources, and what stands at the tags
  Task read_source(std::size_t number);
  Task read_config(oci::Reference image, std::optional<oci::Platform>& platform);
  Task read_index(std::size_t number);
  boost::asio::awaitable<std::optional<std::string>> fetch_index(oci::Reference reference);
  Task read_entries(oci::Reference repository, std::vector<oci::Descriptor>& entries,
                    std::size_t depth);
  Task read_inner_index(oci::Reference reference, oci::Descriptor& entry, std::size_t depth);
  boost::asio::awaitable<std::optional<std::string>> read_needed(oci::Reference reference,
                                                                 Arguments argv, std::string what);
  boost::asio::awaitable<std::optional<std::string>> config_of(oci::Reference image);
  bool are_rivals(const Image& one, const Image& other) const;
  Task date_rivals();
  Task date_rival(std::size_t number);
  void keep_newest();
  void gather_children();
  bool is_first_in_repository(std::size_t tag) const;
  Task look_at_tag(std::size_t number);
  static Look look_of(const Answer& answer);
  Task look_at_tags(std::vector<std::size_t> tags);

  // completeness
  void check_sources_known();
  void check_platforms();
  Task guard_tag(std::size_t number);
  bool is_ours(const std::string& digest) const;
  void leave_alone(std::size_t number);
  void leave_newer_alone();
  void cannot_read_tag(std::size_t number, const Answer& answer);
  struct Held {
    oci::Reference image;
    std::optional<oci::Platform> platform;  // where the index says it
  };
  boost::asio::awaitable<std::vector<Held>> images_at(std::size_t number);
  boost::asio::awaitable<std::vector<oci::Platform>> platforms_at(std::size_t number);
  boost::asio::awaitable<Answer> config_at(std::size_t tag, oci::Reference image);
  Task look_again(std::size_t number, TimePoint deadline);
  void take_date_of_index();
  boost::asio::awaitable<Answer> read_what_a_tag_holds(std::size_t tag, oci::Reference manifest,
                                                       Arguments argv, std::string name);
  boost::asio::awaitable<std::optional<oci::Date>> created_at(std::size_t number);
  void lacks(const std::string& what);
  std::vector<oci::Descriptor> at_any_depth(const std::vector<oci::Descriptor>& manifests) const;
  std::vector<oci::Descriptor> listed() const;
  void check_any_image();
  void check_one_image_a_platform();
  std::vector<oci::Platform> platforms() const;
  std::string lost_in(const std::string& index) const;

  // index
  oci::Annotations annotations() const;
  void make_index();
  bool is_ready() const;
  boost::asio::awaitable<bool> index_is_there();
  boost::asio::awaitable<bool> has_all_images(oci::Reference index);
  Task stage_index();

  // soci
  oci::Reference soci_tag() const;
  boost::asio::awaitable<bool> soci_is_there();
  boost::asio::awaitable<bool> is_made_of_ours(std::string index);
  boost::asio::awaitable<bool> lists_what_is_there(std::string index);
  Task compare_content(oci::Reference theirs, oci::Reference ours, bool& same);
  Task convert();
  Task pull_and_convert(const std::string& folder);
  void take_back_what_was_left_out();
  Task push_converted(const std::string& layout);
  Task push_entries(const std::string& layout);
  const oci::Child* image_for(const oci::Descriptor& converted) const;
  oci::IndexContents with_annotations(oci::IndexContents converted) const;
  void take_converted(const std::string& index, const std::string& media_type);
  Task measure(std::size_t number, std::uint64_t& bytes);

  // copy: content first, tags last
  bool moves(std::size_t tag) const { return !tag_is_ours_[tag] && !result_.tags[tag].newer; }
  Task look_at_the_rest();
  std::vector<std::string> destinations() const;
  oci::Reference any_tag_in(const std::string& repository) const;
  Task copy_content(std::string repository, bool with_root);
  Task mend_content(std::string repository);
  bool is_described(const std::string& digest) const;
  boost::asio::awaitable<Answer> find_all(Request wanted, oci::Reference place,
                                          std::vector<std::string> digests);
  boost::asio::awaitable<Answer> find_whole(oci::Reference place, std::vector<std::string> digests);
  Task check_whole(oci::Reference place, std::vector<std::string> digests, std::string what);
  boost::asio::awaitable<bool> confirm_content();
  boost::asio::awaitable<bool> is_pulled();
  Task is_pulled(std::size_t tag, bool& pulled);
  Task copy_child(const oci::Child& child, oci::Reference repository);
  boost::asio::awaitable<Answer> put_root(
      oci::Reference place, std::vector<std::string> more_tags, TimePoint deadline,
      std::function<boost::asio::awaitable<bool>()> still_wanted = {});
  Task move_tags(std::string repository);
  Task move_tags_now(std::string repository, TimePoint deadline);
  std::vector<std::size_t> moving_tags(std::string_view repository = {}) const;
  boost::asio::awaitable<bool> take_turn(const std::string& repository);
  Task check_before_turns(std::vector<std::string> repositories);
  Task check_in_turn(std::string repository, bool waited, TimePoint deadline);
  Task check_all_before_move(TimePoint deadline);
  Task check_before_move(std::vector<std::size_t> tags, TimePoint deadline);
  Task look_again(std::vector<std::size_t> tags, TimePoint deadline);
  boost::asio::awaitable<bool> all_still_move(std::vector<std::size_t> tags, TimePoint deadline);
  std::vector<std::vector<std::size_t>> that_fit_a_word(const std::vector<std::size_t>& tags) const;
  void cannot_move(std::size_t tag, const Answer& answer);
  Task put_tags(std::vector<std::size_t> tags, TimePoint deadline, const Answer* before = nullptr);
  Task put_each(std::vector<std::size_t> tags, const Answer& together, TimePoint deadline);
  Task find_tags(std::vector<std::size_t> tags, const Answer& answer, bool of_several,
                 TimePoint deadline);
  Task find_tag(std::size_t number, const Answer& put, bool may_be_stale, TimePoint deadline);
  void note_tags_that_had_it();

  // verify
  Task verify_tags(std::vector<std::size_t> tags);
  Task verify_tag(std::size_t number);
  Task move_what_changed();
  Task look_once_more(std::size_t number);
  std::function<std::optional<std::string>(const std::string&)> digest_check() const;
  std::optional<std::string> stale(const std::string& digest) const;

  // after
  struct AfterWork;
  Task after_at(std::vector<oci::Reference> tags);
  void see_whether_done(const AfterWork& work, const AfterCommand& command,
                        AfterResult& result) const;
  Task do_after(AfterWork& work, const AfterCommand& command, AfterResult& result);
  boost::asio::awaitable<bool> take_records_back(std::vector<std::size_t> numbers,
                                                 TimePoint& deadline);
  boost::asio::awaitable<bool> take_turn(Attaching& attaching, Duration patience,
                                         TimePoint& deadline);
  boost::asio::awaitable<bool> take_turn_or_pass(Attaching& attaching, TimePoint& deadline);
  bool has_moved(const oci::Reference& tag) const;
  void note_what_was_done();
  boost::asio::awaitable<Answer> run_after(Arguments argv, oci::Reference about,
                                           TimePoint deadline);
  bool is_failure_of_all(const Answer& answer) const;
  void fail_after(const AfterCommand& command, const Answer& answer, const std::string& where);
  boost::asio::awaitable<std::optional<std::map<std::string, int>>> recorded_at(oci::Reference root,
                                                                                TimePoint deadline);
  boost::asio::awaitable<bool> is_readable(oci::Reference root, TimePoint deadline);
  boost::asio::awaitable<bool> record_at(oci::Reference root, std::string ids, TimePoint deadline);

  // Several tags in one command.
  boost::asio::awaitable<std::vector<std::string>> read_digests(
      const std::vector<std::size_t>& tags);
  std::vector<std::vector<std::size_t>> shares(
      const std::function<bool(std::size_t)>& wanted) const;
  std::size_t commands_for(std::size_t reads, const std::string& host) const;
  void note_request_time(const Answer& answer, const std::string& host, std::size_t requests);

  // Waits until the digest at `reference` is readable; it must have the size that is said of it.
  enum class With { nothing, config };
  Task await_digest(oci::Reference reference, std::optional<std::uint64_t> size = std::nullopt,
                    With with = With::nothing);
  static std::optional<std::uint64_t> size_in(const std::string& output, With with);
  void check_size(const std::string& name, std::uint64_t said);

  // What `deadline` is for work that has waited for other targets since `asked`: that time is not
  // part of the work.
  TimePoint deadline_after_wait(TimePoint deadline, TimePoint asked) const;
  // How long to wait for another target at most: half of what the run has left is for what follows.
  Duration patience_for(Duration longest) const;
  Request request(std::string about, Arguments argv, std::vector<std::string> hosts);
  Request probe(const oci::Reference& reference, bool waits);
  // What a failed command found missing in `source` or, unless its error says that, `destination`.
  std::optional<Missing> missing(const Verdict& verdict, const oci::Reference& source,
                                 const oci::Reference& destination) const;
  boost::asio::awaitable<Answer> run(Request request);
  void count_content();
  // The target's failure is the first one; those of its other tasks follow from that.
  void fail(const Answer& answer, std::string what);
  void fail(StopReason reason, std::string what);
  void note(const std::string& text);
  void note_lag(const oci::Reference& reference, const Answer& answer);
  bool failed() const { return result_.failure.has_value(); }
  template <class Event>
  void tell(Event event) const {
    if (shared_.seams.events) shared_.seams.events(std::move(event));
  }

  Shared& shared_;
  const plan::Plan& plan_;
  const plan::Target& target_;
  const std::size_t number_;
  plan::Phase phase_ = plan::Phase::preflight;
  TimePoint phase_deadline_ = TimePoint::max();
  std::optional<Slot> entrance_;  // until the phase's first command begins
  bool stopped_ = false;
  bool soci_was_there_ = false;  // whole or not
  std::string note_;

  struct Image {
    oci::Reference reference;
    oci::Descriptor descriptor;
    std::string bytes;  // of an index
    std::vector<oci::Descriptor> children;
    std::optional<oci::Date> created;  // of what metadata named
    std::optional<std::size_t> place;
    std::optional<oci::Platform> platform() const;
  };
  std::vector<Image> images_;         // one a source
  std::optional<oci::Date> created_;  // of our index, else of the newest image

  // What is published: a manifest that we have, and what it lists.
  struct Root {
    std::string bytes;
    std::string media_type;
  };
  Root root_;
  std::string converted_;  // digest of the index that soci made of it
  std::string root_file_;  // in the scratch folder, once it is needed
  std::vector<oci::Child> children_;
  std::vector<oci::Child> left_out_;  // of them, for soci
  std::vector<oci::Child> below_;     // what indexes among them list, each index before its own

  std::vector<Look> looks_;            // one a tag
  std::set<std::string> unconfirmed_;  // references that were put, and have not been read since

  std::set<std::string> known_manifests_;  // digests; what is none of them may be a blob
  // What has been read where it is needed, and its size where the answer said it.
  std::map<std::string, std::optional<std::uint64_t>> seen_;
  Slots checking_ = Slots(1);                   // in turn, what the tags hold
  std::optional<TimePoint> all_checked_since_;  // those of all repositories, after the copy
  std::vector<bool> tag_is_ours_;
  std::vector<bool> asked_;  // tags, since their move failed
  TargetResult result_;
};

inline const std::array<TargetRun::PhaseBody, plan::phases.size()> TargetRun::bodies = {{
    {plan::Phase::preflight, &TargetRun::preflight, &TargetRun::always},
    {plan::Phase::index, &TargetRun::index, &TargetRun::uses_soci},
    {plan::Phase::soci, &TargetRun::soci, &TargetRun::uses_soci},
    {plan::Phase::copy, &TargetRun::copy, &TargetRun::always},
    {plan::Phase::verify, &TargetRun::verify, &TargetRun::always},
    {plan::Phase::after, &TargetRun::after, &TargetRun::has_after},
}};

// The commands of `after` at the destination of `tags`, in the order of the plan.
struct AfterCommand {
  oci::Reference about;  // a tag, or the digest
  std::string id;        // of the words of the plan
  Arguments argv;
};
std::vector<AfterCommand> after_commands(const plan::Plan& plan, const plan::Target& target,
                                         std::span<const oci::Reference> tags,
                                         const std::string& digest);

// Whether what a tag holds decides what may be done; otherwise it is read only to leave alone what
// is ours already. The tags of a repository are moved in order: where the first one is not ours,
// the others probably are not either, and moving one that is does no harm.
bool must_know_all_tags(const plan::Target& target);

// oras reads a manifest back that it has put, and fails where that does not show yet, naming
// neither registry. It had said before that it puts it; a refusal is not "absent".
bool was_put(const Attempt& failed, const Verdict& verdict, const std::string& digest);

// "timed out after 30s", "denied: requested access …": an attempt's last word, for a sentence.
std::string last_word(const Answer& answer, bool run_is_over);

}  // namespace retry_exec::publish
