// How a run went, for later steps of a GitHub Actions job.
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/quantity.hpp>
#include <retry_exec/retry.hpp>

#include <string>
#include <string_view>

namespace retry_exec {

// The start of names of outputs: letters, digits, '-' and '_', a letter or '_' first; at most 64.
Result<std::string> parse_output_prefix(std::string_view text);

// "retry-attempts=2\nretry-reason=success\nretry-rule=oci/unavailable\n" for "retry-": `rule` is
// that of the last failure, empty when there was none or no rule knew it.
std::string github_outputs(std::string_view prefix, const RunResult& result, std::string_view rule);

// Adds whole lines to the end of the file that $GITHUB_OUTPUT names, on a line of their own.
Result<void> append_github_output(std::string_view lines, TimePoint give_up);

}  // namespace retry_exec
