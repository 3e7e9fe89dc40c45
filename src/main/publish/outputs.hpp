// The files that a run of retry-publish writes for people and for the steps that follow.
#pragma once

#include "main/publish/retry_publish_options.hpp"

#include <retry_exec/error.hpp>
#include <retry_exec/publish_plan.hpp>
#include <retry_exec/rules.hpp>

namespace retry_exec {

// What is wrong with them, as far as that shows before anything is published: each is one of its
// own, none is one that the run reads, and the digests can be written.
Errors wrong_outputs(const PublishSettings& settings, const publish::plan::Plan& plan,
                     const RuleSet& rules);

}  // namespace retry_exec
