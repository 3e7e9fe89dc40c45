// One run of retry-publish, from a checked plan to the exit code.
#pragma once

#include "main/chosen_rules.hpp"
#include "main/publish/retry_publish_options.hpp"

#include <retry_exec/process.hpp>
#include <retry_exec/publish_views.hpp>
#include <retry_exec/rules.hpp>

#include <boost/asio/io_context.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace retry_exec {

class Publisher {
 public:
  Publisher(const PublishSettings& settings, const publish::plan::Plan& plan, Classifier rules);

  int run();

 private:
  boost::asio::awaitable<void> work();
  boost::asio::awaitable<void> redraw();
  publish::PublishSeams seams();
  const Classifier& rules_for(const Failure& failure);
  void on_event(const publish::PublishEvent& event);
  TimePoint patience() const;
  void tell(std::string_view text);
  void tell_errors(const Errors& errors);
  void write(std::string_view lines);
  void draw();
  void tell_digests();
  void tell_what_happened();
  int exit_code() const;
  int finish();

  const PublishSettings& settings_;
  const publish::plan::Plan& plan_;
  const Classifier rules_;
  std::map<std::vector<std::string>, ChosenRules> rules_after_;  // by command
  boost::asio::io_context context_{1};
  Supervisor supervisor_;
  const Redactor redactor_;
  WallTime started_ = std::chrono::system_clock::now();
  const TimePoint begun_ = Clock::now();
  Random random_;
  publish::views::PublishLog log_;
  publish::views::PublishRecorder recorder_;
  publish::PublishResult result_;
  Errors tool_errors_;
  bool digests_told_ = true;
  const bool live_;  // a status block at the bottom of a terminal
  publish::views::PublishStatus status_;
  StatusBlock block_;
  bool done_ = false;
};

// The plan's rule sets, and behind them what is known of oras and soci.
Result<RuleSet, Errors> publish_rules(const publish::plan::Plan& plan);

}  // namespace retry_exec
