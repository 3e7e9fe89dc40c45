// What a failed target leaves to people, in the same words wherever it is told.
#pragma once

#include <retry_exec/publish_views.hpp>

#include <string>
#include <vector>

namespace retry_exec::publish::views {

// Which tags moved, and each command that is left to run by hand: a line each, without an end.
std::vector<std::string> left_to_people(const TargetResult& result, const Redactor& redactor);

// A command that was to run after publishing; where several have the same words, what it is for.
std::string after_told(const AfterResult& after, const TargetResult& result,
                       const Redactor& redactor);

}  // namespace retry_exec::publish::views
