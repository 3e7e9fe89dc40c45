#include "publish/run/target_run.hpp"

#include <algorithm>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> run_target(Shared& shared, const plan::Target& target, std::size_t number,
                                 TargetResult& result) {
  TargetRun run(shared, target, number);
  result = co_await run.run();
  --shared.unfinished;
}

}  // namespace

asio::awaitable<PublishResult> publish(const plan::Plan& plan, PublishOptions options,
                                       PublishSeams seams) {
  Commands commands(plan, options, seams);
  ScratchFolder scratch(plan.scratch);
  Shared shared{.plan = plan,
                .seams = seams,
                .run = [&](Request request) { return commands.run(std::move(request)); },
                .entrances = Entrances(options.jobs),
                .scratch = scratch,
                .copies = {},
                .whole = {},
                .started = seams.now(),
                .unfinished = plan.targets.size()};
  if (options.deadline) shared.deadline = later(shared.started, *options.deadline);
  PublishResult result;
  result.targets.resize(plan.targets.size());
  sweep_scratch(plan.scratch);
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    for (const oci::Reference& tag : plan.targets[i].tags) shared.copies.add(tag.name(), i);
  }
  std::vector<asio::awaitable<void>> runs;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    runs.push_back(run_target(shared, plan.targets[i], i, result.targets[i]));
  }
  co_await all(std::move(runs));
  result.interrupted_by = seams.interrupted_by();
  result.elapsed = seams.now() - shared.started;
  result.deadline_passed = shared.deadline_ended_it;
  co_return result;
}

}  // namespace retry_exec::publish
