// One run of retry-exec, from the first attempt to the exit code: joins the loop, the Supervisor,
// the rules and the log.
#pragma once

#include "main/chosen_rules.hpp"
#include "main/exec/retry_exec_options.hpp"
#include "main/exec/step_files.hpp"

#include <retry_exec/process.hpp>
#include <retry_exec/report.hpp>
#include <retry_exec/retry.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retry_exec {

class Runner {
 public:
  Runner(Settings settings, ChosenRules rules);

  // Returns the exit code, unless a signal is what we have to die by.
  int run();

 private:
  Seams seams();
  double random();

  boost::asio::awaitable<Attempt> attempt(unsigned number, Policy policy,
                                          std::optional<TimePoint> deadline);
  boost::asio::awaitable<std::optional<Attempt>> before_retry(unsigned number, Policy policy,
                                                              std::optional<TimePoint> deadline);
  std::vector<std::pair<std::string, std::string>> variables(unsigned number) const;
  Verdict judge(const Attempt& attempt);
  boost::asio::awaitable<std::optional<int>> wait(Duration duration);
  bool counts_down() const;
  // What was held of either stream, to these descriptors.
  boost::asio::awaitable<Delivery> give_out(int output, int error,
                                            std::optional<TimePoint> deadline);

  void on_event(const Event& event);
  bool worth_logging(const Event& event) const;
  bool is_ours_to_tell(const Event& event) const;
  void log(const Event& event);
  LogOptions log_options() const;
  const Redactor& redactor();
  void say(std::string_view text);
  void say_where_we_are();
  void say_of_stall(const std::string& why);
  void write_lines(std::string_view lines);
  TimePoint patience() const;  // until when a reader that does not read is waited for

  // How output of the command stopped: in the middle of a line, with colours on.
  struct Stopped {
    bool in_a_line = false;
    bool coloured = false;
  };
  Stopped where_it_stopped(const CapturedStream& output, bool colours) const;
  void note_where_it_stopped(const Attempt& attempt);
  bool worth_logging_of(const Attempt& attempt) const;

  void tell_what_happened();
  std::optional<std::string> summary_file() const;
  int finish();

  Settings settings_;
  ChosenRules rules_;
  boost::asio::io_context context_{1};
  Supervisor supervisor_;
  StepFiles step_files_;
  RunResult result_;
  std::vector<std::string> words_;  // what the redactor looks for secrets in
  Random random_;
  std::optional<Redactor> redactor_;
  std::optional<RunRecorder> recorder_;
  EventSink log_;
  HeldOutput held_output_;
  HeldOutput held_error_;
  TimePoint deadline_ = TimePoint::max();
  bool input_taken_ = false;   // by the last attempt
  std::uint64_t printed_ = 0;  // by it, to our stdout
  bool said_of_input_ = false;
  bool said_of_stall_ = false;
  Stopped stopped_;  // what a line of ours would follow
  Stopped held_output_stopped_;
  Stopped held_error_stopped_;
  unsigned max_attempts_ = 0;
  int last_exit_ = 0;
  std::string last_rule_;  // of failures, as is the class
  std::string last_class_;
};

}  // namespace retry_exec
