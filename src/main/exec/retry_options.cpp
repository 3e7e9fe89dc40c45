#include "main/exec/retry_options.hpp"

namespace retry_exec {

RetryOptions retry_options(const Settings& settings, const ChosenRules& rules) {
  const bool strict = !rules.empty() || !settings.retry_on.empty();
  RetryOptions options{.strong = settings.policy,
                       .weak = rules.policy,
                       .retry_on = settings.retry_on,
                       .stop_on = settings.stop_on,
                       .retry_unmatched = settings.retry_unmatched.value_or(!strict),
                       .stop_unmatched = {},
                       .go_on_without_input = settings.go_on_without_input,
                       .exhausted_code = settings.exhausted_code,
                       .renews_credentials = settings.before_retry.has_value(),
                       .accept_done = settings.accept_done};
  // What a shell, env or docker says of a command that it cannot find or run passes by no more
  // than if we could not; only who asks for it has it retried.
  if (!settings.retry_unmatched) {
    options.stop_unmatched.codes = {{exit_code::cannot_run, exit_code::not_found}};
  }
  return options;
}

}  // namespace retry_exec
