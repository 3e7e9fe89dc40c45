// What people and programs see of a publishing run, as report.hpp has it for one command.
#pragma once

#include <retry_exec/publish_run.hpp>
#include <retry_exec/report.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace retry_exec::publish::views {

// ---- the log ---------------------------------------------------------------------------------

// Lines for what goes wrong, for what is waited for, and for each target that is done.
class PublishLog {
 public:
  // `redactor` must outlive the log.
  PublishLog(LogOptions options, const Redactor& redactor, Writer write);

  void take(const publish::PublishEvent& event);

 private:
  void line(const std::string& subject, const std::string& text,
            std::optional<Colour> colour = std::nullopt);
  void json(const publish::PublishEvent& event);
  void command(const publish::CommandEvent& event);
  bool is_told_elsewhere(const publish::CommandEvent& event);
  void target(const publish::TargetResult& result);
  void after(const AfterPrinted& printed);
  void group(const publish::TargetResult& result);

  LogOptions options_;
  const Redactor& redactor_;
  Writer write_;
  std::map<unsigned, EventSink> commands_;  // by number, while they run
  std::set<unsigned> waiting_;              // those whose last failure was expected
  std::set<std::string> lagging_;           // references that are told to lag
};

// What is not published, or published without all that was to follow, why, and which commands to
// run by hand; empty when all is done. `speaker` stands before each heading.
std::string publish_failures(const publish::PublishResult& result, const Redactor& redactor,
                             std::string_view speaker = {});

// ---- the final report and the summary --------------------------------------------------------

struct CommandRecord {
  std::shared_ptr<const publish::Step> step;
  Duration start{};  // since the run's
  RunRecord run;
};

struct PublishRecord {
  std::string plan;
  WallTime started{};
  std::vector<CommandRecord> commands;
  publish::PublishResult result;
  int exit_code = 0;  // the program's: all may be published, and not be told as it should
};

class PublishRecorder {
 public:
  PublishRecorder(WallTime started, std::function<TimePoint()> now);

  void take(const publish::PublishEvent& event);
  std::vector<CommandRecord> finish();

 private:
  struct Running {
    std::shared_ptr<const publish::Step> step;
    Duration start{};
    RunRecorder recorder;
  };
  std::function<TimePoint()> now_;
  WallTime wall_started_;
  TimePoint started_;
  std::map<unsigned, Running> running_;
  std::vector<CommandRecord> finished_;
};

// One JSON document as publish-report.schema.json describes it, or the same for people.
std::string publish_report(const PublishRecord& record, ReportFormat format,
                           const Redactor& redactor);

// A table of the targets, the list of failures, and a chart of phases, attempts and waits.
std::string publish_summary(const PublishRecord& record, const Redactor& redactor);

// ---- live status -----------------------------------------------------------------------------

// What runs, what waits, for how long, and for what: the rows of a StatusBlock.
class PublishStatus {
 public:
  explicit PublishStatus(std::size_t targets) : targets_(targets) {}

  void take(const publish::PublishEvent& event, TimePoint now);
  std::vector<std::string> rows(TimePoint now) const;

 private:
  struct Line {
    std::string subject;  // "workbench: preflight: "
    std::string about;
    TimePoint since{};
    TimePoint waits_until{};
    unsigned attempt = 1;
  };
  std::size_t targets_;
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
  std::map<unsigned, Line> lines_;
};

}  // namespace retry_exec::publish::views
