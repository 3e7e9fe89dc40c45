// The files that a run of retry-publish writes for people and for the steps that follow.
#pragma once

#include "main/publish/retry_publish_options.hpp"

#include <retry_exec/error.hpp>
#include <retry_exec/publish_plan.hpp>
#include <retry_exec/rules.hpp>

#include <string>
#include <vector>

namespace retry_exec {

// What is wrong with them, as far as that shows before anything is published: each is one of its
// own, none is one that the run reads, and the digests can be written.
Errors wrong_outputs(const PublishSettings& settings, const publish::plan::Plan& plan,
                     const RuleSet& rules);

// What is not wrong in this run, and will be in the next; and that a scratch folder has to be made,
// which may be a slip of the pen.
std::vector<std::string> notes_on_files(const PublishSettings& settings,
                                        const publish::plan::Plan& plan);

}  // namespace retry_exec
