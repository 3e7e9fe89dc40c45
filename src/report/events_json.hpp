// Events and their parts as JSON. Durations are whole milliseconds, in fields that end in _ms.
#pragma once

#include <retry_exec/report.hpp>

#include <boost/json/object.hpp>

namespace retry_exec {

boost::json::object as_json(const Outcome& outcome, const Redactor& redact);
boost::json::object as_json(const Verdict& verdict, const Redactor& redact);
boost::json::object as_json(const AttemptRecord& attempt, const Redactor& redact);
boost::json::array as_json(std::span<const std::string> texts, const Redactor& redact);

std::int64_t milliseconds(Duration duration);

// "2026-05-04T12:30:00.250Z".
std::string as_iso_8601(WallTime time);

// Lines of the JSON log, without their line feeds.
std::string event_as_json(const Event& event, const LogOptions& options, const Redactor& redact);
std::string note_as_json(std::string_view text, const LogOptions& options, const Redactor& redact);

}  // namespace retry_exec
