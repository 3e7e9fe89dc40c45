// When images were made.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace retry_exec::publish::oci {

using Date = std::chrono::sys_time<std::chrono::nanoseconds>;

// "2026-05-04T12:30:00.25+02:00"; without a zone it is UTC.
std::optional<Date> parse_date(std::string_view text);

}  // namespace retry_exec::publish::oci
